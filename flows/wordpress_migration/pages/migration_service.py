"""The migration service's pages, from **Migrate** to **Migration completed successfully**, and the way back.

Nobody here has seen these pages: what ends a run must be said by them plainly and must stand, since a migration that is
taken for failed, or for complete, while it runs does more harm than one that is waited for too long.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Error as PlaywrightError

from runner.controls import (
    Question,
    Secret,
    Stuck,
    Undone,
    control,
    dismiss_interruptions,
    host_of,
    lines,
    refuses,
    status_of,
    texts,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Frame, Page, Request

    from flows.wordpress_migration.pages.migration_form import MigrationForm
    from flows.wordpress_migration.settings import MigrationSettings

SLICE = 2.0
"""Seconds between two readings of the progress."""

STANDS = 3.0
"""Seconds that a failure has to stand on the page before it is believed."""

LOAD_AGAIN = 120.0
"""Seconds without any change after which the page is loaded again, as a reader would do."""

TROUBLE_PAUSE = 10.0
"""Seconds after which a page that could not be loaded is loaded again."""

FIRST_ERROR = 400
"""HTTP's first status for a refusal or an error."""

SHORT = 160
"""Characters of a line that states something; a longer one explains."""

RETURNED = {
    "email": "the service did not accept the account's e-mail address",
    "blog": "the service did not accept the existing site (it takes neither a site on a local machine nor a multisite)",
}
"""What the error codes in the address of the plugin's page mean (plugin versions 1.84 to 5.25)."""

_COMPLETED = re.compile(
    r"^\W*(status\W+)?(your |the )?migration (has been |was |is )?completed successfully"
    r"(\W*$|\s*[.!:]|\s+(in|on|at) \d[^,;]{0,30}$|\W+in \d[^,;]{0,30}$|\s+with (\d+|some|a few) warnings?\W*$)",
    re.IGNORECASE,
)

_ABOUT_OTHERS_JS = r"""
const words = el => (el.textContent || '').replace(/\s+/g, ' ').trim();
const TITLE = new RegExp(
    '^\\W*((all|my|the|your) )?(earlier|last|older|other|past|previous|prior|recent) '
    + '(\\w+ )?(activit(y|ies)|attempts?|jobs?|migrations?|runs?|transfers?)\\W*$', 'i');
const HISTORY = /^\W*(\w+ )?history\W*$/i;
const isTitle = el => TITLE.test(words(el)) || (el.matches('h2, h3, h4, h5, h6') && HISTORY.test(words(el)));
// A title, and what stands directly below it: one list or box, or several that are alike.
const aboutOthers = [...document.querySelectorAll('body *')]
    .filter(el => !el.children.length && !el.closest('a, button, h1, nav, [role=tab]'))
    .filter(el => el.textContent.length <= 60 && isTitle(el))
    .flatMap(title => {
        const parts = [], first = title.nextElementSibling;
        for (let el = first; el && el.tagName === first.tagName; el = el.nextElementSibling) parts.push(el);
        return parts;
    });
"""
"""`aboutOthers`: the parts of a page that tell of other migrations than this one, such as its history."""

_ABOUT_OTHERS = f"() => {{ {_ABOUT_OTHERS_JS} return aboutOthers.map(el => el.innerText || ''); }}"
"""The texts of these parts."""

_ANY_SEEN = f"""all => {{ {_ABOUT_OTHERS_JS}
const current = el => /(^|[\\s_-])(active|current|in-progress|running)(\\s|$)/i.test(el.getAttribute('class') || '');
const isStep = el => /step|stage|phase/i.test(el.getAttribute('class') || '');
const isCurrent = (one, at) => one.checkVisibility() && (one.matches('[aria-current=step]')
    ? one.tagName === at.tagName : current(one) && isStep(one) && isStep(at));
// One of several steps, of which an earlier one is being done.
const toCome = el => {{
    for (let at = el; at && at !== document.body; at = at.parentElement) {{
        for (let one = at.previousElementSibling; one && !current(at); one = one.previousElementSibling) {{
            if (isCurrent(one, at)) return true;
        }}
    }}
    return false;
}};
return all.some(el => {{
    if (!el.checkVisibility({{opacityProperty: true, visibilityProperty: true}})) return false;
    if (toCome(el) || aboutOthers.some(part => part.contains(el))) return false;
    const {{width, height, right, bottom}} = el.getBoundingClientRect();
    for (let at = el; at && at !== document.body; at = at.parentElement) {{
        const {{overflow, display, position}} = getComputedStyle(at), box = at.getBoundingClientRect();
        if (!/visible/.test(overflow) && display !== 'contents' && (box.width <= 1 || box.height <= 1)) return false;
        if (position === 'fixed') break;
    }}
    return width > 1 && height > 1 && right + scrollX > 0 && bottom + scrollY > 0;
}}); }}"""
"""Whether any of these can be seen: neither transparent, nor folded to nothing, nor put off the page's edge.

And tells of this migration now: it is no step to come, and stands in no list of earlier ones.
"""

_FAILED = re.compile(
    r"\b(migration|transfer|validation)\b.{0,40}\b(failed|stopped|aborted|unsuccessful|could not|was not|timed out)\b"
    r"|\bcompleted with (errors|warnings|issues|problems)\b"
    r"|\b(site|destination|source|token|page)\b.{0,30}"
    r"\b(not found|not reachable|unreachable|refused|rejected|invalid|expired|revoked)\b"
    r"|\bmigration\b.{0,40}\b(not (been )?completed successfully|not successful|partially)\b"
    r"|^((result|status)\W+)?(error|failed|failure|something went wrong)\b",
    re.IGNORECASE,
)

_PLAINLY = re.compile(
    r"\b(migration|transfer|validation)\b.{0,40}\b(failed|stopped|aborted|unsuccessful|timed out)\b"
    r"|\bcompleted with errors\b|^destination site not found\b",
    re.IGNORECASE,
)
"""What says of the migration itself that it has ended without success; anything else may be a fault of the page."""

_IN_SOME_WAY = re.compile(r"\bcompleted with (warnings|issues|problems)\b", re.IGNORECASE)
"""What says that the migration has ended, and leaves it to a person whether that is a success."""

_HARMLESS = re.compile(
    r"\?|\b(if|when|once|should|in case|whether|unless|until|or failed|or fails|informed|e-?mailed)\b"
    r"|^\W*(the |your )?((earlier|past|previous|prior) (\w+ )?(attempt|migration|run|transfer|try)|last attempt)\b"
    r"|^\W*(checking|scanning|testing|validating|verifying)\b(?!.*\bfail)[^:\u2013\u2014]*$"
    r"|\b(errors?|fail\w*( \w+)?)\W{0,3}none\W*$"
    r"|\b(0|no|without) (errors?|failed|failures?)\b|\b(failed|errors?|failures?)\W{0,2}0\b"
    r"|\b(retry(ing)?|trying|reconnect(ing)?|skipp(ed|ing)|again in|looking)\b",
    re.IGNORECASE,
)
"""What a healthy page says of failures: conditions, questions, counts of none, what is being tried again or looked
for, and how an earlier attempt has ended."""

ADVICE = (
    (
        r"destination.{0,20} not found|\b(no|not found|unknown)\b.{0,20}\bsite\b.{0,20}\bname",
        (
            "The machine token may be another account's than the site, if another identity than PANTHEON_EMAIL signed "
            "in again in step 4: see that only PANTHEON_EMAIL does, and resume, which has another machine token made"
        ),
    ),
    (r"\btoken\b", "Resume the run, which has another machine token made"),
    (
        r"\bsource\b.{0,40}(reach|found)|\bexisting site\b|\blocal(ly)?\b",
        "See that SOURCE_SITE_URL opens from the internet, with no firewall or CDN keeping the service out, and resume",
    ),
)
"""What to do about a refusal, by its words; the refusals are those that users of the service have reported."""

_ABOUT_IT = re.compile(r"migrat|transfer|fail|error|complete|success", re.IGNORECASE)
"""A dialogue of the service that speaks of the migration is read, never closed."""

CLOSES_OVER_WP_ADMIN = "#TB_closeWindowButton, .wp-auth-check-close, .wp-pointer-buttons a.close"
"""WordPress's own, in every language: of a window or a pointer that a plugin shows, and of "Session expired".

Source: thickbox.js, wp-pointer.js and wp-auth-check.js in WordPress.
"""

_DOING = re.compile(r"^.{0,99}(…|\.\.\.)$|^\w+ing\b.{0,90}$")
"""A short line that says what is going on: "Importing the database", "Validating…"."""


class MigrationService:
    """What the WordPress tab shows after **Migrate**.

    Args:
        page: The tab.
        patience: How long to wait.
        say: Told how far the migration is.
        begins: Told the address of the migration's page when the browser is sent there, before it has come.
        note_interruption: Told what lay over the page and was closed.
    """

    def __init__(
        self,
        page: Page,
        patience: MigrationSettings,
        *,
        say: Callable[[str], None],
        begins: Callable[[str], None] = lambda _: None,
        note_interruption: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.page = page
        self._patience = patience
        self._say = say
        self._begins = begins
        self._key_given = self._begun = self._sent = self._came_back = self._expects = False
        self._addresses: list[str] = []
        self._by_post = False
        self._sign_in_again: Callable[[], None] = lambda: None
        self._good = ""
        self._told = ""
        self._alarmed: tuple[str, float] = ("", 0.0)
        self._answered = ""
        self._note_interruption = note_interruption
        self._listen(page)
        page.on("popup", self._follow)

    def is_completed(self) -> bool:
        """Whether the page says **Migration completed successfully**: by itself, plainly, and of the whole migration.

        The same words may stand in a list of steps to come, in a sentence about an e-mail, in a table of earlier ones.
        """
        main = self.page.main_frame
        if self._is_unfinished(main):
            return False
        if self._says_completed(main):
            return True
        for frame in main.child_frames:
            with suppress(PlaywrightError):  # a frame that has just gone, or loads again, says nothing
                # Into one whose address has not answered yet nobody can look: that would be waited for without a limit.
                own = frame.url and host_of(frame.url) in (host_of(main.url), "")
                if own and frame.frame_element().is_visible() and self._says_completed(frame):
                    return True
        return False

    def _says_completed(self, frame: Frame) -> bool:
        said = frame.get_by_text(_COMPLETED).or_(frame.get_by_role("heading", name=_COMPLETED))
        elsewhere = "li, td, th, caption, option, aside, nav, blockquote, [aria-disabled=true], [hidden]"
        shown = said.and_(frame.locator(f":not(:is({elsewhere}), :is({elsewhere}) *)")).evaluate_all(_ANY_SEEN)
        return bool(shown) and not self._is_unfinished(frame)

    def migrated_site(self) -> str:
        """Address of the new site, from **Visit Migrated Site** on the page of the completion; nothing if not known."""
        link = control(self.page, "Visit Migrated Site").and_(self.page.locator("a[href]"))
        address = str(link.first.evaluate("el => el.href")) if link.count() else ""
        return address.rstrip("/") if address.startswith(("https://", "http://")) else ""

    def _is_unfinished(self, frame: Frame) -> bool:
        """Whether a progress bar is not at its end."""
        bars = frame.get_by_role("progressbar").filter(visible=True)
        return bool(
            bars.evaluate_all(
                """all => all.some(el => {
                    const now = parseFloat(el.getAttribute('aria-valuenow') ?? el.getAttribute('value'));
                    const end = parseFloat(el.getAttribute('aria-valuemax') ?? el.max) || 100;
                    return now < end;
                })"""
            )
        )

    def expect_migration(self) -> None:
        """Forget where the tab has been: what comes from now on comes of **Migrate**."""
        self._addresses.clear()
        self._key_given = self._begun = self._sent = self._came_back = False
        self._expects = True

    def follow_hand_shake(
        self,
        form: MigrationForm,
        site_name: str,
        machine_token: Secret,
        sign_in_again: Callable[[], None] = lambda: None,
    ) -> None:
        """Follow the browser from **Migrate** to the service's page of this migration.

        When the browser comes back because the existing site is behind basic auth, the form is filled in once more.

        Args:
            form: The plugin's form.
            site_name: What is filled in then.
            machine_token: The same.
            sign_in_again: Signs in to the existing site, whose session may have ended when the browser comes back.

        Raises:
            Stuck: The browser came back to the plugin's page with an error, or the service refused.
        """
        self._sign_in_again = sign_in_again
        if self._asks_for_basic_auth(form):
            self._say("the service asks for the existing site's basic auth")
            try:
                form.fill_in(site_name, machine_token)
            except Stuck as stuck:
                raise Undone(str(stuck), looked_for=stuck.looked_for, place=stuck.place) from None
            self.expect_migration()
            form.press_migrate()
            if self._asks_for_basic_auth(form):
                raise Undone("the service asks for the existing site's HTTP basic auth again: check SOURCE_BASIC_AUTH")
        self._expects = False

    def _asks_for_basic_auth(self, form: MigrationForm) -> bool:
        """Wait until the service's page of the migration is there (False) or basic auth is asked for (True)."""

        def look() -> bool | None:
            query = self._returned()
            if "auth_required_source" in query:
                return True
            self._check_returned(query)
            if self._at_source():
                if self._key_given and self.page.locator("#loginform").filter(visible=True).count():
                    sign_in, self._sign_in_again = self._sign_in_again, lambda: None  # once
                    sign_in()
                return None
            if self._shook_hands():
                return False
            self._check_failed(any_line=True)
            return False if self._tells_progress() or self.is_completed() else None

        asked = until(self.page, look, timeout=3 * self._patience.page_timeout)
        if asked is None:
            self._check_sent(form)
            try:
                there = lines(self.page)
            except PlaywrightError:
                there = []  # the tab is still on its way to the service
            said = "; ".join(line.rstrip(".") for line in there[:3]) or "nothing"
            raise Stuck(
                f'the service did not begin the migration after Migrate was pressed; its page says: "{said}"',
                looked_for="the page of the migration",
            )
        return asked

    def _shook_hands(self) -> bool:
        """Whether the browser was sent to the migration's page, and is at the service."""
        return self._begun and not self._at_source()

    def _check_sent(self, form: MigrationForm) -> None:
        """Stop when the form was certainly not sent, or the service has certainly sent the browser back."""
        if not self._at_source() or self._key_given or self._begun:
            return
        if self._came_back:
            raise Undone(
                "the service sent the browser back to the plugin's page without a reason: check site name and token"
            )
        if self._sent:
            return
        unfilled = form.unfilled()
        because = f"; to be filled in are: {', '.join(unfilled)}" if unfilled else ""
        if asks := form.asks():
            because += f'; the page says "{asks.rstrip(".")}"'
        raise Undone(f"pressing Migrate did not send the plugin's form{because}")

    def open(self, address: str) -> None:
        """Open the migration's page in a browser just opened; a service that is briefly away is no failure."""
        self._good = address
        self._load_again()

    def watch(self, seconds: float, *, answered: str = "") -> bool:
        """Watch for **Migration completed successfully**, telling the progress as it advances.

        Args:
            seconds: How long.
            answered: The question of whether it has failed, if a person has looked and said that it has not.

        Returns:
            True when the migration is complete, False when it still goes on.

        Raises:
            Undone: The migration failed (with the service's reason): it has to be started again.
        """
        self._answered = answered
        deadline = time.monotonic() + seconds
        changed = time.monotonic()
        while time.monotonic() < deadline:
            if until(self.page, self._completed, timeout=SLICE):
                return True
            trouble, now = until(self.page, lambda: (self._trouble(), self._progress())) or ("", self._told)
            if trouble:
                self._say(f"{trouble}; loading its page again")
                until(self.page, lambda: None if self._trouble() else True, timeout=TROUBLE_PAUSE)
                self._load_again()
            elif now != self._told:
                self._told, changed = now, time.monotonic()
                self._say(f"migrating: {now}")
            elif time.monotonic() - changed > LOAD_AGAIN:
                changed = time.monotonic()
                self._load_again()
        return False

    def _completed(self) -> bool | None:
        if self._trouble():
            return None
        if self.is_completed():
            return True
        self._check_returned(self._returned())
        return True if self._check_failed() else None

    def _load_again(self) -> None:
        """Load the migration's page again; what a form sent is never sent twice."""
        try:
            if self._good and self.page.url != self._good:
                self.page.goto(self._good, wait_until="commit")
            elif not self._by_post:
                self.page.reload(wait_until="commit")
        except PlaywrightError as error:
            self._say(f"its page did not load: {error.message.splitlines()[0]}")

    # -- what the page says ---------------------------------------------------------------------------------------

    def _at_source(self) -> bool:
        return host_of(self.page.url) == host_of(self._patience.source_url)

    def _note_address(self, frame: Frame) -> None:
        if frame == self.page.main_frame:
            self._addresses.append(frame.url)

    def _listen(self, page: Page) -> None:
        """Note where a tab goes, and close what lies over its pages."""
        page.on("framenavigated", self._note_address)
        page.on("request", self._note_request)
        dismiss_interruptions(
            page, self._note_interruption, never=("Migrate",), keep=_ABOUT_IT, closes=CLOSES_OVER_WP_ADMIN
        )

    def _follow(self, page: Page) -> None:
        """Go on in the new tab that **Migrate** has opened, if it opens one, as long as it is there."""
        if not self._expects:
            return
        before, self.page = self.page, page
        self._expects, self._sent = False, True
        self._listen(page)

        def go_back(_: Page) -> None:
            if self.page is page:
                self.page = before

        page.on("close", go_back)

    def _note_request(self, request: Request) -> None:
        if request.is_navigation_request() and request.frame == self.page.main_frame:
            self._by_post = request.method == "POST"
            at_source = host_of(request.url) == host_of(self._patience.source_url)
            # It may be sent back at once, so that no page of the service is ever in the tab.
            self._came_back = self._came_back or (self._sent and at_source)
            self._sent = self._sent or not at_source
            if self._key_given and not at_source and not self._begun:
                self._begun = True
                self._begins(request.url)
            elif at_source and "blogvaultkey=" in urlsplit(request.url).query:
                self._key_given = True

    def _trouble(self) -> str:
        """What keeps the service's page from being read for now; nothing when it can be read."""
        if self.page.url.startswith(("chrome-error:", "about:neterror")):
            return "the service did not answer"
        if self._at_source():
            return ""
        status = status_of(self.page)
        if status >= FIRST_ERROR:
            # The page may ask for a sign-in, be mistaken, or be away: what it is about goes on elsewhere.
            return f"the service answered {status}"
        if not self._asks_to_sign_in():
            self._good = self.page.url
        return ""

    def _asks_to_sign_in(self) -> bool:
        """Whether the service shows a sign-in in place of the migration, which goes on without anybody there."""
        return self.page.locator("input[type=password]").filter(visible=True).count() > 0

    def _returned(self) -> dict[str, list[str]]:
        """The query with which the browser came back to the plugin's page; empty when it has not come back.

        It is read from the addresses that the tab went through: wp-admin takes `error` and `message` out of the
        address as soon as the page has loaded (wp_admin_canonical_url in wp-admin/includes/misc.php).
        """
        for address in reversed(self._addresses):
            query = parse_qs(urlsplit(address).query, keep_blank_values=True)
            back = {"error", "auth_required_source", "auth_required_dest"} & set(query)
            if back and "page" in query and host_of(address) == host_of(self._patience.source_url):
                return query
        return {}

    def _check_returned(self, query: dict[str, list[str]]) -> None:
        if "auth_required_dest" in query:
            raise Undone("the service asks for HTTP basic auth of the new site: unlock it in its dashboard first")
        code = query.get("error", [""])[0]
        if not code:
            return
        reason = RETURNED.get(code, f'the service sent the browser back with the error "{code}"')
        message = query.get("message", [""])[0]
        if message:
            try:
                # A query turns + into a blank, and the padding may be missing.
                reason = base64.b64decode(message.replace(" ", "+") + "==").decode("utf-8", "replace")
            except binascii.Error:
                reason = message
        reason = " ".join(reason.split()).rstrip(".")
        raise Undone(f'the migration was refused: "{reason}"{_advice(reason)}', looked_for="the page of the migration")

    def _check_failed(self, *, any_line: bool = False) -> bool:
        """Stop when the page says that the migration has failed, and goes on saying it.

        Args:
            any_line: Believe any line that says no, such as before the migration has begun.

        Returns:
            Whether the page says that it is complete, if not plainly, and a person has said that it has not failed.
        """
        said = self._alarm(any_line=any_line) or (any_line and self._refusing_page()) or ""
        if said != self._alarmed[0]:
            self._alarmed = (said, time.monotonic())
        if not said or time.monotonic() - self._alarmed[1] < STANDS or self.is_completed():
            return False
        if said in self._answered:
            return _IN_SOME_WAY.search(said) is not None
        refused = any_line and not self._begun
        if refused or _PLAINLY.search(said):
            raise Undone(
                f'the migration {"was refused" if refused else "failed"}; the service says "{said}"{_advice(said)}',
                looked_for="Migration completed successfully",
            )
        raise Question(
            f'the migration may have failed: the service says "{said}". If it has, answer no, and it is started again; '
            "else give the address of its page",
            fact="migration_page",
        )

    def _refusing_page(self) -> str | None:
        """What a page of the service says that is itself an error, by its status; None for any other page."""
        status = status_of(self.page)
        if status < FIRST_ERROR or self._at_source():
            return None
        headings = texts(self.page.get_by_role("heading"))
        there = lines(self.page)
        first = next((there.index(heading) for heading in headings if heading in there), 0)
        return ": ".join(line.rstrip(".") for line in there[first : first + 2]) or f"error {status}"

    def _alarm(self, *, any_line: bool) -> str | None:
        """What the page says when it has failed: the line that says so, and the one that explains it."""
        headings = texts(self.page.get_by_role("heading"))
        aloud = [*headings, *texts(self.page.get_by_role("alert"))]
        links = texts(self.page.get_by_role("link").or_(self.page.get_by_role("button")))
        there = [line for line in lines(self.page) if line not in links]
        for line in self._about_others():
            if line in there:
                there.remove(line)
        for index, line in enumerate(there):
            count = re.match(r"\d", there[index + 1]) if index + 1 < len(there) else None
            if _HARMLESS.search(line) or len(line) > SHORT or (count and len(line.split()) == 1):
                continue
            if _FAILED.search(line) or ((any_line or line in aloud) and refuses(line, plainly=True)):
                before = [other for other in there[:index][-1:] if other in headings and line not in headings]
                return ": ".join(part.rstrip(".") for part in [*before, line, *there[index + 1 : index + 2]][:2])
        again = control(self.page, "Retry", "Try again", "Retry migration", "Resume", "Resume migration")
        offered = texts(again.and_(self.page.locator(":not(:disabled, [aria-disabled=true])")))
        if offered and not self._tells_progress():
            return f"{'; '.join(headings or there[:2])} ({offered[0]})"
        return None

    def _about_others(self) -> list[str]:
        """The page's lines about other migrations than this one."""
        parts: list[str] = self.page.evaluate(_ABOUT_OTHERS)
        return [" ".join(line.split()) for part in parts for line in part.splitlines()]

    def _tells_progress(self) -> bool:
        return self.page.get_by_role("progressbar").filter(visible=True).count() > 0 or bool(self._percent())

    def _percent(self) -> str:
        found = re.search(r"\b\d{1,3} ?%", " ".join(lines(self.page)))
        return found[0] if found else ""

    def _progress(self) -> str:
        """How far the migration is, in the page's own words."""
        if self._asks_to_sign_in():
            return "its page asks to sign in"
        bar = self.page.get_by_role("progressbar")
        value = bar.evaluate_all("all => all[0]?.getAttribute('aria-valuenow')")
        number = re.match(r"\d+", value or "")
        percent = self._percent() or (f"{number[0]} %" if number else "")
        words = next((line for line in lines(self.page) if _DOING.search(line)), "")
        return ", ".join(filter(None, (percent, words))) or "no progress shown"


def _advice(said: str) -> str:
    """What to do about what the service says, as a sentence after it; without more to say, to start it again."""
    known = (advice for words, advice in ADVICE if re.search(words, said, re.IGNORECASE))
    return f". {next(known, 'Resume the run, which starts the migration again')}"
