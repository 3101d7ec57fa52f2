"""The Pantheon dashboard, known by the guide's bold words only: its markup is unknown and changes."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field as field_of
from typing import TYPE_CHECKING

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from flows.wordpress_migration.pages.lists import Rest, parts
from flows.wordpress_migration.pages.loading import FIRST_SERVER_ERROR, host_and_port, leads_to, load
from flows.wordpress_migration.pages.menus import AROUND, MENUS
from flows.wordpress_migration.pages.sign_in import SignIn
from flows.wordpress_migration.pages.sites import entry_of_site, link_over, opener_beside, search_field, sites_link
from flows.wordpress_migration.pages.token_page import SHOWS_TOKEN, TokenPage, without_token
from flows.wordpress_migration.pages.workspaces import LABEL, Workspaces
from flows.wordpress_migration.settings import slug
from runner.controls import (
    LATE,
    NeedsPerson,
    StartAgain,
    Stuck,
    Undone,
    alerts,
    any_of,
    can_be_pressed,
    capture_copies,
    choice,
    choose,
    close_alert_over,
    control,
    controls,
    dismiss_interruptions,
    field,
    fields,
    first_visible,
    lines,
    new_lines,
    offered,
    on_page,
    panel,
    plain_url,
    refuses,
    status_of,
    until,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from playwright.sync_api import ElementHandle, Locator, Page, Request, Response

    from flows.wordpress_migration.settings import MigrationSettings
    from runner.controls import OneTimeCodes

CONTINUE = 'the control "Continue"'
"""What a failure calls it, wherever it was looked for."""

GUIDE_CONTROLS = (
    "Migrate Existing Site", "Continue", "Create Site", "Generate Machine Token", "Confirm migration progress",
    "Confirm", "Copy", "Copy machine token", "Copy to clipboard", "Personal Settings", "Machine Tokens",
    "Revoke Token", "WordPress",
)  # fmt: skip
"""Controls that the work needs in all editions: a dialogue that holds one of them is not an interruption."""

CMS = re.compile(r"\bcms\b|\bplatform|\bbuilt\b|content management", re.IGNORECASE)
"""Words beside a closed list of CMSs."""

NO_WEBSITE = re.compile(
    r"e-?mail|search|filter|newsletter|user ?name|password|coupon|code\b|chat|message|comment|feedback|survey",
    re.IGNORECASE,
)
"""Words of a text box that does not ask for a website's URL."""

_NOT_OVER = re.compile(
    r"^(?!.*(\?|\b(if|when|once|after|until|unless)\b))"
    r"\W*((the |this |your )?(site |wordpress )?(migration|import)\b[^.:;]{0,40}\b"
    r"(not (yet )?(been )?(complete|finished|done)|in progress|under ?way|failed|unsuccessful)"
    r"|.*\bstill (being )?(migrating|migrated|importing|imported)\b"
    r"|.*\b(could not|could ?n.t|failed to) (migrate|import)\b)",
    re.IGNORECASE,
)
"""What a page says that is shown in the place of the site's dashboard, and names the site: not complete, or failed."""

GENERATE = "Generate Machine Token"
"""The guide's words for what has a token made (step 4)."""

SLICE = 1.0
"""Seconds between two looks for a refusal while something is waited for."""

AFTER_SIGN_IN = 5.0
"""Seconds in which a page goes on by itself after the password was given again; then the control is pressed again."""

CONFIRM_AGAIN = 15.0
"""Seconds between two tries to confirm while the dashboard says that the migration is not complete yet."""

CONFIRM_AT_MOST = 40
"""Tries: the dashboard may learn of the completion some minutes after the service."""

_PLAINLY_NO = re.compile(
    r"\b(taken|in use|already exists|characters?|letters?|digits?|invalid|not (valid|allowed|permitted|available)|"
    r"required|choose|must|limit|permission)\b",
    re.IGNORECASE,
)
"""Words by which a page refuses what was entered, so that certainly nothing came of it; an error may have come late."""

_WORKING = re.compile(
    r"^\W*(working|creating|generating|preparing|setting up|processing|loading|saving|checking)\b|\bplease wait\b",
    re.IGNORECASE,
)
"""What a page says of work that goes on."""

_NO_REFUSAL = re.compile(
    rf"\b(success(ful|fully)?|info(rmation)?|created|generated|saved|copied|done)\b|{_WORKING.pattern}", re.IGNORECASE
)
"""Words of an alert that tells of what was done, or of what is being done: design systems say those aloud too."""

_WITHOUT_SCHEME = re.compile(
    r"\b(without|omit|exclude|remove|leave (out|off)|(don.t|do not|not) (include|enter))\b"
    r"(\W+(the|any|a|leading|url|including))*\W+(https?://|scheme|protocol)",
    re.IGNORECASE,
)
"""What a page says that wants an address without "https://"."""

_NOT_COMPLETE = re.compile(
    r"(not|n.t) (yet )?(been )?(complete|finished|done)|still|in progress|under ?way|(not\b|n.t\b).*yet", re.IGNORECASE
)


@dataclass(frozen=True)
class Words:
    """Names of controls in which the editions of the guide differ.

    Attributes:
        opens_wp_admin: What opens the existing site's wp-admin in a new tab.
        goes_on: What is pressed when the machine token has been made; empty where its page has all that follows.
    """

    opens_wp_admin: str
    goes_on: str = ""


@dataclass
class Pressed:
    """A control that was pressed, and the lines of the page before: while it is there, a new line may be a refusal.

    Attributes:
        control: The control.
        before: The page's lines before.
        heard: Those that were new at some time since, and may have gone, as a toast goes.
        idle_since: From when on nothing tells of work that goes on, as `time.monotonic` says it.
    """

    control: Locator
    before: Sequence[str]
    heard: dict[str, None] = field_of(default_factory=dict)
    idle_since: float = field_of(default_factory=time.monotonic)


@dataclass(frozen=True)
class Trouble:
    """A request to the dashboard that came to nothing.

    Attributes:
        method: Its method.
        url: Its address.
        what: What became of it.
        beside: It may be one that the work does not depend on: an answer to what a script has asked in the background.
        since: When, as `time.monotonic` says it.
    """

    method: str
    url: str
    what: str
    beside: bool = False
    since: float = field_of(default_factory=time.monotonic)


class Dashboard:
    """The Pantheon tab.

    Args:
        page: The tab.
        account: Whose dashboard it is.
        words: Those of the edition that it shows; of all editions that it may show, as long as that is not known.
        say: Told what the dashboard is waited for.
        codes: The account's one-time codes, if their secret is set.
        note_interruption: Told what lay over the page and was closed.

    Attributes:
        home: Address of the workspace's page, once a site was looked for in it.
    """

    def __init__(
        self,
        page: Page,
        account: MigrationSettings,
        *,
        words: Sequence[Words],
        say: Callable[[str], None],
        codes: OneTimeCodes | None = None,
        note_interruption: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.page = page
        self.words = words
        self._account = account
        self._say = say
        self._codes = codes
        self.sign_in = SignIn(page, account, say=say, codes=codes)
        self._sign_in_windows: list[SignIn] = []
        self.token_page = TokenPage(page, account.site_name)
        self._workspaces = Workspaces(self, say)
        self._site_page: str | None = None
        self._is_where_it_began = True
        self.home = ""
        self._error: Trouble | None = None
        self.rest = Rest(page)
        page.on("response", self._note_error)
        page.on("requestfailed", self._note_dropped)
        capture_copies(page)
        dismiss_interruptions(
            page,
            note_interruption,
            never=[*GUIDE_CONTROLS, *filter(None, (name for one in words for name in vars(one).values()))],
            keep=SHOWS_TOKEN,
        )

    # -- the guide's words ----------------------------------------------------------------------------------------

    @property
    def migrate_existing_site(self) -> Locator:
        """**Migrate Existing Site**, at the lower right of the workspace's page."""
        return control(self.page, "Migrate Existing Site")

    @property
    def continue_(self) -> Locator:
        """**Continue**, in the form with the website's URL (a site in the navigation may have that name)."""
        return within(controls(self.page, "Continue"), self._panel("Continue")).first.describe(CONTINUE)

    @property
    def create_site(self) -> Locator:
        """**Create Site** of the wizard; a menu may have another one."""
        return control(self.page, "Create Site", outside=MENUS)

    @property
    def generate_machine_token(self) -> Locator:
        """**Generate Machine Token**."""
        return control(self.page, GENERATE)

    @property
    def to_wp_admin(self) -> Locator:
        """What opens wp-admin in a new tab: **Install on /wp-admin**, **Go to wp-admin**."""
        return control(self.page, *(one.opens_wp_admin for one in self.words))

    @property
    def goes_on(self) -> Locator:
        """What is pressed when the machine token has been made, as soon as it can be; see `Words.goes_on`."""
        return self._as_soon_as_it_can_be(*self._names_that_go_on)

    def _as_soon_as_it_can_be(self, *names: str) -> Locator:
        """The control of one of these names that can be pressed: a page may show all along what it has for later."""
        pressable = self.page.locator(":not([disabled], [aria-disabled=true], fieldset[disabled] *)")
        return controls(self.page, *names).and_(pressable).first.describe(f'the control "{names[0]}"')

    @property
    def _names_that_go_on(self) -> list[str]:
        return [one.goes_on for one in self.words if one.goes_on]

    @property
    def confirm_migration_progress(self) -> Locator:
        """**Confirm migration progress**; the dashboard itself writes it with capitals."""
        return control(self.page, "Confirm migration progress")

    @property
    def website_url(self) -> Locator:
        """The field for the current website's URL."""
        return field(
            self._panel("Continue").get_by_role("textbox"),
            "current website URL",
            r"\burl\b",
            "website|address|domain",
        )

    @property
    def site_name(self) -> Locator:
        """The field for the name of the new site."""
        return field(
            self._panel("Create Site", outside=MENUS).get_by_role("textbox"),
            "name of the new site",
            r"\bname\b",
            r"\bcall(ed)?\b",
        )

    def _panel(self, pressed: str, outside: str = "") -> Locator:
        """The form that ends with the control of this name."""
        # Behind a dialogue it is the form too: what the dialogue has is not taken for its control.
        ends = controls(self.page, pressed, outside=outside, inert=True)
        return panel(self.page, self.page.get_by_role("textbox"), ends)

    # -- how the wizard begins -------------------------------------------------------------------------------------

    @property
    def _work(self) -> Locator:
        """The page once it no longer offers to migrate a site, or a dialogue over it."""
        # A breadcrumb, or the navigation, may go on to have the words.
        elsewhere = ":is(nav, [role=navigation]) *, [aria-current]"
        offers = controls(self.page, "Migrate Existing Site").and_(self.page.locator(f":not({elsewhere})"))
        page = self.page.locator("body").filter(has_not=offers)
        return page.or_(self.page.locator("dialog, [role=dialog]").filter(visible=True))

    def _in_work(self, wanted: Locator) -> Locator:
        return wanted.and_(self.page.locator(f":not({AROUND})")).filter(visible=True)

    @property
    def cms(self) -> Locator:
        """What **WordPress** is offered by in the wizard, among what may have that name on the page."""
        return self._in_work(offered(self._work, "WordPress")).first.describe('the choice "WordPress"')

    @property
    def _cms_list(self) -> Locator | None:
        """A closed list of CMSs."""
        lists = self._in_work(self._work.get_by_role("combobox").or_(self._work.locator("[aria-haspopup=listbox]")))
        said = ((one, " ".join([*one.bound, *one.near[:1]])) for one in fields(lists))
        return next((one.locator for one, words in said if CMS.search(words)), None)

    @property
    def _cms_list_by_name(self) -> Locator:
        """The same where its words are its name."""
        page = self.page
        opens = page.get_by_role("button", name=CMS).and_(page.locator("[aria-haspopup=listbox]"))
        lists = within(page.get_by_role("combobox", name=CMS).or_(opens), self._work)
        return self._in_work(lists).first.describe("the choice of the CMS")

    @property
    def asks_for_cms(self) -> bool:
        """Whether the wizard has a choice of the existing site's CMS."""
        return self.cms.is_visible() or self._cms_list is not None

    @property
    def asks_for_website(self) -> bool:
        """Whether the wizard has a field that can be filled in with the website's URL."""
        of_that_kind = ":not([readonly], [disabled], [aria-disabled=true], [type=email], [type=search], textarea)"
        boxes = self._in_work(self._work.get_by_role("textbox")).and_(self.page.locator(f"input{of_that_kind}"))
        said = ((one, one.bound or [words for words in one.near[:1] if len(words) < LABEL]) for one in fields(boxes))
        return any(
            not NO_WEBSITE.search(" ".join([*words, *one.hints])) and on_page(one.locator) for one, words in said
        )

    def asks_for_cms_alone(self) -> bool:
        """Whether the wizard has a choice of the CMS and no field for the URL, and has come to rest so."""
        if not self.asks_for_cms or self.asks_for_website or not self.rest.reached():
            return False
        # What belongs on the same view may be put there by a script of its own.
        beside = until(self.page, lambda: self.asks_for_website or None, timeout=LATE)
        return self.asks_for_cms and not beside

    # -- steps 1 to 3 ---------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Open the dashboard, signing in if it asks for that, and wait for the workspace's page."""
        self._site_page = None
        self._load(self._account.dashboard_url)
        if self._account.workspace is None:
            self.reach(self.migrate_existing_site)
            return
        # The dashboard may begin with a list of workspaces. On a workspace's page such a link may merely come first.
        entry = self._workspaces.entry(self._account.workspace)
        if self.reach(self.migrate_existing_site, entry) is entry and not self._offers_to_migrate():
            self._say(f'opening the workspace "{self._account.workspace}"')
            entry.click()
            self.reach(self.migrate_existing_site)

    def _offers_to_migrate(self) -> bool:
        patience = self._account.page_timeout / 3
        return bool(until(self.page, lambda: self.migrate_existing_site.is_visible() or None, timeout=patience))

    def open_workspace(self, name: str) -> None:
        """Go to this workspace if the dashboard shows another one and offers a way to switch.

        Where it offers none the workspace is still chosen in step 3, which stops if it cannot be.
        """
        self._workspaces.open(name)

    def return_to_workspace(self, address: str) -> None:
        """Go back to the workspace's page with this address, where the dashboard has opened with another one.

        What a dashboard opens with may be the workspace that somebody has looked at last, in any browser.
        """

        def is_there() -> bool | None:
            return self.page.url.rstrip("/") == address.rstrip("/") or None

        def has_led_there() -> bool | None:
            return leads_to(address, self.page.url) or None

        self._is_where_it_began = bool(until(self.page, is_there, timeout=LATE))
        if not self._is_where_it_began:
            self._say("going back to the workspace in which this run began")
            self._load(address)
            self._is_where_it_began = self._offers_to_migrate() and bool(until(self.page, has_led_there, timeout=LATE))
            if not self._is_where_it_began:
                self.open()

    @property
    def is_in_workspace(self) -> bool:
        """Whether the dashboard is known to show the workspace that is set, or the one in which the run began."""
        return self._workspaces.is_current or (self._account.workspace is None and self._is_where_it_began)

    def _press(self, wanted: Locator, *, no_wait_after: bool = False) -> Pressed:
        """Press a control, over which an alert may lie that has been read.

        Raises:
            Stuck: It stays disabled; of a page that says why not, Undone.
        """
        close_alert_over(wanted)
        disabled = wanted.and_(self.page.locator(":disabled, [aria-disabled=true]"))
        if disabled.count():
            focused = self.page.locator(":focus")
            if focused.count():
                focused.last.blur()  # some forms look at a field when it is left
            if not until(self.page, lambda: not disabled.count() or None):
                said = [line for line in lines(self.page) if refuses(line, plainly=True)]
                if said:
                    raise Undone(f'the dashboard says "{without_token(said[0])}"', place=wanted)
                raise Stuck(f"{wanted.description} stays disabled", place=wanted)
        pressed = Pressed(wanted, lines(self.page))
        wanted.click(no_wait_after=no_wait_after)
        return pressed

    def press_continue(self) -> None:
        """Press **Continue** and wait for the form of step 3.

        Raises:
            Stuck: The dashboard refused what was entered.
        """
        try:
            self.reach(self.create_site, pressed=self._press(self.continue_))
        except Stuck:
            if not self._leave_out_scheme():
                raise
            self.reach(self.create_site, pressed=self._press(self.continue_))

    def enter_website_url(self, url: str) -> None:
        """Enter the current website's URL, without its scheme where the page says so."""
        self.website_url.fill(url)
        self._leave_out_scheme()

    def _leave_out_scheme(self) -> bool:
        """Enter the URL without its scheme if the page asks for that; returns whether it was entered anew."""
        if not any(map(_WITHOUT_SCHEME.search, lines(self.page))):
            return False
        before, scheme, rest = self.website_url.input_value().partition("://")
        if scheme:
            self._say(f'the dashboard wants the address without "{before}://"')
            self.website_url.fill(rest)
        return bool(scheme)

    def begin_to_migrate(self) -> None:
        """Press **Migrate Existing Site** and wait for the wizard."""
        self._press(self.migrate_existing_site)
        self.reach(self.continue_, self.cms, self._cms_list_by_name)

    def choose_cms(self, words: str) -> Locator:
        """Select the existing site's CMS, offered as radios, tiles or a list; returns what was pressed."""
        return choose(self._panel("Continue"), words)

    @property
    def _cms_view(self) -> Locator:
        """The view that asks for the CMS alone: the part with all that are offered, else all of the work."""
        page = self.page
        beside = panel(page, page.get_by_text(re.compile(r"^\s*Drupal\b")), page.get_by_text("WordPress"))
        if beside.count():
            return beside
        closed = self._cms_list_by_name
        return panel(page, closed) if closed.count() else self._work

    def cms_to_choose(self, words: str) -> Locator:
        """What is to be pressed for a CMS on a view that asks for that alone."""
        return choice(self._cms_view, words)

    def choose_cms_first(self, words: str) -> None:
        """Select the existing site's CMS on a view that asks for that alone, and go on to the view for the URL.

        The page may go on by itself, or have a **Continue** on this view too.

        Raises:
            Stuck: No view asks for the URL then.
            StartAgain: The session had ended.
        """
        going_on = self._in_work(within(controls(self.page, "Continue"), self._work)).first.describe(CONTINUE)
        waits_to_go_on = going_on.is_visible()
        choose(self._cms_view, words, leads_on=True)
        until(self.page, lambda: waits_to_go_on or self._after_cms() or going_on.is_visible() or None)
        # A view that comes by itself may bring its own Continue before its field.
        come = None if waits_to_go_on else until(self.page, self._after_cms, timeout=LATE)
        if come is None and going_on.is_visible():
            going_on.click()
        come = until(self.page, self._after_cms)
        if come == "sign-in":
            self.reach(self.migrate_existing_site, self.cms)
            raise StartAgain("the session had ended; the new one begins at the workspace's page", step=1)
        if come is None:
            raise Stuck(
                f"no page asks for the website's URL after {words} was selected", looked_for="current website URL"
            )

    def _after_cms(self) -> str | None:
        """What has come after the CMS was selected: `website`, or `sign-in` where the session had ended."""
        if self.sign_in.is_elsewhere() or self.sign_in.password_field():
            return "sign-in"
        if self.asks_for_website:
            return "website"
        return "sign-in" if not self.asks_for_cms and self.sign_in.is_asked_for() else None

    def choose_workspace(self, name: str) -> None:
        """Select the new site's workspace in the form with **Create Site**.

        Raises:
            Stuck: It is not offered (Undone), or no choice is offered and the dashboard is not in that workspace.
        """
        self._workspaces.choose(name, self._panel("Create Site", outside=MENUS))

    def press_create_site(self, asked: Callable[[Locator], None] = lambda _: None) -> None:
        """Press **Create Site** and wait until the site stands.

        Args:
            asked: Told what is to be pressed where a popup asks to confirm the workspace, before it is pressed.

        Raises:
            Stuck: The dashboard refused, such as for a name that is taken.
        """
        # A sign-in may be sent by the same word.
        asks_no_password = self.page.locator("body").filter(has_not=self.sign_in.password_fields.filter(visible=True))
        confirm = control(asks_no_password, "Confirm")
        if confirm.is_visible():
            over = self.page.get_by_role("dialog").or_(self.page.get_by_role("alertdialog"))
            confirm = control(over, "Confirm")  # the page has another one
            if confirm.is_visible() and not can_be_pressed(self.create_site):
                # It has come as soon as the workspace was selected.
                asked(confirm)
                confirm.click()
                until(self.page, lambda: can_be_pressed(self.create_site) or None)
        created = self._as_soon_as_it_can_be(GENERATE)
        creation = self._account.creation_timeout
        pressed = self._press(self.create_site, no_wait_after=True)  # creating it takes longer than a page may take
        if self.reach(created, confirm, pressed=pressed, timeout=creation) is confirm:
            asked(confirm)
            confirm.click()
            pressed.idle_since = time.monotonic()
            self.reach(created, pressed=pressed, timeout=creation)
        self._site_page = self.page.url

    def open_site_page(self, address: str) -> None:
        """Open the page that the site's creation has led to, where the work goes on in a browser just opened."""
        self._site_page = address
        self._load(address)

    # -- a site that stands already -------------------------------------------------------------------------------

    def has_site(self, name: str) -> bool:
        """Whether a site of this name stands in the workspace that is open.

        Args:
            name: The whole name, as it was typed or as the dashboard made it.
        """
        return self._find_site(name) is not None

    def open_site(self, name: str) -> None:
        """Open the page of a site that stands in the workspace: its dashboard, or the migration that goes on there.

        Args:
            name: The whole name, as it was typed or as the dashboard made it.

        Raises:
            Stuck: The workspace has no such site, or its page does not come.
        """
        entry = self._find_site(name)
        if entry is None:
            raise Stuck(f'the workspace has no site "{name}". Look for it in the other workspaces', looked_for=name)
        listed = self.page.url

        def went() -> bool | None:
            return self.page.url != listed or not entry.is_visible() or None

        (link_over(entry) or entry).click()
        if not until(self.page, went, timeout=LATE):
            # The name may be words only, in a row or card that has a button to open it.
            opens = opener_beside(entry)
            if opens is not None:
                opens.click()
            if not until(self.page, went):
                raise Stuck(f'nothing came of pressing the site "{name}"', looked_for=name)
        self.rest.reached()
        migrating = (self.generate_machine_token, self.to_wp_admin, self.confirm_migration_progress)
        self.reach(*self._names_of(name), *self._names_of(slug(name)), *migrating)
        self._site_page = self.page.url

    def _find_site(self, name: str) -> ElementHandle | None:
        """The site's entry on the workspace's page, else on the page behind **Sites**, wherever in its list."""
        names = (name, slug(name))

        def look() -> ElementHandle | None:
            return entry_of_site(self.page, names, workspace=self._account.workspace)

        self.rest.reached()
        self.home = self.page.url
        sites = sites_link(self.page)
        if (entry := look()) or sites is None:
            return entry
        sites.click()
        self.rest.reached()
        shown = 0
        for _ in parts(self.page, self.rest):
            shown += 1
            if entry := look():
                return entry
        return self._search_site(names, look) if shown > 1 else None

    def _search_site(self, names: Sequence[str], look: Callable[[], ElementHandle | None]) -> ElementHandle | None:
        """Search a list that has more than one part, some of which may not have been shown."""
        box = search_field(self.page)
        # Without its last letter: what a page repeats of a search must not be taken for the site.
        for words in (*(name[:-1] for name in names), ""):
            if not box.is_visible():
                break
            box.fill(words)
            box.press("Enter")
            self.rest.reached()
            if entry := look():
                return entry
        return None

    # -- steps 4 and 5 --------------------------------------------------------------------------------------------

    def press_generate_machine_token(self) -> None:
        """Press **Generate Machine Token**, re-authenticate if prompted, and wait for the token's page, or a dialogue.

        Raises:
            Stuck: The dashboard refused.
        """
        generate = self.generate_machine_token
        made = self._as_soon_as_it_can_be(*(self._names_that_go_on or (one.opens_wp_admin for one in self.words)))
        close_alert_over(generate)
        self.token_page.before = before = lines(self.page)
        # One that was open before, such as help, or the wizard's own, shows no token for that.
        dialogue = self.token_page.dialogue.filter(has_not=generate)
        shown = [] if dialogue.is_visible() else [dialogue]
        with self._signing_in_in_windows():
            generate.click()
            while self.reach(made, *shown, again=generate, pressed=Pressed(generate, before)) is generate:
                # The password was given, and the page is back where it was: it waits to be pressed once more.
                generate.click()

    @contextmanager
    def _signing_in_in_windows(self) -> Iterator[None]:
        """Meanwhile the dashboard may ask for the password in a window that it opens, and closes when it has that."""

        def opened(window: Page) -> None:
            self._sign_in_windows.append(SignIn(window, self._account, say=self._say, codes=self._codes))

        self.page.on("popup", opened)
        try:
            yield
        finally:
            self.page.remove_listener("popup", opened)
            self._sign_in_windows.clear()

    def _give_in_a_window(self) -> bool:
        """Whether something was given in a window that asks to sign in."""
        for sign_in in self._sign_in_windows:
            try:
                if not sign_in.page.is_closed() and sign_in.give_what_is_asked(on_the_way=True):
                    return True
            except PlaywrightError:
                if not sign_in.page.is_closed():
                    raise
                return True  # it closes as soon as it has what it asked for
        return False

    def leave_token_dialogue(self) -> None:
        """Close the dialogue that shows the machine token, if there is one that does not go on to wp-admin itself."""
        over = self.token_page.dialogue
        # The page that goes on may have been left already.
        made = [*([self.goes_on] if self._names_that_go_on else []), self.to_wp_admin]
        if over.is_visible() and not any(over.filter(has=one).count() for one in made):
            self.token_page.leave_dialogue()
            self.reach(*made)

    def go_on_with_token(self) -> None:
        """Press **Continue to Migration** where the edition has it, and wait for the way to wp-admin."""
        if self._names_that_go_on:
            self.reach(self.to_wp_admin, pressed=self._press(self.goes_on))

    def press_to_wp_admin(self) -> Page:
        """Press what opens wp-admin and return the tab that it opens.

        Raises:
            Stuck: No tab has come.
        """
        to_wp_admin = self.to_wp_admin
        close_alert_over(to_wp_admin)
        try:
            with self.page.context.expect_page() as opened:
                to_wp_admin.click()
        except PlaywrightTimeout as error:
            if 'event "page"' not in error.message:
                raise  # it could not be pressed
            # A tab is one as soon as its address has answered.
            raise Stuck(
                f"no new tab with wp-admin has come of pressing {to_wp_admin.description}. Check whether "
                f"{plain_url(self._account.source_url)}/wp-admin/ opens in a browser on this machine",
                looked_for="wp-admin in a new tab",
            ) from None
        return opened.value

    def offers_to_confirm(self, site_name: str) -> bool:
        """Whether the site's page offers to confirm, or is over that already.

        Where it offers only to have a machine token made, the control to confirm comes with the token.
        """
        confirm = self.confirm_migration_progress
        found = self.reach(confirm, *self._names_of(site_name), self.generate_machine_token)
        if found is confirm and self.rest.lasts:
            return True
        self.rest.reached()  # its head may name the site before what is to be pressed has come

        def look() -> bool | None:
            return (self.confirm_migration_progress.is_visible() or self._shows_site(site_name)) or None

        return bool(until(self.page, look, timeout=LATE))

    # -- step 9 ---------------------------------------------------------------------------------------------------

    def press_confirm_migration_progress(self, site_page: str, site_name: str) -> None:
        """Press **Confirm migration progress**, again while the dashboard says that it is not complete yet.

        Args:
            site_page: Address of the page that has the control, should a new sign-in lead elsewhere.
            site_name: The new site's name, which its dashboard shows.

        Raises:
            Stuck: The dashboard refused, or never learned of the completion.
        """
        self._site_page = site_page
        for _ in range(CONFIRM_AT_MOST):
            if until(self.page, lambda: self._is_over(site_name)):
                return
            self.reach(self.confirm_migration_progress)
            before = self._press(self.confirm_migration_progress, no_wait_after=True).before
            said = until(self.page, lambda before=before: self._answer(before, site_name), timeout=CONFIRM_AGAIN)  # type: ignore[misc]
            if said == "":
                return
            if said and not _NOT_COMPLETE.search(said):
                raise Stuck(f'the dashboard did not confirm: "{said}"', looked_for="Confirm migration progress")
            self._say(f'the dashboard says "{said}"; confirming again' if said else "no answer yet; confirming again")
            if until(self.page, lambda: self._shows_site(site_name) or None, timeout=CONFIRM_AGAIN):
                return
        raise Stuck(
            f"the dashboard still does not confirm after {CONFIRM_AT_MOST} tries",
            looked_for="the site's dashboard",
        )

    def _answer(self, before: Sequence[str], site_name: str) -> str | None:
        """Nothing when the site's dashboard has appeared; what the dashboard says when it refuses; None so far."""
        if self._shows_site(site_name):
            return ""
        if self.sign_in.is_asked_for():
            return "still to be signed in to"
        said = new_lines(self.page, before)
        if not self._in_wizard():
            return next(filter(_NOT_OVER.search, said), None)  # on the way to another page, or at one that says why not
        return next((line for line in said if _NOT_COMPLETE.search(line) or refuses(line)), None)

    def _is_over(self, site_name: str) -> bool | None:
        """Whether the site's dashboard has appeared; None while the page shows neither that nor what to press."""
        if self._shows_site(site_name):
            return True
        return False if self.confirm_migration_progress.is_visible() or self.sign_in.is_asked_for() else None

    def _in_wizard(self) -> bool:
        """Whether the page is still the wizard's; while it confirms, its button may have another name."""
        wizards = (self.confirm_migration_progress, self.to_wp_admin, self.generate_machine_token)
        return any_of(wizards).filter(visible=True).count() > 0

    def _shows_site(self, site_name: str) -> bool:
        """Whether the page is the site's dashboard: neither one of which only the head has come, nor the wizard's."""
        if not self._names_site(site_name):
            return False
        self.rest.reached()
        return self._names_site(site_name)

    def _names_site(self, site_name: str) -> bool:
        named_there = any_of(self._names_of(site_name)).count() > 0
        return named_there and not self._in_wizard() and not any(map(_NOT_OVER.search, lines(self.page)))

    def _names_of(self, site_name: str) -> list[Locator]:
        """Where the page names the site, as the dashboard named it or as it was typed."""
        return [
            self.page.get_by_text(re.compile(rf"\b{re.escape(name)}\b", re.IGNORECASE))
            .filter(visible=True)
            .describe(f"the dashboard of {site_name}")
            for name in (site_name, self._account.site_name)
        ]

    def check_site_dashboard(self, site_name: str) -> None:
        """Check that this site's dashboard has appeared.

        Raises:
            Stuck: The page does not name the site, or is still the wizard's.
        """
        self.reach(*self._names_of(site_name))
        if self._in_wizard():
            raise Stuck("the site's dashboard did not appear", looked_for=f"the dashboard of {site_name}")

    # -- waiting, signing in, refusals ----------------------------------------------------------------------------

    def reach(
        self,
        *wanted: Locator,
        pressed: Pressed | None = None,
        again: Locator | None = None,
        timeout: float | None = None,
    ) -> Locator:
        """Wait until one of these is there; sign in (again) when the dashboard asks for it on the way.

        Args:
            wanted: What is waited for.
            pressed: What was pressed to get there; a refusal that appears beside it ends the waiting.
            again: What counts too when it is still there some time after a password was given on the way.
            timeout: Seconds; None for PAGE_TIMEOUT.

        Returns:
            The one that came.

        Raises:
            Stuck: None came, or the dashboard refused (Undone).
            StartAgain: A new sign-in lost what was entered, and nothing has been created yet.
        """
        timeout = timeout or self._account.page_timeout
        # What tells of it at the edge of the window may come under the pointer, and stays for as long as that is there.
        self.page.mouse.move(-1, -1)
        deadline = time.monotonic() + timeout
        signed_in = None
        said = wanted[0].description or "the page"
        while True:
            left = deadline - time.monotonic()
            found = self._come(wanted, min(SLICE, max(left, 0.001)))
            if found in wanted:
                self._error = None
                self.sign_in.passed()
                return found
            if left <= 0:
                raise self._not_reached(said, timeout, pressed, on_the_way=signed_in is not None)
            if self._give_in_a_window() or self.sign_in.give_what_is_asked(on_the_way=signed_in is not None):
                signed_in = time.monotonic()
                deadline = max(deadline, signed_in + timeout)
                continue
            if found:
                # A password field that asks for nothing, such as one for password managers: wait without it.
                until(self.page, lambda: any(one.is_visible() for one in wanted) or None, timeout=SLICE)
            if signed_in:
                self.sign_in.leave_offer()
            self._load_again_after_error(said, pressed)
            if pressed and not signed_in:
                self._check_refusal(pressed)
            if signed_in and time.monotonic() - signed_in > AFTER_SIGN_IN:
                if again and again.is_visible() and again.is_enabled():
                    self.sign_in.passed()
                    return again
                self._go_back_after_sign_in()

    def _come(self, wanted: Sequence[Locator], seconds: float) -> Locator | None:
        """The one that is there within so many seconds, however busy the machine is; or else a password field."""
        try:
            return first_visible(*wanted, self.sign_in.password_fields, timeout=seconds)
        except Stuck:
            # It may have come just then: what it asks for beside that is no sign-in.
            return next((one for one in wanted if one.is_visible()), None)

    def _not_reached(self, said: str, timeout: float, pressed: Pressed | None, *, on_the_way: bool) -> Stuck:
        """Why the waiting has ended without what was waited for; raised at once where it may have come all the same."""
        if self._error and self._error.method != "GET":
            self._load_again_after_error(said, None)
        if on_the_way and self.sign_in.is_elsewhere():
            asks = "; ".join(lines(self.page)[:3])
            return NeedsPerson(
                f'the sign-in asks for something more ("{asks}"): a person has to sign in', looked_for=said
            )
        status = status_of(self.page)
        if status >= FIRST_SERVER_ERROR and not self.sign_in.is_elsewhere():
            return Stuck(
                f"the dashboard went on to answer {status} for {timeout:.0f} seconds: go on when it answers again",
                looked_for="the dashboard",
            )
        there = (new_lines(self.page, pressed.before) or [*pressed.heard]) if pressed else lines(self.page)
        telling = [line for line in there if refuses(line)] or (there[:3] if pressed else [])
        because = f"; the page says: {', '.join(map(without_token, telling))}" if telling else ""
        place = pressed.control if pressed else None
        return Stuck(f"{said} did not appear within {timeout:.0f} seconds{because}", looked_for=said, place=place)

    def _may_be_beside(self, pressed: Pressed) -> bool:
        """Whether a server's error may have nothing to do with what was pressed: the page says nothing of it so far."""
        error = self._error
        if error is None or not error.beside:
            return False
        if any(map(_WORKING.search, lines(self.page))):
            return True
        if time.monotonic() - error.since > self._account.page_timeout:
            return False
        return not any(map(refuses, new_lines(self.page, pressed.before)))

    def _check_refusal(self, pressed: Pressed) -> None:
        """Stop when the page says no beside what was pressed, or when it stays as it was.

        A refusal is known by its words. For one that is not, such as "Use fewer letters", what was pressed is watched:
        work that goes on (creating a site takes minutes) hides, covers or disables it, or is said to go on.
        """
        if not can_be_pressed(pressed.control):
            pressed.idle_since = time.monotonic()
            return
        said = new_lines(self.page, pressed.before)
        pressed.heard.update(dict.fromkeys(said))
        if any(map(_WORKING.search, said)):
            pressed.idle_since = time.monotonic()
        refused = [line for line in said if refuses(line)]
        # A line that introduces others, such as "1 error prohibited this from being saved:", says less than they do.
        refused = [line for line in refused if not line.endswith(":")] or refused
        # Where a request came to nothing, it is not known whether what it asked for was done: that is said first.
        over = self._error is None and time.monotonic() - pressed.idle_since > self._account.page_timeout
        aloud = [line for line in alerts(self.page) if line in said]
        if over and not refused and not any(map(_NO_REFUSAL.search, aloud)):
            refused = sorted(aloud, key=len, reverse=True)  # beside its words it may only say what kind it is of
        if refused and _PLAINLY_NO.search(refused[0]) and self._error is None:
            raise Undone(f'the dashboard says "{without_token(refused[0])}"', place=pressed.control)
        if refused:
            raise Stuck(f'the dashboard says "{without_token(refused[0])}"', place=pressed.control)
        if over:
            # A field may be looked at while it is filled.
            before = [line for line in pressed.before if refuses(line, plainly=True)]
            there = ", ".join(map(without_token, said or pressed.heard or before)) or "nothing new"
            raise Stuck(f"nothing came of pressing it; the page says: {there}", place=pressed.control)

    def _load_again_after_error(self, said: str, pressed: Pressed | None) -> None:
        """Do what a reader would do after a server's error, once; but repeat nothing that may have had an effect."""
        if self._error is None or (pressed and self._may_be_beside(pressed)):
            return
        trouble, self._error = self._error, None
        if trouble.method != "GET":
            raise Stuck(
                f"{trouble.what}, and {said} did not appear: it is not known whether that was done. Look there before "
                "you begin another run; this one can be resumed"
            )
        self._say(f"{trouble.what}; loading the page again")
        # Where a page did not open at all stands the browser's own about that, with an address of its own.
        there = self.page.url
        self._load(there if there.startswith("http") else trouble.url)

    def _load(self, url: str) -> None:
        """Load a page of the dashboard, see `loading.load`."""
        load(
            self.page,
            url,
            what="the dashboard",
            check=f"PANTHEON_DASHBOARD_URL {plain_url(self._account.dashboard_url)}",
            patience=self._account.page_timeout,
            say=self._say,
        )

    def _go_back_after_sign_in(self) -> None:
        """Go back to where the work was when the session ended."""
        if self.sign_in.is_elsewhere():
            return  # still on the way back from the identity provider
        if self._site_page is None:
            if self.migrate_existing_site.is_visible() or self.continue_.is_visible() or self.asks_for_cms:
                raise StartAgain("the session had ended; the new one begins at the workspace's page", step=1)
        elif self.page.url != self._site_page:
            self._load(self._site_page)

    def _is_work(self, request: Request) -> bool:
        """Whether the work may depend on what is asked for: it is the dashboard's, and no picture, font or style."""
        ours = host_and_port(request.url) == host_and_port(self._account.dashboard_url)
        return ours and request.resource_type in ("document", "script", "fetch", "xhr")

    def _note(self, trouble: Trouble) -> None:
        """Note what came to nothing; what may have had an effect all the same is not forgotten over what may not."""
        if self._error is None or self._error.method == "GET":
            self._error = trouble

    def _note_error(self, response: Response) -> None:
        request = response.request
        if response.status >= FIRST_SERVER_ERROR and self._is_work(request):
            what = f"the dashboard answered {response.status} to {request.method} {plain_url(request.url)}"
            beside = request.resource_type in ("fetch", "xhr")
            self._note(Trouble(request.method, request.url, what, beside=beside))

    def _note_dropped(self, request: Request) -> None:
        """Note what the page has asked for in vain; not what it gave up itself, such as on its way to another page."""
        if self._is_work(request) and not re.search("ABORTED|BINDING_ABORTED|Load cancelled", request.failure or ""):
            what = f"the connection to the dashboard dropped at {request.method} {plain_url(request.url)}"
            self._note(Trouble(request.method, request.url, what))
