"""What lets somebody in to the dashboard: its own sign-in form, or that of the account's identity provider."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flows.wordpress_migration.pages.loading import host_and_port
from flows.wordpress_migration.pages.second_factor import SecondFactor, code_fields, what_to_do
from runner.controls import (
    NeedsPerson,
    Stuck,
    control,
    controls,
    lines,
    new_lines,
    on_page,
    panel,
    press_send,
    refuses,
    same_site,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

    from flows.wordpress_migration.settings import MigrationSettings
    from runner.controls import OneTimeCodes

SIGN_IN_WORDS = (
    "Log in", "Login", "Sign in", "Continue", "Next", "Submit", "Verify", "Confirm", "Authenticate",
    "Re-authenticate", "Reauthenticate", "Confirm password", "Verify password",
    "Continue with email", "Sign in with email", "Log in with email",
)  # fmt: skip
"""Names of the control that sends a sign-in form; where it has another name, Enter is pressed in the field."""

LATER_WORDS = (
    "Continue without passkeys", "Not now", "Skip", "Skip for now", "Maybe later", "Remind me later", "Do this later",
)  # fmt: skip
"""Names of the control that leaves what an identity provider offers after the password, such as a passkey."""

SIGN_IN_FIELDS = 2
"""Text boxes that a sign-in form has at most: e-mail address and, where it is shown in clear, password."""

_SECOND_FACTOR = re.compile(
    r"(verification|one.?time|security|authenticat(or|ion)|6.digit|2.step|two.factor)[ -]?(code|passw|app|factor)"
    r"|enter the code",
    re.IGNORECASE,
)


class SignIn:
    """What the dashboard asks for before it shows anything, and again when a session has ended.

    Args:
        page: The dashboard's tab, which may be led to an identity provider's page.
        account: Whose sign-in it is.
        say: Told what is done.
        codes: The account's one-time codes, if their secret is set.
    """

    def __init__(
        self, page: Page, account: MigrationSettings, *, say: Callable[[str], None], codes: OneTimeCodes | None
    ) -> None:
        self.page = page
        self._account = account
        self._say = say
        self._given = False
        self._second_factor = SecondFactor(
            page, codes, self._asks_for_code, who="the sign-in", setting="PANTHEON_TOTP", say=say
        )

    @property
    def password_fields(self) -> Locator:
        """Fields for a password, those too that no reader sees."""
        others = '[readonly], [aria-hidden=true], [aria-hidden=true] *, [autocomplete~=one-time-code], [maxlength="1"]'
        return self.page.locator(f"input[type=password]:not({others})")

    def password_field(self) -> Locator | None:
        """The password field that a reader sees; some pages keep one beside the screen for password managers."""
        return next((one for one in self.password_fields.all() if on_page(one)), None)

    def _email_field(self) -> Locator | None:
        """The field for the account's e-mail address or user name, if it is to be filled in."""
        named_so = self.page.get_by_role("textbox", name=re.compile(r"e-?mail|user ?name", re.IGNORECASE))
        typed_so = self.page.locator(
            "input[type=email], input[autocomplete~=username], input[name=username], input[name=email]"
        )
        no_newsletter = self.page.locator(":not(footer *, [role=contentinfo] *)")
        found = [one for one in named_so.or_(typed_so).and_(no_newsletter).filter(visible=True).all() if on_page(one)]
        # A provider that knows the account already may show its address to be confirmed only.
        return next((one for one in found if one.is_editable() or "@" in one.input_value()), None)

    def is_asked_for(self) -> bool:
        """Whether the page asks to sign in."""
        if self.password_field():
            return True
        email = self._email_field()
        if email is None:
            return False
        # Beside an e-mail field a sign-in form has little else: a newsletter's field in the footer is another thing.
        form = panel(self.page, email, controls(self.page, *SIGN_IN_WORDS, inert=True))
        return 1 <= form.get_by_role("textbox").count() <= SIGN_IN_FIELDS

    def perform(self) -> None:
        """Sign in with e-mail and password, on one page or on two; where only the password is asked, with that.

        Raises:
            Stuck: The dashboard refused, or a person is needed.
        """
        page, account_password = self.page, self._account.password
        self._check_address()
        if account_password is None:
            raise NeedsPerson(
                'the dashboard asks to sign in, and no kept sign-in is valid: a person has to run "guiderunner login '
                'dashboard" (or set PANTHEON_PASSWORD)'
            )
        if self._given:
            said = [line for line in lines(page) if refuses(line)]
            because = f': "{said[0]}"' if said else ""
            raise NeedsPerson(
                f"the dashboard did not accept PANTHEON_EMAIL and PANTHEON_PASSWORD{because}. It was not tried again"
            )
        self._given = True
        self._say("signing in to the dashboard")
        email, password = self._email_field(), self.password_field()
        if email:
            self._give_email(email)
            if password is None:
                self._send(email, lambda: self.password_field() is not None or None)
                password = until(page, self.password_field)
        if password is None:
            raise Stuck("the sign-in page asks for no password", looked_for="Password")
        self._check_address()
        password.fill(account_password.reveal())
        self._send(password, lambda: self.password_field() is None or None)

    def _give_email(self, email: Locator) -> None:
        """Fill in the e-mail address, unless the page has done so and lets nobody change it."""
        if email.is_editable():
            email.fill(self._account.email)
        elif email.input_value().strip().casefold() != self._account.email.casefold():
            raise Stuck(
                "the sign-in page is for another account than PANTHEON_EMAIL, and lets nobody change that: a token "
                "made there would not fit the site",
                looked_for="Email address",
            )

    def _send(self, filled: Locator, went_on: Callable[[], bool | None]) -> None:
        """Send the sign-in form and wait until it went on."""
        page = self.page
        before = lines(page)
        press_send(filled, *SIGN_IN_WORDS)

        def look() -> bool | None:
            if went_on():
                return True
            if self._asks_for_code():
                self._check_address()
                self._second_factor.give()
                return None
            said = new_lines(page, before)
            refused = [line for line in said if refuses(line)]
            if refused:
                advice = what_to_do(refused[0], "PANTHEON_EMAIL and PANTHEON_PASSWORD")
                raise NeedsPerson(f'the dashboard refused the sign-in: "{refused[0]}". {advice}')
            return None

        if not until(page, look, timeout=self._account.page_timeout):
            raise Stuck("the dashboard did not answer the sign-in", looked_for="the page after signing in")

    def leave_offer(self) -> None:
        """Leave what the identity provider offers between the password and the dashboard, such as a passkey."""
        later = control(self.page, *LATER_WORDS)
        if self.is_elsewhere() and later.is_visible():
            self._say(f'the sign-in offers something more; pressing "{later.inner_text().strip()}"')
            later.click()

    def _asks_for_code(self) -> Locator | None:
        """The field or the boxes for a one-time code, if the page's words ask for one."""
        asked = any(_SECOND_FACTOR.search(line) for line in lines(self.page))
        return code_fields(self.page) if asked else None

    def _check_address(self) -> None:
        """What lets somebody in goes only to the dashboard's pages and its identity provider's, and never unencrypted.

        Raises:
            NeedsPerson: The sign-in is somewhere else.
        """
        here = self.page.url
        if urlsplit(self._account.dashboard_url).scheme == "https" and urlsplit(here).scheme != "https":
            raise Stuck("the sign-in page is not encrypted (http), so nothing was typed there")
        named = {host_and_port(here), (urlsplit(here).hostname or "")} & set(self._account.sign_in_hosts)
        if not named and not same_site(here, self._account.dashboard_url):
            raise NeedsPerson(
                f"the dashboard has led to a sign-in at {host_and_port(here)}, which is not of its domain, so nothing "
                "was typed there. If that is the account's identity provider, name it in PANTHEON_SIGN_IN_HOSTS"
            )

    def is_elsewhere(self) -> bool:
        """Whether the tab is at another host than the dashboard's, such as the identity provider's."""
        return host_and_port(self.page.url) != host_and_port(self._account.dashboard_url)

    def passed(self) -> None:
        """What was given has let somebody in: another sign-in may follow one day."""
        self._given = False
        self._second_factor.passed()

    def give_what_is_asked(self, *, on_the_way: bool) -> bool:
        """Give what the page asks for to sign in: the password, or after it (or at a provider's) a one-time code.

        Args:
            on_the_way: Something was given already: a field for a code is one of the sign-in then.

        Returns:
            Whether it asked for anything.
        """
        if self.is_asked_for():
            self.perform()
            return True
        if (on_the_way or self.is_elsewhere()) and self._asks_for_code():
            self._check_address()
            self._second_factor.give()
            return True
        return False
