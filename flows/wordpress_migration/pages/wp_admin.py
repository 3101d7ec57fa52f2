"""WordPress's own administration and the migration plugin's page in it.

WordPress's ids, classes, input names and addresses are the same in every language (seen in 6.2 to 7.1); its words
are not.
"""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, urlsplit

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, expect

from runner.controls import Secret, Stuck, control, field, first_visible, panel, plain_url, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.wordpress_migration.settings import MigrationSettings

SLUG = "bv-pantheon-migration"
"""The plugin's slug: its name is one of many alike, and has changed; this has not (versions 1.84 to 5.25)."""

PAGE = "admin.php?page=pantheon"
"""The plugin's own page, below wp-admin/ (versions 1.84 to 5.25)."""

INSTALLATION = 300.0
"""Seconds that WordPress may take to download and unpack the plugin: its own limit for a download."""


BEHIND_BASIC_AUTH = (
    "the existing site is behind HTTP basic auth: set SOURCE_BASIC_AUTH (user:password), or correct it if it is set"
)


class WpAdmin:
    """The tab with the existing site's WordPress.

    Args:
        page: The tab.
        administrator: Who signs in, and where.
        say: Told what is waited for.
    """

    def __init__(self, page: Page, administrator: MigrationSettings, *, say: Callable[[str], None]) -> None:
        self.page = page
        self._administrator = administrator
        self._say = say
        self._login_form = page.locator("#loginform").describe("WordPress's sign-in form")
        self._login_error = page.locator("#login_error").describe("the error of WordPress's sign-in form")
        self._second_factor = page.locator(
            "input[autocomplete=one-time-code], input[name*=authcode], input[name*=two-factor], input[name*=totp]"
        ).describe("a second factor")
        self._remind_me_later = page.locator(".admin-email__later a").describe('"Remind me later"')
        self._admin = page.locator("body.wp-admin").describe("wp-admin")
        self._refusal = page.locator("body#error-page, .wp-die-message").describe("an error page of WordPress")

    # -- arriving and signing in ----------------------------------------------------------------------------------

    def check_arrival(self) -> None:
        """Check that the tab has arrived at the existing site's WordPress: at its sign-in form or in wp-admin.

        Raises:
            Stuck: It is at another site, or at no WordPress.
        """
        # Some pages open an empty tab first and send it on its way then.
        self.page.wait_for_url(lambda url: not url.startswith("about:blank"))
        self.page.wait_for_load_state("domcontentloaded")
        if self.page.url.startswith(("chrome-error:", "about:neterror")):
            raise Stuck(self._unreachable(), looked_for="wp-admin or WordPress's sign-in form")
        here, there = _host(self.page.url), _host(self._administrator.source_url)
        if here != there:
            raise Stuck(
                f"the new tab opened {plain_url(self.page.url)}, which is not on SOURCE_SITE_URL's host {there}"
            )
        self._arrive()

    def sign_in(self) -> None:
        """Sign in as the administrator, if WordPress asks for that.

        Raises:
            Stuck: WordPress refused, or a person is needed.
        """
        arrived = self._arrive()
        if arrived is self._login_form:
            self._say("signing in to wp-admin")
            self._fill_in_login()
            self.page.locator("#wp-submit").click()
            arrived = self._arrive(self._login_error)
        if arrived is self._login_error:
            said = " ".join(self._login_error.inner_text().split()).rstrip(".")
            raise Stuck(f'WordPress refused the sign-in: "{said}". Check WP_ADMIN_USERNAME and WP_ADMIN_PASSWORD')
        if arrived is self._second_factor:
            raise Stuck("WordPress asks for a second factor: a person has to sign in", looked_for="wp-admin")
        if arrived is self._remind_me_later:
            # WordPress asks every six months whether the administrator's e-mail address is still right.
            self._remind_me_later.click()
            self._arrive()

    def _fill_in_login(self) -> None:
        """Fill in user name and password, each in its own field.

        WordPress moves the focus to the user name by script, some time after the form is there (wp-login.php,
        wp_attempt_focus): a password that is typed in that moment stands in the wrong field, readable.
        """
        user, password = self.page.locator("#user_login"), self.page.locator("#user_pass")
        values = (self._administrator.wp_username, self._administrator.wp_password.reveal())
        for _ in range(3):
            user.fill(values[0])
            password.fill(values[1])
            if (user.input_value(), password.input_value()) == values:
                return
        raise Stuck(
            "WordPress's sign-in form does not hold what was typed", looked_for="Username or Email Address, Password"
        )

    def _arrive(self, *more: Locator) -> Locator:
        """Wait until one of WordPress's pages is there."""
        places = (
            *more,
            self._second_factor,
            self._remind_me_later,
            self._refusal,
            self._admin,
            self._login_form,
        )
        if more and self._login_form.is_visible():
            # The form that was just sent is still there until WordPress answers.
            places = places[:-1]
        try:
            arrived = first_visible(*places)
        except Stuck:
            raise Stuck(self._nowhere(), looked_for="wp-admin or WordPress's sign-in form") from None
        if arrived is self._refusal:
            said = " ".join(self._refusal.first.inner_text().split()).rstrip(".")
            raise Stuck(f'WordPress says "{said}". Check what {self._administrator.wp_username} may do there')
        return arrived

    def _unreachable(self) -> str:
        """Why the tab shows the browser's own error page."""
        address = f"{self._administrator.source_url}/wp-admin/"
        try:
            self.page.goto(address)
        except PlaywrightError as error:
            if "AUTH" in error.message:
                return BEHIND_BASIC_AUTH
            reason = error.message.splitlines()[0].removeprefix("Page.goto: ")
            return f"the existing site did not open: {reason}. Check SOURCE_SITE_URL"
        return f"{address} did not open in the new tab, and then it did: run this again"

    def _nowhere(self) -> str:
        status = self.page.evaluate("() => performance.getEntriesByType('navigation')[0]?.responseStatus || 0")
        if status == 401:  # noqa: PLR2004 - HTTP's number for basic auth
            return BEHIND_BASIC_AUTH
        answered = f" (it answered {status})" if status else ""
        here = plain_url(self.page.url)
        return f"{here} is neither wp-admin nor WordPress's sign-in form{answered}. Check SOURCE_SITE_URL"

    def visit(self, address: str) -> None:
        """Go to an address below wp-admin/, signing in if WordPress asks for that.

        Raises:
            Stuck: WordPress does not let this administrator go there.
        """
        base = re.split(r"/wp-admin(?:/|$)|/wp-login\.php", self.page.url.partition("?")[0])[0]
        self.page.goto(f"{base}/wp-admin/{address}")
        if self._arrive() is not self._admin:
            self.sign_in()
            self.page.goto(f"{base}/wp-admin/{address}")
            self._arrive()

    # -- steps 6 and 7: the plugin --------------------------------------------------------------------------------

    @property
    def plugin_card(self) -> Locator:
        """The plugin's card among the search results, known by its slug."""
        return self.page.locator(f".plugin-card-{SLUG}").describe(f"the card of the plugin {SLUG}")

    @property
    def _row(self) -> Locator:
        """The plugin's row in the list of installed plugins."""
        return self.page.locator(f'tr[data-plugin^="{SLUG}/"]')

    @property
    def plugin_button(self) -> Locator:
        """What the card offers: **Install Now**, **Update Now**, **Activate**, or that the plugin is active."""
        in_card = self.plugin_card.locator(".install-now, .update-now, .activate-now, .button-disabled")
        # Where the directory does not list it, the list of installed plugins is shown instead.
        in_list = self._row.locator(".activate a, .deactivate a")
        return in_card.or_(in_list).first.describe(f"the button of the plugin {SLUG}")

    def search_plugin(self, words: str) -> None:
        """Search the plugin directory for these words, on further pages of results too.

        Raises:
            Stuck: The plugin is neither among the results nor installed.
        """
        self._results = f"plugin-install.php?s={quote_plus(words)}&tab=search&type=term"
        pages, last = self._turn_to_plugin()
        if not self.plugin_button.is_visible():
            raise Stuck(
                f'a search for "{words}" does not list the plugin {SLUG} on any of its {pages} pages of results '
                f"({last} on the last one). Check that the site reaches the plugin directory, or set PLUGIN_SEARCH",
                looked_for=f"the plugin {SLUG}",
            )

    def _turn_to_plugin(self) -> tuple[int, int]:
        """Go to the page of results with the plugin, or to the installed plugins if the directory does not list it.

        Returns:
            How many pages of results there are, and how many results are on the last one.
        """
        self.visit(self._results)
        cards = self.page.locator(".plugin-card").describe("a search result")
        following = self.page.locator(".tablenav-pages a.next-page").first
        for number in count(1):
            first_visible(cards, self.page.locator(".no-plugin-results, .notice-error, .error"))
            results = cards.count()
            if self.plugin_card.is_visible():
                break
            if not following.is_visible():
                self.visit("plugins.php")
                break
            following.click()
            expect(self.page).to_have_url(re.compile(rf"[?&]paged={number + 1}\b"))
        return number, results

    def install_plugin(self) -> None:
        """Press **Install Now** (or **Update Now**) where it is offered, and wait until the plugin can be activated.

        Raises:
            Stuck: WordPress asks for FTP credentials, or says that the installation failed.
        """
        if not self._offers("install-now", "update-now"):
            return
        self._say("installing the plugin")
        in_card = self.plugin_card.locator(".activate-now, .button-disabled")
        in_report = self.page.locator("a[href*='action=activate']")
        before = self._errors()
        self.plugin_button.click()
        ready = in_card.or_(in_report).describe("a way to activate the installed plugin")
        self._wait_unless_refused(ready, before, "install", INSTALLATION)
        # The classic page shows a report and an update leaves "Updated!": the results show what is to do next.
        if "plugin-install.php" not in self.page.url or not self._offers("activate-now"):
            self._turn_to_plugin()

    def activate_plugin(self) -> None:
        """Press **Activate** where it is offered, and wait until the plugin is active.

        Raises:
            Stuck: WordPress says that the activation failed.
        """
        if not (self._offers("activate-now") or self._row.locator(".activate a").is_visible()):
            return
        active = self.plugin_card.locator(".button-disabled").or_(self._row.locator(".deactivate a"))
        # The redirect to the plugin's page may come, or may have been spent on a request in the background.
        arrived = active.or_(self.migration_form.locator).describe("the plugin as active")
        before = self._errors()
        self.plugin_button.click()
        self._wait_unless_refused(arrived, before, "activate", self._administrator.page_timeout)

    def _errors(self) -> list[str]:
        """Errors that WordPress shows; other plugins show some all the time."""
        shown = self.page.locator(
            ".notice-error, .plugin-card-update-failed, #message.error, .wrap > .error, .wp-die-message"
        )
        return [" ".join(text.split()) for text in shown.filter(visible=True).all_inner_texts()]

    def _wait_unless_refused(self, wanted: Locator, before: list[str], what: str, timeout: float) -> None:
        """Wait for what comes after a press, unless WordPress asks for FTP credentials or shows a new error first."""
        credentials = self.page.locator("#request-filesystem-credentials-dialog, #request-filesystem-credentials-form")

        def look() -> bool | None:
            if wanted.filter(visible=True).count():
                return True
            if credentials.filter(visible=True).count():
                raise Stuck(
                    "WordPress asks for FTP credentials: it may not write its plugins folder. "
                    "Install the plugin by hand"
                )
            said = [error for error in self._errors() if error not in before]
            if said:
                raise Stuck(f'WordPress could not {what} the plugin: "{said[0]}"')
            return None

        if not until(self.page, look, timeout=timeout):
            raise Stuck(
                f"{wanted.description} did not appear within {timeout:.0f} seconds", looked_for=wanted.description or ""
            )

    def _offers(self, *classes: str) -> bool:
        offered = (self.plugin_button.get_attribute("class") or "").split()
        return any(one in offered for one in classes)

    # -- step 8: the plugin's form --------------------------------------------------------------------------------

    def open_plugin_page(self) -> None:
        """Go to the plugin's page, unless the redirect after the activation has led there.

        Raises:
            Stuck: The page is not there, or has no form for a migration.
        """
        if not self._is_plugin_page():
            self.visit(PAGE)
        try:
            first_visible(self.migration_form.locator)
        except Stuck:
            raise Stuck(
                "the plugin's page has no form for a migration", looked_for="the form with the machine token"
            ) from None

    def _is_plugin_page(self) -> bool:
        return "page=pantheon" in self.page.url

    @property
    def migration_form(self) -> MigrationForm:
        """The form on the plugin's page."""
        return MigrationForm(self.page, self._administrator)


class MigrationForm:
    """The plugin's form, by the input names of all its versions (1.84 to 5.25), else by the words beside them."""

    def __init__(self, page: Page, administrator: MigrationSettings) -> None:
        self._page = page
        self._administrator = administrator
        by_id = page.locator("#ptn_migrate_form")
        by_field = page.locator("form").filter(has=page.locator("input[name=machine_token]"))
        by_words = panel(page, page.get_by_text("Machine Token"), page.get_by_role("textbox"), control(page, "Migrate"))
        self.locator = by_id.or_(by_field).or_(page.locator("form").and_(by_words)).first.describe("the plugin's form")

    @property
    def site_name(self) -> Locator:
        """**Pantheon Site Name**; its visible label is not bound to it."""
        return self._field("newurl", "site name", r"site.?name|\bname\b", r"\burl\b")

    @property
    def machine_token(self) -> Locator:
        """**Machine Token**; its visible label is not bound to it."""
        return self._field("machine_token", "machine token", "token")

    @property
    def migrate(self) -> Locator:
        """**Migrate**, which stays disabled until the consent box is ticked."""
        return (
            self.locator.locator("#migratesubmit")
            .or_(control(self.locator, "Migrate"))
            .first.describe('the control "Migrate"')
        )

    def _field(self, name: str, looked_for: str, *words: str) -> Locator:
        by_name = self.locator.locator(f"input[name={name}]")
        if by_name.count():
            return by_name.describe(f"the field for the {looked_for}")
        return field(self.locator.get_by_role("textbox"), looked_for, *words)

    def fill_in(self, site_name: str, machine_token: Secret) -> None:
        """Paste both values, tick the consent box where there is one, and check that the form holds exactly the values.

        Raises:
            Stuck: A field does not hold what was pasted, or the form asks for a login that is not set.
        """
        self.site_name.fill(site_name)
        self.machine_token.fill(machine_token.reveal())
        consent = self.locator.get_by_role("checkbox")
        if consent.count():
            consent.first.check()
        self._fill_in_basic_auth()
        if self.site_name.input_value() != site_name:
            raise Stuck(
                "the plugin's form does not hold the site name as it was pasted",
                looked_for="Pantheon Site Name",
            )
        if self.machine_token.input_value() != machine_token.reveal():
            raise Stuck(
                "the plugin's form does not hold the machine token as it was pasted",
                looked_for="Machine Token",
            )

    def _fill_in_basic_auth(self) -> None:
        for_source = self.locator.locator("input[name=httpauth_src_user]")
        for_destination = self.locator.locator("input[name=httpauth_dest_user]")
        if for_source.is_visible():
            if self._administrator.source_basic_auth is None:
                raise Stuck(
                    "the service asks for the existing site's HTTP basic auth: set SOURCE_BASIC_AUTH (user:password)"
                )
            user, _, password = self._administrator.source_basic_auth.reveal().partition(":")
            for_source.fill(user)
            self.locator.locator("input[name=httpauth_src_password]").fill(password)
        if for_destination.is_visible():
            raise Stuck(
                "the service asks for HTTP basic auth of the new Pantheon site: unlock that site in the dashboard first"
            )


def _host(url: str) -> str:
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2].removeprefix("www.")
