"""WordPress's own administration and the migration plugin's page in it.

WordPress's ids, classes, input names and addresses are the same in every language (seen in 6.1 to 7.1); its words
are not.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, urlsplit

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, expect

from flows.wordpress_migration.pages.loading import FIRST_SERVER_ERROR, go_to, load
from flows.wordpress_migration.pages.migration_form import MigrationForm, agree, names_of_unfilled
from flows.wordpress_migration.pages.second_factor import SecondFactor, what_to_do
from runner.controls import (
    NeedsPerson,
    Stuck,
    close_what_covers,
    first_visible,
    host_of,
    lines,
    plain_url,
    press_send,
    status_of,
    texts,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from playwright.sync_api import Response

    from flows.wordpress_migration.settings import MigrationSettings
    from runner.controls import OneTimeCodes

SLUG = "bv-pantheon-migration"
"""The plugin's slug: its name is one of many alike, and has changed; this has not (versions 1.84 to 5.25)."""

PAGE = "admin.php?page=pantheon"
"""The plugin's own page, below wp-admin/ (versions 1.84 to 5.25)."""

INFORMATION = f"plugin-install.php?tab=plugin-information&plugin={SLUG}"
"""The directory's page about the plugin, below wp-admin/."""

UPLOADS = "plugin-install.php?tab=upload"
"""WordPress's page for plugins that one has as a file, below wp-admin/; who may not use it sees the directory's."""

MENU = re.compile(r"^\W*Pantheon Migrat(e|ions?)\W*$", re.IGNORECASE)
"""The plugin's entry in the menu: "Pantheon Migrate" (versions 1.84 to 5.25); guide and readme call it otherwise."""

INSTALLATION = 300.0
"""Seconds that WordPress may take to download and unpack the plugin: its own limit for a download."""

CODE_FIELD = ", ".join(
    f"input{said}:not([type=hidden], [type=checkbox], [type=radio], [type=submit], [type=button])"
    for said in (
        "[autocomplete~=one-time-code]",
        *(f"[name*={word} i]" for word in ("authcode", "two-factor", "two_factor", "totp", "googleotp", "wfls-token")),
    )
)
"""The field that plugins for a second factor ask for a code in, by its name; their words are in many languages."""

WITH_PASSWORD = re.compile(r"\b(username|e-?mail)\b.*\bpassword\b|\b(with|use) (a |your )?password\b", re.IGNORECASE)
"""Words of the link to user name and password on a sign-in page that offers another account's sign-in first."""

FOR_PEOPLE = re.compile(r"captcha|turnstile|\brobot|\bhuman\b", re.IGNORECASE)
"""Words of a refusal that is not about user name and password."""

BY_HAND = 'a person has to sign in, with "guiderunner login wp-admin", whose sign-in runs use until it ends'
"""What to do where WordPress lets nobody in with user name and password alone."""

PASSWORD_COMES = 2.0
"""Seconds after which a sign-in form without a field for the password asks for the user name first."""

OFFERS = 3
"""How many boxes of other plugins are closed, one after the other."""

TROUBLE_PAUSE = 3.0
"""Seconds after which a page is loaded again that WordPress could not show, such as while it is being updated."""

OTHER_HOST = "If the existing site's wp-admin is there, begin another run, with that address as SOURCE_SITE_URL"
"""What to do where wp-admin is not at the host of the existing site's address."""

BEHIND_BASIC_AUTH = (
    "the existing site is behind HTTP basic auth: set SOURCE_BASIC_AUTH (user:password), or correct it if it is set"
)


class WpAdmin:
    """The tab with the existing site's WordPress.

    Args:
        page: The tab.
        administrator: Who signs in, and where.
        say: Told what is waited for.
        codes: The administrator's one-time codes, if their secret is set.
    """

    def __init__(
        self,
        page: Page,
        administrator: MigrationSettings,
        *,
        say: Callable[[str], None],
        codes: OneTimeCodes | None = None,
    ) -> None:
        self.page = page
        self._administrator = administrator
        self._say = say
        # The names of its fields are WordPress's own, on the page of a plugin or theme too.
        # WooCommerce's form is known by its own marks: others with such fields may be of other places.
        own = "#loginform, form:has(input[name=log]):has(input[name=pwd])"
        shop = "form:is(.woocommerce-form-login, :has([name=woocommerce-login-nonce]))"
        form = page.locator(f"{own}, {shop}:has(input[name=username])").filter(visible=True).first
        self._login_form = form.describe("WordPress's sign-in form")
        links = page.locator("body.login").get_by_role("link", name=WITH_PASSWORD)
        links = links.or_(page.locator("a[href*='jetpack-sso-show-default-form=1']"))  # Jetpack's, in every language
        self._with_password = links.filter(visible=True).first.describe("the way to sign in with a password")
        refused = page.locator("#login_error, .woocommerce-error").filter(visible=True).first
        self._login_error = refused.describe("the error of WordPress's sign-in form")
        self._code = page.locator(CODE_FIELD).describe("a second factor")
        self._codes = codes
        self._second_factor = SecondFactor(
            page, codes, self._asks_for_code, who="WordPress", setting="WP_ADMIN_TOTP", say=say
        )
        self._remind_me_later = page.locator("a[href*=remind_me_later]").describe('"Remind me later"')
        self._admin = page.locator("body.wp-admin").describe("wp-admin")
        before = f"#login_error, a[href*=remind_me_later], .wp-die-message, {CODE_FIELD}"
        self._admin_alone = page.locator(f"body.wp-admin:not(#error-page):not(:has({before}))")
        # The site itself, and pages that plugins show in place of wp-admin, such as to be set up.
        signed_in = "body.logged-in, #wpadminbar, body.wp-core-ui:not(.login, .wp-admin)"
        self._elsewhere = page.locator(signed_in).first.describe("a page for who has signed in")
        self._wordpress = administrator.source_url
        self._results = _search_for(administrator.search_for)
        self._refusal = page.locator("body#error-page, .wp-die-message").describe("an error page of WordPress")

    def open(self) -> None:
        """Open wp-admin by its address, in a browser just opened; the other ways to it are `check_arrival`'s."""
        with suppress(PlaywrightError):  # what is there instead is told by check_arrival
            go_to(self.page, f"{self._administrator.source_url}/wp-admin/")
        self.check_arrival()

    # -- arriving and signing in ----------------------------------------------------------------------------------

    def check_arrival(self) -> None:
        """Check that the tab has arrived at the existing site's WordPress: at its sign-in form or in wp-admin.

        Raises:
            Stuck: It is at another site, or at no WordPress.
        """
        # Some pages open an empty tab first, or one that leads on, and send it on its way then.
        there = host_of(self._administrator.source_url)
        failed = ("chrome-error:", "about:neterror")
        with suppress(PlaywrightError):  # what is there instead is told below
            self.page.wait_for_url(
                lambda url: host_of(url) == there or url.startswith(failed), wait_until="domcontentloaded"
            )
        if self.page.url.startswith(failed):
            raise Stuck(self._unreachable(), looked_for="wp-admin or WordPress's sign-in form")
        if host_of(self.page.url) != there:
            raise Stuck(
                f"the new tab opened {plain_url(self.page.url)}, which is not on SOURCE_SITE_URL's host {there}. "
                f"{OTHER_HOST}"
            )
        self._arrive(refused=True)

    def arrive(self) -> None:
        """Wait until the tab shows a page of WordPress: its sign-in form, wp-admin, or one by which it refuses.

        Raises:
            Stuck: It shows something else.
        """
        self._arrive(refused=True)

    def sign_in(self) -> None:
        """Sign in as the administrator, if WordPress asks for that.

        Raises:
            Stuck: WordPress refused, or a person is needed.
        """
        # A page that this administrator may not see, or that is briefly not there, is one behind the sign-in too.
        arrived = self._arrive(refused=True)
        # Some plugins ask for the code on the sign-in form itself, also of those who have none.
        user, password = self._login_fields()
        code_on_form = arrived is self._code and password.is_visible()
        if arrived in (self._login_form, self._with_password) or code_on_form:
            self._say("signing in to wp-admin")
            if not password.is_visible() and self._with_password.is_visible():
                self._with_password.click()
                first_visible(user)
            self._fill_in_login()
            if code_on_form and self._codes:
                self._second_factor.give()
            else:
                self._send_login()
            sent = (self._login_form, self._with_password, *([self._code] if code_on_form else []))
            arrived = self._arrive(self._login_error, refused=True, sent=sent)
        if arrived is self._login_error:
            said = " ".join(self._login_error.inner_text().split()).rstrip(".")
            given = "WP_ADMIN_USERNAME, WP_ADMIN_PASSWORD and WP_ADMIN_TOTP"
            given = given if code_on_form else "WP_ADMIN_USERNAME and WP_ADMIN_PASSWORD"
            advice = f"{BY_HAND[0].upper()}{BY_HAND[1:]}" if FOR_PEOPLE.search(said) else what_to_do(said, given)
            raise NeedsPerson(f'WordPress refused the sign-in: "{said}". {advice}')
        while arrived is self._code:
            self.check_address()
            self._second_factor.give()
            arrived = self._arrive(refused=True)
        self._second_factor.passed()
        if arrived is self._remind_me_later:
            # WordPress asks every six months whether the administrator's e-mail address is still right.
            self._remind_me_later.click()
            self._arrive()

    def sign_in_again(self) -> None:
        """Sign in where WordPress asks for it in the midst of the hand-shake, which goes on by itself then."""
        self._say("signing in to wp-admin")
        self._fill_in_login()
        self._send_login()

    def check_address(self) -> None:
        """What lets somebody in is typed only into pages of the existing site's host.

        Raises:
            Stuck: The tab is somewhere else.
        """
        here, there = self.page.url, self._administrator.source_url
        if urlsplit(there).scheme == "https" and urlsplit(here).scheme != "https":
            raise Stuck("WordPress's page is not encrypted (http), so nothing was typed there")
        if host_of(here) != host_of(there):
            raise Stuck(
                f"the tab is at {plain_url(here)}, which is not on SOURCE_SITE_URL's host {host_of(there)}, so nothing "
                f"was typed there. {OTHER_HOST}"
            )

    def check_signed_in(self) -> None:
        """Check that the tab shows wp-admin, after `sign_in`.

        Raises:
            Stuck: WordPress says no, or asks to sign in again.
        """
        if self._arrive() is not self._admin:
            raise Stuck(
                f"WordPress asks {self._administrator.wp_username} to sign in again and again: something there keeps "
                "its cookies from being set or read. Sign in by hand once to see what it is",
                looked_for="wp-admin",
            )

    def refuses(self) -> bool:
        """Whether the tab shows a page by which WordPress itself refuses something."""
        return self._refusal.first.is_visible() or self._login_error.is_visible()

    def is_multisite(self) -> bool:
        """Whether this WordPress is a multisite, as every page of wp-admin tells (wp-admin/admin-header.php)."""
        return self.page.locator("body.wp-admin.multisite").count() > 0

    def _asks_for_code(self) -> Locator | None:
        code = self._code.filter(visible=True)
        return code if code.count() else None

    def _fill_in_login(self) -> None:
        """Fill in user name and password, each in its own field.

        WordPress moves the focus to the user name by script, some time after the form is there (wp-login.php,
        wp_attempt_focus): a password that is typed in that moment stands in the wrong field, readable.
        """
        if self._administrator.wp_password is None:
            raise NeedsPerson(
                'WordPress asks to sign in, and no kept sign-in is valid: a person has to run "guiderunner login '
                'wp-admin" (or set WP_ADMIN_PASSWORD)'
            )
        self.check_address()
        user, password = self._login_fields()
        values = (self._administrator.wp_username, self._administrator.wp_password.reveal())
        if not until(self.page, lambda: password.is_visible() or None, timeout=PASSWORD_COMES):
            self._send_user_name(user, password)
        for _ in range(3):
            if not user.is_visible():  # it was asked for on a page before this one
                password.fill(values[1])
                return
            user.fill(values[0])
            password.fill(values[1])
            if (user.input_value(), password.input_value()) == values:
                return
        raise Stuck(
            "WordPress's sign-in form does not hold what was typed", looked_for="Username or Email Address, Password"
        )

    def _send_user_name(self, user: Locator, password: Locator) -> None:
        """Send the user name alone, where WordPress asks for the password only then.

        Raises:
            NeedsPerson: It asks for something else.
        """
        user.fill(self._administrator.wp_username)
        press_send(user, "Continue", "Next", "Log In")
        if not until(self.page, lambda: password.is_visible() or None, timeout=self._administrator.page_timeout):
            raise NeedsPerson(f"WordPress's sign-in does not ask for the password after the user name: {BY_HAND}")
        self.check_address()

    def _login_fields(self) -> tuple[Locator, Locator]:
        """The sign-in form's fields for user name and password."""
        user = self._login_form.locator("#user_login, input[name=log], input[name=username]").first
        return user, self._login_form.locator("#user_pass, input[name=pwd], input[name=password]").first

    def _send_login(self) -> None:
        """Agree to what the sign-in form of this site asks to agree to, and send it.

        Raises:
            NeedsPerson: It asks for more than user name and password, such as a sum.
        """
        agree(self._login_form)
        unfilled = names_of_unfilled(self._login_form.and_(self.page.locator(":not([novalidate])")))
        if unfilled:
            raise NeedsPerson(f"WordPress's sign-in form asks for {', '.join(unfilled)} too: {BY_HAND}")
        submit = self._login_form.locator("#wp-submit")
        if submit.count():
            submit.click()
        else:
            press_send(self._login_fields()[1], "Log In", "Login", "Sign In", "Submit", "Continue")

    def _arrive(self, *more: Locator, refused: bool = False, sent: Sequence[Locator] = ()) -> Locator:
        """Wait until one of WordPress's pages is there; from elsewhere on the site, go to wp-admin by its address.

        Args:
            more: What may come too.
            refused: A page by which WordPress refuses is one of them.
            sent: What was just sent, and is still there until WordPress answers.
        """
        places = (
            *more,
            self._code,
            self._remind_me_later,
            self._refusal,
            self._admin,
            self._with_password,
            self._login_form,
            self._elsewhere,
        )
        sent = sent if sent and self._login_form.is_visible() else ()
        # A page of wp-admin that loads answers each look late: the one that tells nearly always comes first.
        arrived = self._first_of(self._admin_alone, *(place for place in places if place not in sent))
        arrived = self._admin if arrived is self._admin_alone else arrived
        self._note_address()
        if arrived is self._elsewhere:
            # A plugin has led the browser there after the sign-in, or in place of the page that was asked for.
            self._load(f"{self._wordpress}/wp-admin/")
            arrived = self._first_of(*places)
        if arrived is self._elsewhere:
            raise Stuck(self._nowhere(), looked_for="wp-admin")
        if arrived is self._refusal and not refused:
            said = " ".join(self._refusal.first.inner_text().split()).rstrip(".")
            raise Stuck(f'WordPress says "{said}". Check what {self._administrator.wp_username} may do there')
        return arrived

    def _first_of(self, *places: Locator) -> Locator:
        try:
            return first_visible(*places)
        except Stuck:
            raise Stuck(self._nowhere(), looked_for="wp-admin or WordPress's sign-in form") from None

    def _unreachable(self) -> str:
        """Why the tab shows the browser's own error page."""
        address = f"{self._administrator.source_url}/wp-admin/"
        try:
            go_to(self.page, address)
        except PlaywrightError as error:
            if re.search("AUTH(?!ORITY)", error.message):  # an authority is that of a certificate
                return BEHIND_BASIC_AUTH
            reason = error.message.splitlines()[0].removeprefix("Page.goto: ")
            return f"the existing site did not open: {reason}. Check SOURCE_SITE_URL"
        return f"{address} did not open in the new tab, and then it did: run this again"

    def _nowhere(self) -> str:
        status = status_of(self.page)
        if status == 401:  # noqa: PLR2004 - HTTP's number for basic auth
            return BEHIND_BASIC_AUTH
        answered = f" (it answered {status})" if status else ""
        here = plain_url(self.page.url)
        if "/wp-admin/upgrade.php" in here:
            return "WordPress asks to have its database updated first: a person has to do that in wp-admin"
        if self._elsewhere.is_visible():
            user = self._administrator.wp_username
            says = "; ".join(line.rstrip(".") for line in lines(self.page)[:2])
            says = f'; the page says "{says}"' if says else ""
            return f"WordPress leads {user} to {here} in place of wp-admin. Check what {user} may do there{says}"
        if "/wp-login.php" in here:
            asks = "; ".join(lines(self.page)[:3])
            return f'WordPress\'s sign-in asks for something more ("{asks}"): {BY_HAND}'
        return f"{here} is neither wp-admin nor WordPress's sign-in form{answered}. Check SOURCE_SITE_URL"

    def visit(self, address: str) -> None:
        """Go to an address below wp-admin/, signing in if WordPress asks for that.

        Raises:
            Stuck: WordPress does not let this administrator go there.
        """
        self._note_address()
        url = f"{self._wordpress}/wp-admin/{address}"
        self._load(url)
        if self._arrive() is not self._admin:
            self.sign_in()
            self._load(url)
            self._arrive()
        elif urlsplit(self.page.url).path != urlsplit(url).path:
            self._load(url)  # another plugin has led the browser to its own page, which happens once
            self._arrive()

    def _note_address(self) -> None:
        """Note where WordPress is, as its own pages tell: it may be in a folder of the site."""
        seen = re.match(r"(.*?)(/wp-admin(/|$)|/wp-login\.php)", self.page.url.partition("?")[0])
        if seen and host_of(self.page.url) == host_of(self._administrator.source_url):
            self._wordpress = seen[1]

    def _load(self, url: str) -> None:
        """Load a page, again while WordPress is briefly not there, such as in its maintenance mode."""
        deadline = time.monotonic() + self._administrator.page_timeout
        while (answer := self._open(url)) and answer.status >= FIRST_SERVER_ERROR and time.monotonic() < deadline:
            self._say(f"WordPress answered {answer.status}; loading the page again")
            until(self.page, lambda: None, timeout=TROUBLE_PAUSE)

    def _open(self, url: str) -> Response | None:
        return load(
            self.page,
            url,
            what="the existing site",
            check=f"SOURCE_SITE_URL {plain_url(self._administrator.source_url)}",
            patience=self._administrator.page_timeout,
            say=self._say,
        )

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
        return in_card.or_(self._in_information).or_(in_list).first.describe(f"the button of the plugin {SLUG}")

    @property
    def _in_information(self) -> Locator:
        """What the directory's page about the plugin offers (wp-admin/includes/plugin-install.php); no update."""
        footer = self.page.locator("#plugin-information-footer")
        offers = footer.locator(".install-now, .activate-now, #plugin_install_from_iframe")
        return offers.and_(self.page.locator(f"[data-slug={SLUG}]:not(.update-now, [disabled])"))

    def open_plugin(self) -> None:
        """Stay where the tab has arrived if the plugin is offered there; else go to its own page, or search for it.

        Raises:
            Stuck: It is nowhere to be found.
        """
        if self.plugin_button.is_visible():
            return
        with suppress(Stuck):  # who may add no plugin may have this one, which the search finds out
            self.visit(INFORMATION)
        if not self.plugin_button.is_visible():
            self.search_plugin(self._administrator.search_for)

    def search_plugin(self, words: str) -> None:
        """Search the plugin directory for these words, on further pages of results too.

        Raises:
            Stuck: The plugin is neither among the results nor installed.
        """
        self._results = _search_for(words)
        found, said = self._turn_to_plugin()
        if not self.plugin_button.is_visible():
            by_hand = f"or install the plugin {SLUG} there by hand, and resume"
            sentence = f'a search for "{words}" finds nothing: set PLUGIN_SEARCH to other words, {by_hand}'
            if found:
                sentence = (
                    f'a search for "{words}" lists {found} plugins, and {SLUG} is none of them; those that are alike '
                    f"are no use. Set PLUGIN_SEARCH to other words, {by_hand}"
                )
            elif said:
                sentence = (
                    f'the existing site does not get an answer from the plugin directory: WordPress says "{said}". Let '
                    f"it reach api.wordpress.org, {by_hand}"
                )
            raise Stuck(sentence, looked_for=f"the plugin {SLUG}")

    def return_to_plugin(self, words: str) -> None:
        """Go to the plugin among the search results, in a browser just opened; nothing where it is shown."""
        if not self.plugin_button.is_visible():
            self.sign_in()
            self.search_plugin(words)

    def _turn_to_plugin(self) -> tuple[int, str]:
        """Go to the page of results with the plugin, or to the installed plugins if the directory does not list it.

        Returns:
            How many results were seen, and the error that WordPress showed in their place.
        """
        errors = self.page.locator(".notice-error p, .error p")
        try:
            self.visit(self._results)
            if errors.count() and not self.page.locator(".plugin-card, .no-plugin-results").count():
                # The directory has not answered WordPress, as when it is asked too often.
                self._say("WordPress shows an error in place of the search's results; loading the page again")
                until(self.page, lambda: None, timeout=TROUBLE_PAUSE)
                self.visit(self._results)
        except Stuck:
            # Where no plugin may be added, one that is installed can still be used.
            self.visit("plugins.php")
            if not self._row.count():
                raise
            return 0, ""
        cards = self.page.locator(".plugin-card").describe("a search result")
        following = self.page.locator(".tablenav-pages a.next-page").first
        seen, said = 0, ""
        for number in count(1):
            first_visible(cards, self.page.locator(".no-plugin-results, .notice-error, .error"))
            seen += cards.count()
            if self.plugin_card.is_visible():
                break
            if not following.is_visible():
                said = "" if seen else next((text.rstrip(".") for text in texts(errors)), "")
                self.visit("plugins.php")
                break
            following.click()
            expect(self.page).to_have_url(re.compile(rf"[?&]paged={number + 1}\b"))
        return seen, said

    def check_plugin_can_be_installed(self) -> None:
        """Check that this administrator may install plugins, or finds the plugin installed.

        Raises:
            Stuck: Neither; the sentence says what WordPress says.
        """
        # The page for uploads is sooner there: it asks the plugin directory for nothing. Some sites have it closed.
        refused = self._refuses_to_install(UPLOADS) and self._refuses_to_install("plugin-install.php")
        if not refused:
            return
        with suppress(Stuck):  # who may not see the list may not install either, which is said below
            self.visit("plugins.php")
            if self._row.count():
                return
        raise Stuck(
            f"{self._administrator.wp_username} cannot install plugins on the existing site: {refused}. It takes an "
            "administrator, and a WordPress without DISALLOW_FILE_MODS that may write its plugins folder; or have the "
            f"plugin {SLUG} installed there by hand",
            looked_for="Add Plugins",
        )

    def _refuses_to_install(self, address: str) -> str:
        """Why WordPress lets this administrator install nothing, as its page for that says; nothing if it does."""
        try:
            self.visit(address)
        except Stuck as stuck:
            return str(stuck)
        # WordPress puts its dialogue for FTP credentials into the page where it will need them.
        if self.page.locator("#request-filesystem-credentials-dialog").count():
            return "WordPress asks for FTP credentials: it may not write its plugins folder"
        return ""

    def install_plugin(self) -> None:
        """Press **Install Now** (or **Update Now**) where it is offered, and wait until the plugin can be activated.

        Raises:
            Stuck: WordPress asks for FTP credentials, or says that the installation failed.
        """
        if self.plugin_card.is_visible() and self.plugin_button.is_disabled():
            # It is disabled because the plugin is active, or because it cannot be installed here: the list tells.
            said = self._said_in_card()
            if said and not self._is_installed():
                raise Stuck(f'WordPress does not offer to install the plugin: "{said[0]}"')
        if not self._offers("install-now", "update-now", "plugin_install_from_iframe"):
            return
        self._say("installing the plugin")
        in_card = self.plugin_card.or_(self.page.locator("#plugin-information-footer"))
        in_card = in_card.locator(".activate-now, .button-disabled")
        in_report = self.page.locator("a[href*='action=activate']")
        ready = in_card.or_(in_report).describe("a way to activate the installed plugin")
        before = self._errors()
        self._press_plugin_button()
        try:
            self._wait_unless_refused(ready, before, "install", INSTALLATION)
        except _Refused as refused:
            # As a reader who loads the page again: it may be installed all the same, or be so at the second try.
            self._say(f"{refused.said}; loading the page again")
            self._turn_to_plugin()
            if self._offers("install-now", "update-now"):
                before = self._errors()
                self._press_plugin_button()
                self._wait_unless_refused(ready, before, "install", INSTALLATION)
        # The classic page shows a report and an update leaves "Updated!": the results show what is to do next.
        if "plugin-install.php" not in self.page.url or not self._offers("activate-now"):
            self._turn_to_plugin()

    def _press_plugin_button(self) -> None:
        """Press what the plugin's card or row offers, when the offers of other plugins that lie over it are closed."""
        for _ in range(OFFERS):
            closed = close_what_covers(self.plugin_button)
            if not closed:
                break
            self._say(f'something lay over wp-admin, closed with "{closed}"')
        self.plugin_button.click()

    def _is_installed(self) -> bool:
        self.visit("plugins.php")
        installed = self._row.count() > 0
        if installed:
            self._turn_to_plugin()
        return installed

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
        before, here = self._errors(), self.page.url
        self._press_plugin_button()
        patience = self._administrator.page_timeout
        try:
            elsewhere = self._wait_unless_refused(arrived, before, "activate", patience, unless_at=here)
        except _Refused as refused:
            # The answer may have been lost, and the plugin be active.
            self._say(f"{refused.said}; looking at the list of plugins")
            self.visit("plugins.php")
            if self._row.locator(".deactivate a").is_visible():
                return
            before, here = self._errors(), self.page.url
            self._press_plugin_button()
            elsewhere = self._wait_unless_refused(arrived, before, "activate", patience, unless_at=here)
        if elsewhere:
            # Another plugin's page, an empty one, or the sign-in form: the list of plugins tells whether it is active.
            self.visit("plugins.php")
            try:
                first_visible(self._row.locator(".deactivate a"))
            except Stuck:
                raise Stuck("the plugin is not active after it was activated", looked_for=f"{SLUG} as active") from None

    def _errors(self) -> list[str]:
        """What WordPress says of a failure; other plugins show errors of their own beside the cards, all the time."""
        if self.plugin_card.count():
            return self._said_in_card()
        return texts(self.page.locator(".notice-error, #message.error, .wrap > .error, .wp-die-message"))

    def _said_in_card(self) -> list[str]:
        return texts(self.plugin_card.locator(".notice-error, .update-message.notice-error"))

    def _wait_unless_refused(
        self, wanted: Locator, before: list[str], what: str, timeout: float, *, unless_at: str = ""
    ) -> bool:
        """Wait for what comes after a press, unless WordPress asks for FTP credentials or shows a new error first.

        Args:
            wanted: What is to come.
            before: The errors that were there before.
            what: What is being done, for the message.
            timeout: Seconds.
            unless_at: The address before; another page without what is wanted ends the waiting too.

        Returns:
            Whether it ended at such another page.
        """
        credentials = self.page.locator("#request-filesystem-credentials-dialog, #request-filesystem-credentials-form")

        def look() -> bool | None:
            if credentials.filter(visible=True).count():
                raise Stuck(
                    "WordPress asks for FTP credentials: it may not write its plugins folder. "
                    "Install the plugin by hand, and resume"
                )
            said = [error for error in self._errors() if error not in before]
            in_card = [error for error in self._said_in_card() if error in said]
            if wanted.filter(visible=True).count() and not in_card:
                return False
            if said:
                because = f'WordPress could not {what} the plugin: "{said[0].rstrip(".")}"'
                sentence = f"{because}. Find out why in wp-admin and in PHP's log, {what} it by hand, and resume"
                raise _Refused(sentence, said=because)
            if unless_at and self.page.url != unless_at:
                loaded = self.page.evaluate("() => document.readyState === 'complete'")
                return True if loaded else None
            return None

        elsewhere = until(self.page, look, timeout=timeout)
        if elsewhere is None:
            raise Stuck(
                f"{wanted.description} did not appear within {timeout:.0f} seconds", looked_for=wanted.description or ""
            )
        return elsewhere

    def _offers(self, *classes: str) -> bool:
        """Whether the plugin's button is one of these: by its class, or by its id on older pages about a plugin."""
        of_button = (self.plugin_button.get_attribute(name) or "" for name in ("class", "id"))
        offered = " ".join(of_button).split()
        return any(one in offered for one in classes)

    # -- step 8: the plugin's form --------------------------------------------------------------------------------

    def open_plugin_page(self) -> None:
        """Go to the plugin's page, unless the redirect after the activation has led there.

        Raises:
            Stuck: The page is not there, or has no form for a migration.
        """
        if self.migration_form.locator.is_visible():
            return
        refused = None
        try:
            self.visit(PAGE)
            if "page=pantheon" not in self.page.url:
                self.visit(PAGE)  # another plugin has led the browser to its own page, which happens once
        except Stuck as stuck:
            refused = stuck
        if refused or not self._has_form():
            # Its menu entry leads there too, should the address be another one in its version.
            self.visit("index.php")
            entry = self.page.locator("#adminmenu a").filter(has_text=MENU).first
            address = entry.get_attribute("href") if entry.count() else None
            if address is None and refused:
                raise refused
            if address:
                self.visit(address)
            if not self._has_form():
                raise Stuck(
                    "the plugin's page has no form for a migration", looked_for="the form with the machine token"
                )

    def _has_form(self) -> bool:
        return bool(
            until(
                self.page,
                lambda: self.migration_form.locator.is_visible() or None,
                timeout=self._administrator.page_timeout,
            )
        )

    @property
    def migration_form(self) -> MigrationForm:
        """The form on the plugin's page."""
        self.check_address()
        return MigrationForm(self.page, self._administrator)


class _Refused(Stuck):
    """WordPress says of what was pressed that it has failed.

    Args:
        sentence: What to tell a person.
        said: What WordPress says alone.
    """

    def __init__(self, sentence: str, *, said: str) -> None:
        super().__init__(sentence)
        self.said = said


def _search_for(words: str) -> str:
    """The directory's results of a search, below wp-admin/."""
    return f"plugin-install.php?s={quote_plus(words)}&tab=search&type=term"
