"""A run of the migration: its two tabs, the token that is carried from one to the other, and how both are had again."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from playwright.sync_api import Error as PlaywrightError

from flows.wordpress_migration.pages.dashboard import Dashboard
from flows.wordpress_migration.pages.machine_tokens import ListedToken, MachineTokens
from flows.wordpress_migration.pages.migration_service import MigrationService
from flows.wordpress_migration.pages.wp_admin import WpAdmin
from flows.wordpress_migration.settings import MigrationSettings, slug
from runner.errors import GuiderunnerError
from runner.one_time_codes import OneTimeCodes
from runner.run import Run
from runner.secrets import Secret, plain_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playwright.sync_api import Page

    from flows.wordpress_migration.pages.dashboard import Words
    from runner.camera import Camera
    from runner.flow import Flow

BLANK = "about:blank"
"""Where a tab is that has just been opened."""


class MigrationRun(Run[MigrationSettings]):
    """A run of the migration: its two tabs and the token that is carried from one to the other."""

    words: Sequence[Words] = ()
    _token: Secret | None = None
    _dashboard: Dashboard | None = None
    _wp_admin: WpAdmin | None = None
    _service: MigrationService | None = None

    def follow(self, flow: Flow[Any]) -> None:
        """Perform this edition: the Pantheon tab is known by its words; by those of all, if it is to be recognised."""
        super().follow(flow)
        self.words = [one.words for one in flow.may_be]
        if self._dashboard:
            self._dashboard.words = self.words

    def attach(self, page: Page, camera: Camera | None = None) -> None:
        """Take the first tab of another browser: both tabs have to be opened anew, the token is still known."""
        super().attach(page, camera)
        self._dashboard = self._wp_admin = self._service = None

    @property
    def dashboard(self) -> Dashboard:
        """The Pantheon tab."""
        if self._dashboard is None:
            self._dashboard = self.dashboard_in(self.page)
        return self._dashboard

    def dashboard_in(self, page: Page) -> Dashboard:
        """The dashboard in a tab."""
        return Dashboard(
            page,
            self.settings,
            words=self.words,
            say=self.say,
            codes=self._account_codes,
            note_interruption=self.note_interruption,
        )

    def wp_admin_in(self, page: Page) -> WpAdmin:
        """The existing site's wp-admin in a tab."""
        return WpAdmin(page, self.settings, say=self.say, codes=self._administrator_codes)

    # One for all tabs: a server takes each code once.

    @cached_property
    def _account_codes(self) -> OneTimeCodes | None:
        return self._codes(self.settings.totp)

    @cached_property
    def _administrator_codes(self) -> OneTimeCodes | None:
        return self._codes(self.settings.wp_totp)

    def _codes(self, secret: Secret | None) -> OneTimeCodes | None:
        return OneTimeCodes(secret, keep=self.keep_secret, off_camera=self.off_camera) if secret else None

    @property
    def wp_admin(self) -> WpAdmin:
        """The WordPress tab; in a browser just opened it is opened by its address."""
        if self._wp_admin is None:
            self.take_new_tab(self.page.context.new_page()).open()
        if self._wp_admin is None:
            raise RuntimeError("the WordPress tab was not taken")
        return self._wp_admin

    @property
    def service(self) -> MigrationService:
        """What the WordPress tab shows after **Migrate**; in a browser just opened the migration's page."""
        if self._service is None:
            self.take_new_tab(self.page.context.new_page())
        if self._service is None:
            raise RuntimeError("the WordPress tab was not taken")
        if self._service.page.url == BLANK:
            self._service.open(self.facts["migration_page"])
        return self._service

    @property
    def machine_token(self) -> Secret:
        """The machine token; it is shown once, so that a run that was interrupted has another one made."""
        if self._token is None:
            self.return_to_token_page()
        if self._token is None:
            raise RuntimeError("no machine token was made")
        return self._token

    @machine_token.setter
    def machine_token(self, token: Secret) -> None:
        self._token = token

    def take_new_tab(self, page: Page) -> WpAdmin:
        """Take the tab that the Pantheon tab has opened: wp-admin, and after **Migrate** the service."""
        self._wp_admin = self.wp_admin_in(page)
        self._service = MigrationService(
            page,
            self.settings,
            say=self.say,
            begins=self.note_migration_page,
            note_interruption=self.note_interruption,
        )
        self.switch_to(page)
        return self._wp_admin

    def note_migration_page(self, address: str) -> None:
        """Record where the migration is, as soon as the browser is sent there: from then on it may have begun."""
        self.facts["migration_page"] = address

    def open_workspace(self, dashboard: Dashboard) -> None:
        """Open the workspace that is set, or else the one that the dashboard opened with when the run began."""
        dashboard.open()
        if self.settings.workspace:
            dashboard.open_workspace(self.settings.workspace)
        elif "workspace_page" in self.facts:
            dashboard.return_to_workspace(self.facts["workspace_page"])

    def begin_in(self, dashboard: Dashboard, address: str) -> None:
        """Record where the run begins, if no workspace is set: the dashboard may open with another one next time.

        Args:
            dashboard: Where it has opened a workspace.
            address: Of the workspace's page, when that had come to rest.
        """
        if self.settings.workspace:
            return
        place = address if _is_a_place(address) else None
        if "workspace_page" in self.facts and not dashboard.is_in_workspace:
            # It cannot go back and begins in another one; nobody has looked whether the name is free there.
            self.facts.change(workspace_page=place, name_was_free=None)
        elif place and "workspace_page" not in self.facts:
            self.facts["workspace_page"] = place

    def return_to_site_page(self) -> None:
        """Open the page that the site's creation has led to, in a browser just opened."""
        if self.dashboard.page.url == BLANK:
            self.switch_to(self.dashboard.page)
            self.dashboard.open_site_page(self.facts["site_page"])

    def return_to_token_page(self) -> None:
        """Have another machine token made in a browser just opened, since its page shows none any more."""
        if self.dashboard.page.url == BLANK:
            self.return_to_site_page()
            self.dashboard.reach(self.dashboard.generate_machine_token)
            self.make_machine_token()

    def make_machine_token(self) -> None:
        """Press **Generate Machine Token**, keep the token before any camera sees it, and go on to where it is used.

        Where the edition has a page in between, token and site's name may be shown on that or on the next.
        """
        dashboard, shown = self.dashboard, self.dashboard.token_page
        name = None
        with self.off_camera(dashboard.page), self.noting_the_token(), self._covering_what_may_be_a_token():
            self.say("having a machine token made")
            dashboard.press_generate_machine_token()
            self._token = None
            if any(one.goes_on for one in self.words):
                if token := shown.machine_token_at_once():
                    self.machine_token = self.keep_secret(token, "machine token")
                    name = shown.site_name_at_once(self.machine_token)
                    dashboard.leave_token_dialogue()
                dashboard.go_on_with_token()
            if self._token is None:
                self.machine_token = self.keep_secret(shown.machine_token(), "machine token")
            name = shown.site_name_at_once(self.machine_token) or name
            dashboard.leave_token_dialogue()
        self.facts["site_name"] = name or shown.site_name(self.machine_token)
        self.facts["site_page"] = dashboard.page.url

    @contextmanager
    def _covering_what_may_be_a_token(self) -> Iterator[None]:
        """Keep secret what looks like a machine token where a failure comes before it is read: its page is recorded."""
        try:
            yield
        except (GuiderunnerError, PlaywrightError):
            with suppress(PlaywrightError):  # the browser has gone, and nothing is recorded of its page
                for value in self.dashboard.token_page.may_be_tokens():
                    self.secrets.add(Secret(value, "machine token"), pieces=False)
            raise

    @contextmanager
    def noting_the_token(self) -> Iterator[None]:
        """Note which machine token is made meanwhile, so that exactly that one can be revoked afterwards.

        The dashboard does not tell which one it has made: the list is read before and after, and no other run of this
        ledger has one made in between.
        """
        if not self.settings.revoke_token:
            yield
            return
        with self.alone(self._account_tokens):
            if "tokens_before" in self.facts:
                self.note_tokens_made(surely=False)  # interrupted here before: it is not known whether one was made
            self.facts["tokens_before"] = written(self.listed_tokens())
            yield
            self.note_tokens_made(surely=True)

    def note_tokens_made(self, *, surely: bool) -> None:
        """Compare the list of machine tokens with the one before, and note those that this run has had made.

        Args:
            surely: One was made, and none by another run. Else only those count that name the new site.
        """
        listed = self.listed_tokens()
        made = MachineTokens.made_since(read(self.facts["tokens_before"]), listed)
        ours = made if surely and len(made) == 1 else [one for one in made if self.names_site(one)]
        if (surely and len(ours) != 1) or len(ours) < len(made):
            self.say(
                f"of the machine tokens {', '.join(map(str, made)) or 'listed'} it cannot be told which one this run "
                "has had made: look at Personal Settings > Machine Tokens afterwards"
            )
        self.facts.change(tokens_to_revoke=written([*self.tokens_to_revoke, *ours]), tokens_before=None)

    def names_site(self, token: ListedToken) -> bool:
        """Whether a listed token names the new site, and not one whose name is longer."""
        names = "|".join(map(re.escape, {self.settings.site_name, slug(self.settings.site_name)}))
        return bool(re.search(rf"(?<![\w-])({names})(?![\w-])", " ".join(token.words), re.IGNORECASE))

    @property
    def tokens_to_revoke(self) -> list[ListedToken]:
        """The machine tokens that this run has had made, and that are not revoked yet."""
        return read(self.facts.get("tokens_to_revoke", "[]"))

    def revoke_tokens(self) -> None:
        """Revoke them: where others are listed in the same words, only if all of those are this run's."""
        with self.alone(self._account_tokens), self.tab_beside() as page:
            tokens = self.tokens_in(page)
            while left := self.tokens_to_revoke:
                token, *others = left
                tokens.open()
                listed = tokens.tokens().count(token)
                if listed > left.count(token) or (listed and self.facts.get("revoking") == str(token)):
                    self.say(f'others than this run\'s may be listed as "{token}", so it is not revoked: look there')
                elif listed:
                    self.say(f"revoking the machine token {token}")
                    self.facts["revoking"] = str(token)
                    tokens.revoke(token, any_alike=True)
                self.facts.change(tokens_to_revoke=written(others), revoking=None)

    @property
    def _account_tokens(self) -> str:
        return f"machine tokens of {self.settings.email} at {self.settings.dashboard_url}"

    def listed_tokens(self) -> list[ListedToken]:
        """The account's machine tokens, read in a tab beside."""
        with self.tab_beside() as page:
            tokens = self.tokens_in(page)
            tokens.open()
            if tokens.address:
                self.facts["tokens_page"] = tokens.address
            return tokens.tokens()

    def tokens_in(self, page: Page) -> MachineTokens:
        """The account's machine tokens in a tab; the way there is looked for once."""
        return MachineTokens(self.dashboard_in(page), self.facts.get("tokens_page"))

    def context_options(self) -> dict[str, Any]:
        """Basic auth is answered for the existing site only, and only when that asks for it."""
        login = self.settings.source_basic_auth
        if login is None:
            return {}
        user, _, password = login.reveal().partition(":")
        self.keep_secret(password, "SOURCE_BASIC_AUTH password")
        address = urlsplit(self.settings.source_url)
        origin = f"{address.scheme}://{address.netloc}"
        return {
            "http_credentials": {
                "username": user,
                "password": password,
                "origin": origin,
                "send": "unauthorized",
            }
        }

    def patience(self) -> float:
        """As the settings say."""
        return self.settings.page_timeout


def written(tokens: Sequence[ListedToken]) -> str:
    """What tells listed tokens apart, as a fact; the list shows no token's value."""
    return json.dumps([[token.identity, token.words] for token in tokens])


def read(text: str) -> list[ListedToken]:
    """Listed tokens as `written` has written them."""
    pairs: list[list[list[str]]] = json.loads(text)
    return [ListedToken(tuple(identity), tuple(words)) for identity, words in pairs]


def _is_a_place(address: str) -> bool:
    """Whether an address says only where a page is, and nothing that an identity provider has handed over in it."""
    path, _, fragment = address.partition("#")
    return plain_url(path) == path and "=" not in fragment
