"""The Pantheon dashboard, known by the guide's bold words only: its markup is unknown and changes."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from playwright.sync_api import TimeoutError as PlaywrightTimeout

from flows.wordpress_migration.pages.lists import Rest, parts
from flows.wordpress_migration.pages.loading import FIRST_SERVER_ERROR, go_to, load
from flows.wordpress_migration.pages.second_factor import SecondFactor, code_fields, what_to_do
from flows.wordpress_migration.pages.sites import entry_of_site, link_over, opener_beside, search_field, sites_link
from flows.wordpress_migration.settings import slug
from runner.controls import (
    CHOICES,
    LATE,
    NeedsPerson,
    Secret,
    StartAgain,
    Stuck,
    Undone,
    alerts,
    begins_with,
    can_be_pressed,
    capture_copies,
    choice,
    choose,
    choose_from,
    close_alert_over,
    control,
    copied_by,
    copy_buttons,
    dismiss_interruptions,
    field,
    fields,
    first_visible,
    lines,
    named,
    new_lines,
    offered,
    on_page,
    panel,
    plain_url,
    press_send,
    refuses,
    same_site,
    saying,
    says_more_than,
    shown_values,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from playwright.sync_api import ElementHandle, Locator, Page, Request, Response

    from flows.wordpress_migration.settings import MigrationSettings
    from runner.controls import OneTimeCodes

SIGN_IN_WORDS = (
    "Log in", "Login", "Sign in", "Continue", "Next", "Submit", "Verify", "Confirm", "Authenticate",
    "Re-authenticate", "Reauthenticate", "Confirm password", "Verify password",
    "Continue with email", "Sign in with email", "Log in with email",
)  # fmt: skip
"""Names of the control that sends a sign-in form; where it has another name, Enter is pressed in the field."""

GUIDE_CONTROLS = (
    "Migrate Existing Site", "Continue", "Create Site", "Generate Machine Token", "Confirm migration progress",
    "Confirm", "Copy", "Copy machine token", "Copy to clipboard", "Personal Settings", "Machine Tokens",
    "Revoke Token",
)  # fmt: skip
"""Controls that the work needs in all editions: a dialogue that holds one of them is not an interruption."""

MENUS = (
    ":is(nav, aside, [role=navigation], [role=banner], [role=complementary],"
    " header:not(:is(main, [role=main], article, section) *)) *:not(:is(form, dialog, [role=dialog]) *)"
)
"""The menus around the work, without the forms in them; a form may end in a footer of the page."""

AROUND = (
    ":is(nav, aside, [role=navigation], [role=banner], [role=contentinfo], [role=complementary],"
    " :is(header, footer):not(:is(main, [role=main], article, section) *))"
    ":not(:is(form, dialog, [role=dialog]) *) *"
)
"""What stands around the work on a page: menus, lists of sites, a search, a newsletter; a form has its own parts."""

BESIDE = (
    ":is(nav, header, aside, [role=navigation], [role=banner], [role=complementary]) *:not(dialog *, [role=dialog] *),"
    " body:has(main, [role=main]) :not(main, main *, [role=main], [role=main] *, dialog *, [role=dialog] *)"
)
"""What stands beside the work, by its role, or by being no part of it where the page says which part is."""

CMS = re.compile(r"\bcms\b|\bplatform|\bbuilt\b|content management", re.IGNORECASE)
"""Words beside a closed list of CMSs."""

NO_WEBSITE = re.compile(
    r"e-?mail|search|filter|newsletter|user ?name|password|coupon|code\b|chat|message|comment|feedback|survey",
    re.IGNORECASE,
)
"""Words of a text box that does not ask for a website's URL."""

WORKSPACE_WORDS = ("workspace", "organi[sz]ation|team")
"""Words beside the choice of a workspace, the best first ("Organization" became "Workspace" in 2023)."""

WORKSPACE = re.compile("|".join(WORKSPACE_WORDS), re.IGNORECASE)

LABEL = 60
"""Characters that a label has at most; a longer line is a sentence."""

TOKEN = re.compile(r"(?=[^\d]*\d)(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9_-]{30,128}")
"""About 45 letters, digits, - and _, with at least one letter and one digit (as seen in edition 2024)."""

LABELLED_TOKEN = re.compile(r"(?=.*[A-Za-z])(?=.*([0-9]|[a-z].*[A-Z]|[A-Z].*[a-z]))[A-Za-z0-9_-]{30,128}")
"""What is a machine token where the page says so: one of some 2,000 holds no digit, if they are drawn evenly."""

WHOLE = 40
"""Characters that a machine token has at least of which nobody need ask whether the page shows it whole."""

LATER_WORDS = (
    "Continue without passkeys", "Not now", "Skip", "Skip for now", "Maybe later", "Remind me later", "Do this later",
)  # fmt: skip
"""Names of the control that leaves what an identity provider offers after the password, such as a passkey."""

IDENTIFIER = re.compile(r"(?=.*-.*-)[0-9a-f-]{32,40}|[0-9a-f]{32,40}", re.IGNORECASE)
"""What stands on pages and looks like a token and is none: a UUID, a hash."""

SIGN_IN_FIELDS = 2
"""Text boxes that a sign-in form has at most: e-mail address and, where it is shown in clear, password."""

SLICE = 1.0
"""Seconds between two looks for a refusal while something is waited for."""

AFTER_SIGN_IN = 5.0
"""Seconds in which a page goes on by itself after the password was given again; then the control is pressed again."""

CONFIRM_AGAIN = 15.0
"""Seconds between two tries to confirm while the dashboard says that the migration is not complete yet."""

CONFIRM_AT_MOST = 40
"""Tries: the dashboard may learn of the completion some minutes after the service."""

_SECOND_FACTOR = re.compile(
    r"(verification|one.?time|security|authenticat(or|ion)|6.digit|2.step|two.factor)[ -]?(code|passw|app|factor)"
    r"|enter the code",
    re.IGNORECASE,
)
_PLAINLY_NO = re.compile(
    r"\b(taken|in use|already exists|characters?|letters?|digits?|invalid|not (valid|allowed|permitted|available)|"
    r"required|choose|must|limit|permission)\b",
    re.IGNORECASE,
)
"""Words by which a page refuses what was entered, so that certainly nothing came of it; an error may have come late."""

_NO_REFUSAL = re.compile(
    r"\b(success(ful|fully)?|info(rmation)?|created|generated|saved|copied|done|please wait)\b"
    r"|^\W*(working|creating|generating|preparing|setting up|processing|loading|saving|checking)\b",
    re.IGNORECASE,
)
"""Words of an alert that tells of what was done, or of what is being done: design systems say those aloud too."""

_SHOWS_TOKEN = re.compile(r"\b(your|copy|save|store)\b.{0,40}\bmachine token(?!s\b)", re.IGNORECASE)
"""Words of a dialogue that may show the machine token, this once."""

_LABELS_TOKEN = re.compile(r"^(?!.*\b(name|id|url)\b).*\btoken\b", re.IGNORECASE)
"""Words beside a field that holds the machine token, and not what the token is called."""

_OPENERS_JS = """all => all.map(el => {
    const leads = "a[href]:not([href='#'], [href^='javascript:'])";
    if (el.matches(leads)) return null;
    const link = el.querySelector(leads);
    if (link && link.innerText.trim() === el.innerText.trim()) return null;
    return `${el.getAttribute('aria-label') || ''} ${el.innerText} ${el.title}`;
})"""
"""What each says that may open a menu; null for a link, or one that holds nothing else, to a part of the dashboard."""

_HASH = re.compile(r"[0-9a-f-]+", re.IGNORECASE)
"""What may be a token's fingerprint, and not the token itself."""

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


@dataclass(frozen=True)
class Pressed:
    """A control that was pressed, and the lines of the page before: while it is there, a new line may be a refusal."""

    control: Locator
    before: Sequence[str]


@dataclass(frozen=True)
class Trouble:
    """A request to the dashboard that came to nothing: its method and address, and what became of it."""

    method: str
    url: str
    what: str


class Dashboard:
    """The Pantheon tab.

    Args:
        page: The tab.
        account: Whose dashboard it is.
        words: Those of the edition that it shows; of all editions that it may show, as long as that is not known.
        say: Told what the dashboard is waited for.
        codes: The account's one-time codes, if their secret is set.
        note_interruption: Told what lay over the page and was closed.
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
        self._signing_in = False
        self._second_factor = SecondFactor(
            page, codes, self._asks_for_code, who="the sign-in", setting="PANTHEON_TOTP", say=say
        )
        self._in_workspace = False
        self._site_page: str | None = None
        self._error: Trouble | None = None
        self._lines_before_token: list[str] = []
        self.rest = Rest(page)
        page.on("response", self._note_error)
        page.on("requestfailed", self._note_dropped)
        capture_copies(page)
        dismiss_interruptions(
            page,
            note_interruption,
            never=[*GUIDE_CONTROLS, *filter(None, (name for one in words for name in vars(one).values()))],
            keep=_SHOWS_TOKEN,
        )

    # -- the guide's words ----------------------------------------------------------------------------------------

    @property
    def migrate_existing_site(self) -> Locator:
        """**Migrate Existing Site**, at the lower right of the workspace's page."""
        return control(self.page, "Migrate Existing Site")

    @property
    def continue_(self) -> Locator:
        """**Continue**, in the form with the website's URL (a site in the navigation may have that name)."""
        form = self._panel(control(self.page, "Continue"))
        return control(form, "Continue")

    @property
    def create_site(self) -> Locator:
        """**Create Site** of the wizard; a menu may have another one."""
        return control(self.page, "Create Site", outside=MENUS)

    @property
    def generate_machine_token(self) -> Locator:
        """**Generate Machine Token**."""
        return control(self.page, "Generate Machine Token")

    @property
    def to_wp_admin(self) -> Locator:
        """What opens wp-admin in a new tab: **Install on /wp-admin**, **Go to wp-admin**."""
        return control(self.page, *(one.opens_wp_admin for one in self.words))

    @property
    def goes_on(self) -> Locator:
        """What is pressed when the machine token has been made, as soon as it can be; see `Words.goes_on`."""
        pressable = self.page.locator(":not([disabled], [aria-disabled=true], fieldset[disabled] *)")
        return control(self.page, *self._goes_on).and_(pressable).describe(f'the control "{self._goes_on[0]}"')

    @property
    def _goes_on(self) -> list[str]:
        return [one.goes_on for one in self.words if one.goes_on]

    @property
    def confirm_migration_progress(self) -> Locator:
        """**Confirm migration progress**; the dashboard itself writes it with capitals."""
        return control(self.page, "Confirm migration progress")

    @property
    def website_url(self) -> Locator:
        """The field for the current website's URL."""
        return field(
            self._panel(control(self.page, "Continue")).get_by_role("textbox"),
            "current website URL",
            r"\burl\b",
            "website|address|domain",
        )

    @property
    def site_name(self) -> Locator:
        """The field for the name of the new site."""
        return field(
            self._panel(self.create_site).get_by_role("textbox"),
            "name of the new site",
            r"\bname\b",
            r"\bcall(ed)?\b",
        )

    def _panel(self, pressed: Locator) -> Locator:
        """The form that ends with this control."""
        return panel(self.page, pressed, self.page.get_by_role("textbox"))

    # -- how the wizard begins -------------------------------------------------------------------------------------

    @property
    def _work(self) -> Locator:
        """The page once it no longer offers to migrate a site, or a dialogue over it."""
        page = self.page.locator("body").filter(has_not=self.migrate_existing_site)
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
        entry = control(self.page, self._account.workspace)
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
        if not self._shows_workspace(name):
            self._say(f'switching to the workspace "{name}"')
            self._switch_workspace(name)
        self._in_workspace = self._arrives_in_workspace(name)
        self.reach(self.migrate_existing_site)

    @property
    def is_in_workspace(self) -> bool:
        """Whether the dashboard is known to show the workspace that is set; true where none is set."""
        return self._in_workspace or self._account.workspace is None

    def _arrives_in_workspace(self, name: str) -> bool:
        """Whether the page comes to say that it is this workspace's; what was chosen in a list is no proof."""

        def look() -> bool | None:
            return (self._shows_workspace(name) and self.migrate_existing_site.is_visible()) or None

        return bool(until(self.page, look, timeout=2 * LATE))

    def _shows_workspace(self, name: str) -> bool:
        heading = self.page.get_by_role("heading", name=named(name)).filter(visible=True)
        crumbs = saying(self.page.get_by_role("navigation", name=re.compile("breadcrumb", re.IGNORECASE)), name)
        return heading.count() > 0 or crumbs.count() > 0

    def _switch_workspace(self, name: str) -> None:
        """Choose the workspace where the dashboard offers it."""
        home = self.page.url
        links = self.page.get_by_role("link", name=named(name)).filter(visible=True)
        for index in range(links.count()):
            # A site may have the workspace's name; its page does not offer to migrate another one.
            if can_be_pressed(links.nth(index)):
                links.nth(index).click()
                if self._arrives_in_workspace(name):
                    return
                go_to(self.page, home)
                self.reach(self.migrate_existing_site)
        navigation = self.page.get_by_role("navigation").or_(self.page.get_by_role("banner"))
        beside = self.page.locator(BESIDE)
        select = (
            self.page.locator("select")
            .and_(beside)
            .filter(has=self.page.get_by_role("option", name=named(name), include_hidden=True))
        )
        if select.count():
            choose_from(select.first, name)
            return
        openers = self.page.locator("[aria-haspopup], [aria-expanded], summary, [role=combobox]").and_(beside)
        openers = openers.filter(visible=True)
        said: list[str | None] = openers.evaluate_all(_OPENERS_JS)
        likely = sorted(
            (index for index, words in enumerate(said) if words is not None),
            key=lambda index: not WORKSPACE.search(said[index] or ""),
        )
        for opener in [
            *map(openers.nth, likely),
            *navigation.get_by_role("button").filter(visible=True).all()[:1],
        ]:
            if not can_be_pressed(opener):
                continue
            opener.click()
            entries = [self.page.get_by_role(role, name=named(name)) for role in CHOICES]
            entries.append(saying(self.page, name))  # an entry may say more, such as its kind
            entry = until(self.page, lambda entries=entries: self._pressable(*entries), timeout=LATE)  # type: ignore[misc]
            if entry:
                entry.click()
                return
            self.page.keyboard.press("Escape")

    def _pressable(self, *wanted: Locator) -> Locator | None:
        """The first of these that a reader could press now."""
        seen = (one for locator in wanted for one in locator.filter(visible=True).all())
        return next((one for one in seen if can_be_pressed(one)), None)

    def press_continue(self) -> None:
        """Press **Continue** and wait for the form of step 3.

        Raises:
            Stuck: The dashboard refused what was entered.
        """
        pressed = Pressed(self.continue_, lines(self.page))
        pressed.control.click()
        self.reach(self.create_site, pressed=pressed)

    def begin_to_migrate(self) -> None:
        """Press **Migrate Existing Site** and wait for the wizard."""
        self.migrate_existing_site.click()
        self.reach(self.continue_, self.cms)

    def choose_cms(self, words: str) -> Locator:
        """Select the existing site's CMS, offered as radios, tiles or a list; returns what was pressed."""
        return choose(self._panel(control(self.page, "Continue")), words)

    @property
    def _cms_view(self) -> Locator:
        """The view that asks for the CMS alone: the part with all that are offered, else all of the work."""
        page = self.page
        beside = panel(page, page.get_by_text(re.compile(r"^\s*Drupal\b")), page.get_by_text("WordPress"))
        return beside if beside.count() else self._work

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
        going_on = self._in_work(control(self._work, "Continue"))
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
        if self._is_elsewhere() or self._password_field():
            return "sign-in"
        if self.asks_for_website:
            return "website"
        return "sign-in" if not self.asks_for_cms and self._asks_to_sign_in() else None

    def choose_workspace(self, name: str) -> None:
        """Select the new site's workspace, in a native select or in a combobox.

        Raises:
            Stuck: It is not offered (Undone), or no choice is offered and the dashboard is not in that workspace.
        """
        try:
            self._choose_workspace(name)
        except Stuck as stuck:
            if "is not offered" not in str(stuck):
                raise
            raise Undone(
                f"the workspace {stuck}. Check PANTHEON_WORKSPACE", looked_for=stuck.looked_for, place=stuck.place
            ) from None

    def _choose_workspace(self, name: str) -> None:
        form = self._panel(self.create_site)
        if form.get_by_role("radio").count():
            search = search_field(form)
            if search.is_visible() and not self._radio_of(form, name).count():
                search.fill(name)
            self._check_whole_name(form, name)
            choose(form, name)
            return
        choosers = form.locator("select").or_(form.get_by_role("combobox")).or_(form.locator("[aria-haspopup=listbox]"))
        menus = form.locator("[aria-haspopup], [aria-expanded]")
        try:
            chooser = field(
                choosers,
                "workspace",
                *WORKSPACE_WORDS,
                timeout=LATE if self._in_workspace else None,
            )
        except Stuck:
            menu = next(
                (one.locator for one in fields(menus) if WORKSPACE.search(" ".join([*one.bound, *one.near[:1]]))), None
            )
            if menu:
                choose_from(menu, name)
            elif not self._in_workspace or self._is_for_another_workspace(form, name):
                raise Stuck(
                    f'the page offers no choice of a workspace, and it is not known to be in "{name}"',
                    looked_for="workspace",
                ) from None
            return
        choose_from(chooser, name)

    def _is_for_another_workspace(self, form: Locator, name: str) -> bool:
        """Whether the form has words like those beside a choice of a workspace, and does not name this one."""
        said = [" ".join(line.split()) for line in form.inner_text().splitlines()]
        labelled = any(WORKSPACE.search(line) and len(line) < LABEL and not line.endswith(".") for line in said)
        return labelled and not any(name.casefold() in line.casefold() for line in said)

    @staticmethod
    def _radio_of(form: Locator, name: str) -> Locator:
        """The radio button of this workspace, which may say more, such as its kind."""
        return form.get_by_role("radio", name=named(name)).or_(form.get_by_role("radio", name=says_more_than(name)))

    def _check_whole_name(self, form: Locator, name: str) -> None:
        """See that no workspace of a longer name is offered in place of this one: the site would be made there.

        Raises:
            Stuck: It is so.
        """
        longer = form.get_by_role("radio", name=begins_with(name))

        def look() -> bool | None:
            return True if self._radio_of(form, name).count() or not longer.count() else None

        if not until(self.page, look, timeout=LATE):
            raise Stuck(f'"{name}" is not offered, only workspaces of a longer name', looked_for=name, place=longer)

    def press_create_site(self, asked: Callable[[Locator], None] = lambda _: None) -> None:
        """Press **Create Site** and wait until the site stands.

        Args:
            asked: Told what is to be pressed where a popup asks to confirm the workspace, before it is pressed.

        Raises:
            Stuck: The dashboard refused, such as for a name that is taken.
        """
        # A sign-in may be sent by the same word.
        asks_no_password = self.page.locator("body").filter(has_not=self._password_fields.filter(visible=True))
        confirm = control(asks_no_password, "Confirm")
        if confirm.is_visible():
            confirm = control(self.page.get_by_role("dialog"), "Confirm")  # the page has another one
        created, creation = self.generate_machine_token, self._account.creation_timeout
        pressed = Pressed(self.create_site, lines(self.page))
        pressed.control.click(no_wait_after=True)  # creating the site takes longer than a page may take
        if self.reach(created, confirm, pressed=pressed, timeout=creation) is confirm:
            asked(confirm)
            confirm.click()
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
        """Press **Generate Machine Token**, re-authenticate if prompted, and wait for the token's page.

        Raises:
            Stuck: The dashboard refused.
        """
        generate = self.generate_machine_token
        made = self.goes_on if self._goes_on else self.to_wp_admin
        self._lines_before_token = lines(self.page)
        generate.click()
        while self.reach(made, again=generate, pressed=Pressed(generate, self._lines_before_token)) is generate:
            # The password was given, and the page is back where it was: it waits to be pressed once more.
            generate.click()

    def machine_token_at_once(self) -> str | None:
        """The machine token if the page shows it already, in one of the ways of `machine_token`."""
        return until(
            self.page,
            lambda: self._token_in_field() or self._token_from_copy_button() or self._token_shown(),
            timeout=LATE,
            changes_it=True,
        )

    def go_on_with_token(self) -> None:
        """Press **Continue to Migration** where the edition has it, and wait for the way to wp-admin."""
        if self._goes_on:
            pressed = Pressed(self.goes_on, lines(self.page))
            pressed.control.click()
            self.reach(self.to_wp_admin, pressed=pressed)

    def machine_token(self) -> str:
        """The machine token that the page shows: whole in its field, else from its Copy button, else what appeared.

        Raises:
            Stuck: The page shows none.
        """
        found = until(
            self.page,
            lambda: self._token_in_field() or self._token_from_copy_button(),
            timeout=LATE,
            changes_it=True,
        )
        found = found or until(self.page, self._token_shown)
        if found is None:
            raise Stuck(
                "the machine token is not to be found: no Copy button hands it over, no field is labelled as the "
                "machine token, and nothing like a token appeared on the page. It was made: revoke it in Personal "
                "Settings > Machine Tokens",
                looked_for="the machine token",
            )
        return found

    def _token_in_field(self) -> str | None:
        """The value of the one field that is labelled as the machine token; what may be shortened is copied instead."""
        whole = {
            one.value
            for one in shown_values(self.page)
            if one.in_field
            and len(one.value) >= WHOLE
            and TOKEN.fullmatch(one.value)
            and not _HASH.fullmatch(one.value)
            and _LABELS_TOKEN.search(one.words[0] if one.words else "")
        }
        return whole.pop() if len(whole) == 1 else None

    def _token_from_copy_button(self) -> str | None:
        for button in copy_buttons(self.page):
            about = next((words for words in button.words if re.search("token|name|url", words, re.IGNORECASE)), "")
            if re.search("token", about, re.IGNORECASE):
                copied = (copied_by(button.locator) or "").strip()
                return copied if LABELLED_TOKEN.fullmatch(copied) else None
        return None

    def _token_shown(self) -> str | None:
        shown = [one for one in shown_values(self.page) if LABELLED_TOKEN.fullmatch(one.value)]
        labelled = [one.value for one in shown if one.words and re.search(r"\btoken\b", one.words[0], re.IGNORECASE)]
        # Behind an eye the field is one for passwords; its label tells that it holds the token and not the account's.
        for one in fields(self.page.locator("input[type=password]")):
            if re.search(r"\btoken\b", " ".join([*one.bound, *one.near[:1]]), re.IGNORECASE):
                value = one.locator.input_value()
                labelled += [value] if LABELLED_TOKEN.fullmatch(value) else []
        appeared = {
            one.value
            for one in shown
            if TOKEN.fullmatch(one.value)
            and one.value not in self._lines_before_token
            and not self._is_site_name(one.value)
            and not IDENTIFIER.fullmatch(one.value)
        }
        # Two that appeared cannot be told apart, and a wrong one would be pasted and refused.
        return labelled[0] if labelled else appeared.pop() if len(appeared) == 1 else None

    def _is_site_name(self, value: str) -> bool:
        return value.startswith(slug(self._account.site_name))

    def shown_site_name(self, token: Secret) -> str:
        """The site's name as the dashboard shows it beside the token: the typed name may have become another.

        Raises:
            Stuck: The page shows none.
        """
        found = until(self.page, lambda: self.site_name_at_once(token))
        if found is None:
            raise Stuck("the site's name is not to be found beside the machine token", looked_for="Pantheon Site Name")
        return found

    def site_name_at_once(self, token: Secret) -> str | None:
        """The site's name if the page shows it already, see `shown_site_name`."""
        shown = [
            one
            for one in shown_values(self.page)
            if one.value != token.reveal() and re.fullmatch(r"[a-z0-9][a-z0-9-]*", one.value)
        ]
        labelled = [
            one.value for one in shown if one.words and re.search(r"site.?name|\bname\b", one.words[0], re.IGNORECASE)
        ]
        alike = [one.value for one in shown if self._is_site_name(one.value)]
        return next(iter([*(value for value in labelled if value in alike), *labelled, *alike]), None)

    def press_to_wp_admin(self) -> Page:
        """Press what opens wp-admin and return the tab that it opens.

        Raises:
            Stuck: No tab has come.
        """
        to_wp_admin = self.to_wp_admin
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
        """Whether the site's page, just opened, offers to confirm, or is over that already.

        Where it offers only to have a machine token made, the control to confirm comes with the token.
        """
        self.reach(self.confirm_migration_progress, *self._names_of(site_name), self.generate_machine_token)

        def look() -> bool | None:
            return (self.confirm_migration_progress.is_visible() or self._shows_site(site_name)) or None

        return bool(until(self.page, look, timeout=LATE))

    # -- step 9 ---------------------------------------------------------------------------------------------------

    def press_confirm_migration_progress(self, site_page: str, site_name: str) -> None:
        """Press **Confirm migration progress**, again while the dashboard says that it is not complete yet.

        Args:
            site_name: The new site's name, which its dashboard shows.
            site_page: Address of the page that has the control, should a new sign-in lead elsewhere.

        Raises:
            Stuck: The dashboard refused, or never learned of the completion.
        """
        self._site_page = site_page
        for _ in range(CONFIRM_AT_MOST):
            if until(self.page, lambda: self._is_over(site_name)):
                return
            self.reach(self.confirm_migration_progress)
            close_alert_over(self.confirm_migration_progress)
            before = lines(self.page)
            self.confirm_migration_progress.click(no_wait_after=True)
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
        if self._asks_to_sign_in():
            return "still to be signed in to"
        if not self._in_wizard():
            return None  # on the way to another page
        return next(
            (line for line in new_lines(self.page, before) if _NOT_COMPLETE.search(line) or refuses(line)),
            None,
        )

    def _is_over(self, site_name: str) -> bool | None:
        """Whether the site's dashboard has appeared; None while the page shows neither that nor what to press."""
        if self._shows_site(site_name):
            return True
        return False if self.confirm_migration_progress.is_visible() or self._asks_to_sign_in() else None

    def _in_wizard(self) -> bool:
        """Whether the page is still the wizard's; while it confirms, its button may have another name."""
        return self.confirm_migration_progress.is_visible() or self.to_wp_admin.is_visible()

    def _shows_site(self, site_name: str) -> bool:
        return not self._in_wizard() and any(name.count() for name in self._names_of(site_name))

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
        began = time.monotonic()
        deadline = began + timeout
        signed_in = None
        found: Locator | None
        said = wanted[0].description or "the page"
        while time.monotonic() < deadline:
            try:
                found = first_visible(*wanted, self._password_fields, timeout=SLICE)
            except Stuck:
                # It may have come just then: what it asks for beside that is no sign-in.
                found = next((one for one in wanted if one.is_visible()), None)
            if found in wanted:
                self._signing_in, self._error = False, None
                self._second_factor.passed()
                return found
            if self._goes_on_to_sign_in(on_the_way=signed_in is not None):
                signed_in = time.monotonic()
                deadline = max(deadline, signed_in + timeout)
                continue
            if found:
                # A password field that asks for nothing, such as one for password managers: wait without it.
                until(self.page, lambda: any(one.is_visible() for one in wanted) or None, timeout=SLICE)
            if signed_in:
                self._leave_offer()
            self._load_again_after_error(said)
            if pressed and not signed_in:
                self._check_refusal(pressed, time.monotonic() - began)
            if signed_in and time.monotonic() - signed_in > AFTER_SIGN_IN:
                if again and again.is_visible() and again.is_enabled():
                    self._signing_in = False
                    self._second_factor.passed()
                    return again
                self._go_back_after_sign_in()
        raise self._not_reached(said, timeout, pressed, on_the_way=signed_in is not None)

    def _goes_on_to_sign_in(self, *, on_the_way: bool) -> bool:
        """Give what the page asks for to sign in: the password, or after it (or at a provider's) a one-time code."""
        if self._asks_to_sign_in():
            self.sign_in()
            return True
        if (on_the_way or self._is_elsewhere()) and self._asks_for_code():
            self._check_address()
            self._second_factor.give()
            return True
        return False

    def _not_reached(self, said: str, timeout: float, pressed: Pressed | None, *, on_the_way: bool) -> Stuck:
        """Why the waiting has ended without what was waited for."""
        if on_the_way and self._is_elsewhere():
            asks = "; ".join(lines(self.page)[:3])
            return NeedsPerson(
                f'the sign-in asks for something more ("{asks}"): a person has to sign in', looked_for=said
            )
        status = self.page.evaluate("() => performance.getEntriesByType('navigation')[0]?.responseStatus || 0")
        if status >= FIRST_SERVER_ERROR and not self._is_elsewhere():
            return Stuck(
                f"the dashboard went on to answer {status} for {timeout:.0f} seconds: go on when it answers again",
                looked_for="the dashboard",
            )
        there = new_lines(self.page, pressed.before) if pressed else lines(self.page)
        telling = [line for line in there if refuses(line)] or (there[:3] if pressed else [])
        because = f"; the page says: {', '.join(telling)}" if telling else ""
        place = pressed.control if pressed else None
        return Stuck(f"{said} did not appear within {timeout:.0f} seconds{because}", looked_for=said, place=place)

    def _check_refusal(self, pressed: Pressed, waited: float) -> None:
        """Stop when the page says no beside what was pressed, or when it stays as it was.

        A refusal is known by its words or by being an alert. For one that is neither, such as "Use fewer letters", what
        was pressed is watched: work that goes on (creating a site takes minutes) hides, covers or disables it.
        """
        if not can_be_pressed(pressed.control):
            return
        said = new_lines(self.page, pressed.before)
        refused = [line for line in said if refuses(line)]
        aloud = [line for line in alerts(self.page) if line in said]
        if not refused and not any(map(_NO_REFUSAL.search, aloud)):
            refused = sorted(aloud, key=len, reverse=True)  # beside its words it may only say what kind it is of
        if refused and _PLAINLY_NO.search(refused[0]):
            raise Undone(f'the dashboard says "{refused[0]}"', place=pressed.control)
        if refused:
            raise Stuck(f'the dashboard says "{refused[0]}"', place=pressed.control)
        if waited > self._account.page_timeout:
            there = ", ".join(said) or "nothing new"
            raise Stuck(f"nothing came of pressing it; the page says: {there}", place=pressed.control)

    def _load_again_after_error(self, said: str) -> None:
        """Do what a reader would do after a server's error, once; but repeat nothing that may have had an effect."""
        if self._error is None:
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
        if self._is_elsewhere():
            return  # still on the way back from the identity provider
        if self._site_page is None:
            if self.migrate_existing_site.is_visible() or self.continue_.is_visible() or self.asks_for_cms:
                raise StartAgain("the session had ended; the new one begins at the workspace's page", step=1)
        elif self.page.url != self._site_page:
            self._load(self._site_page)

    def _is_elsewhere(self) -> bool:
        """Whether the tab is at another host than the dashboard's, such as the identity provider's."""
        return _host(self.page.url) != _host(self._account.dashboard_url)

    def _note_error(self, response: Response) -> None:
        ours = _host(response.url) == _host(self._account.dashboard_url)
        if ours and response.status >= FIRST_SERVER_ERROR:
            method, url = response.request.method, plain_url(response.url)
            what = f"the dashboard answered {response.status} to {method} {url}"
            self._error = Trouble(method, response.url, what)

    def _note_dropped(self, request: Request) -> None:
        """Note what the page has asked for in vain; not what it gave up itself, such as on its way to another page."""
        ours = _host(request.url) == _host(self._account.dashboard_url)
        asked = request.resource_type in ("document", "script", "fetch", "xhr")
        if ours and asked and not re.search("ABORTED|BINDING_ABORTED|Load cancelled", request.failure or ""):
            what = f"the connection to the dashboard dropped at {request.method} {plain_url(request.url)}"
            self._error = Trouble(request.method, request.url, what)

    @property
    def _password_fields(self) -> Locator:
        others = '[readonly], [aria-hidden=true], [aria-hidden=true] *, [autocomplete~=one-time-code], [maxlength="1"]'
        return self.page.locator(f"input[type=password]:not({others})")

    def _password_field(self) -> Locator | None:
        """The password field that a reader sees; some pages keep one beside the screen for password managers."""
        return next((one for one in self._password_fields.all() if on_page(one)), None)

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

    def _asks_to_sign_in(self) -> bool:
        if self._password_field():
            return True
        email = self._email_field()
        if email is None:
            return False
        # Beside an e-mail field a sign-in form has little else: a newsletter's field in the footer is another thing.
        form = panel(self.page, email, control(self.page, *SIGN_IN_WORDS))
        return 1 <= form.get_by_role("textbox").count() <= SIGN_IN_FIELDS

    def is_here(self) -> bool:
        """Whether the tab is at the dashboard, and not at an identity provider's."""
        return _host(self.page.url) == _host(self._account.dashboard_url)

    def sign_in(self) -> None:
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
        if self._signing_in:
            said = [line for line in lines(page) if refuses(line)]
            because = f': "{said[0]}"' if said else ""
            raise NeedsPerson(
                f"the dashboard did not accept PANTHEON_EMAIL and PANTHEON_PASSWORD{because}. It was not tried again"
            )
        self._signing_in = True
        self._say("signing in to the dashboard")
        email, password = self._email_field(), self._password_field()
        if email:
            self._give_email(email)
            if password is None:
                self._send(email, lambda: self._password_field() is not None or None)
                password = until(page, self._password_field)
        if password is None:
            raise Stuck("the sign-in page asks for no password", looked_for="Password")
        self._check_address()
        password.fill(account_password.reveal())
        self._send(password, lambda: self._password_field() is None or None)

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

    def _leave_offer(self) -> None:
        """Leave what the identity provider offers between the password and the dashboard, such as a passkey."""
        later = control(self.page, *LATER_WORDS)
        if self._is_elsewhere() and later.is_visible():
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
        named = {_host(here), (urlsplit(here).hostname or "")} & set(self._account.sign_in_hosts)
        if not named and not same_site(here, self._account.dashboard_url):
            raise NeedsPerson(
                f"the dashboard has led to a sign-in at {_host(here)}, which is not of its domain, so nothing was "
                "typed there. If that is the account's identity provider, name it in PANTHEON_SIGN_IN_HOSTS"
            )


def _host(url: str) -> str:
    """Host and port of an address."""
    return urlsplit(url).netloc.rpartition("@")[2]
