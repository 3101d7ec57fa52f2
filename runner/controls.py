"""Finds things on pages nobody here has seen: by the guide's words first, then by the words that stand beside them.

Everything here looks and reads; what is pressed or filled is pressed or filled by the caller with Playwright's own
verbs, so that a covered or disabled control stops a run exactly where it would stop a reader.
"""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, reduce
from typing import TYPE_CHECKING, Literal, TypeVar
from urllib.parse import urlsplit

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, expect
from publicsuffixlist import PublicSuffixList

from runner.errors import GuiderunnerError, NeedsPerson, Question, StartAgain, Stuck, Undone
from runner.one_time_codes import OneTimeCodes
from runner.secrets import Secret, plain_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Self

    from playwright.sync_api import BrowserContext, ElementHandle, JSHandle

__all__ = [
    "CopyButton",
    "Field",
    "NeedsPerson",
    "OneTimeCodes",
    "Question",
    "Secret",
    "Shown",
    "StartAgain",
    "Stuck",
    "Undone",
    "alerts",
    "begins_with",
    "can_be_pressed",
    "capture_copies",
    "choice",
    "choose",
    "choose_from",
    "close_alert_over",
    "control",
    "controls_on",
    "dismiss_interruptions",
    "field",
    "fields",
    "first_visible",
    "host_of",
    "lines",
    "named",
    "new_lines",
    "offered",
    "on_control",
    "on_page",
    "panel",
    "plain_url",
    "press_send",
    "refuses",
    "same_site",
    "saying",
    "says_more_than",
    "shown_values",
    "tick",
    "until",
]

T = TypeVar("T")

_patience = {"seconds": 30.0}

LOOK_AGAIN = 0.5
"""Seconds after which a page is looked at again even if no change of it was seen (a shadow tree changes unseen)."""

LATE = 2.0
"""Seconds that the entries of a list are waited for when something that may open to it is already there."""

PRESSABLE = 1.5
"""Seconds within which a control that can be pressed is found so; a busy machine takes some hundred milliseconds."""

REFUSAL = re.compile(
    r"\b(taken|already (exists|in use|used|has)"
    r"|invalid|not (available|allowed|valid|found|recogni[sz]ed|permitted|reachable|accepted|supported)"
    r"|unavailable|unable|incorrect|wrong|fail(s|ed|ure)?|error|denied|refused|rejected|expired|revoked|locked"
    r"|could ?n.t|cannot|can.t|can not|could not|must|too (many|long|short)|try again|went wrong|do(es)? not match"
    r"|(enter|provide|choose) a valid)\b",
    re.IGNORECASE,
)
"""Words by which a page says no; looked for only in what appeared after something was pressed."""

_WEAK = re.compile(r"\b(must|cannot|can.t|can not)\b", re.IGNORECASE)

_PATIENCE = re.compile(
    r"^\W*\w+ing\b|please wait|keep this (page|tab|window) open|(do not|don.t) (close|leave|refresh)",
    re.IGNORECASE,
)


def refuses(line: str, *, plainly: bool = False) -> bool:
    """Whether a page says no with this line: "Creating your site. You must keep this page open." only asks to wait.

    Args:
        line: A line of the page.
        plainly: Words such as "must" and "cannot" alone do not count.
    """
    return bool(REFUSAL.search(_WEAK.sub("", line) if plainly or _PATIENCE.search(line) else line))


# -- controls by the guide's words --------------------------------------------------------------------------------


def host_of(url: str) -> str:
    """Host and port of an address, the same with and without www."""
    return urlsplit(url).netloc.rpartition("@")[2].removeprefix("www.")


def same_site(url: str, other: str) -> bool:
    """Whether two addresses are of one site, as browsers understand it: the same host, or hosts of one domain.

    Ports do not count. Which part of a name is one owner's says the public suffix list.
    """
    return _registered(url) == _registered(other)


def _registered(url: str) -> str:
    host = urlsplit(url).hostname or ""
    if host.replace(".", "").isdigit() or ":" in host:
        return host
    top = host.rpartition(".")[2]
    return top if top in _NOBODYS else _suffixes().privatesuffix(host) or host


_NOBODYS = ("example", "test", "localhost", "invalid")
"""Top domains below which nothing can be registered (RFC 6761): all of one is the same network's."""


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def named(*words: str) -> re.Pattern[str]:
    """An accessible name that is these words, in any case, also with a sign or "opens in a new tab" around them.

    Args:
        words: The name; several for any of them.
    """
    any_of = "|".join(map(_spaced, words))
    return re.compile(rf"^[\W_]*({any_of})[\W_]*(opens in (a )?new (tab|window))?[\W_]*$", re.IGNORECASE)


def on_control(*words: str) -> re.Pattern[str]:
    """The same on a control, where an icon font's sign is a word such as "arrow_forward" to programs.

    Args:
        words: The name; several for any of them.
    """
    any_of = "|".join(map(_spaced, words))
    behind = rf"[\W_]*{_LIGATURE}(opens in (a )?new (tab|window)[\W_]*)?{_LIGATURE}"
    return re.compile(rf"^[\W_]*{_LIGATURE}({any_of}){behind}$", re.IGNORECASE)


def begins_with(words: str) -> re.Pattern[str]:
    """A name that begins with these words and goes on, such as a tile's with a description."""
    return re.compile(rf"^[\W_]*{_spaced(words)}(?![\w-])", re.IGNORECASE)


def says_more_than(words: str) -> re.Pattern[str]:
    """A name that says more behind these words, in brackets or after a dash, as in "Widgets (Administrator)"."""
    return re.compile(rf"^[\W_]*{_spaced(words)}(\s*[(\[]|\s+[-\u2013\u2014\u00b7|])", re.IGNORECASE)


_LIGATURE = r"(?:[a-z0-9]+(?:_[a-z0-9]+)+[\W_]*)?"
"""It takes what follows it too: two stretches of signs side by side are tried in all ways, on texts of whole pages."""

_SIGNS = {sign: signs for signs in ("['\u2018\u2019\u02bc]", "[-\u2010\u2011\u2013]") for sign in signs[1:-1]}
"""Signs that a page has and a reader types another for: each with all that are alike."""


def _spaced(words: str) -> str:
    alike = ("".join(_SIGNS.get(sign, re.escape(sign)) for sign in word) for word in words.split())
    # Playwright hands the expression to JavaScript between slashes, so that a slash in it must be escaped.
    return r"\s+".join(alike).replace("/", r"\/")


def control(scope: Page | Locator, *names: str, outside: str = "") -> Locator:
    """The control that a reader of the guide would press: a button, a link, or an entry of a menu with that name.

    Args:
        scope: Where to look.
        names: The guide's words; several when pages word the same control differently.
        outside: What the control is not in, as a CSS selector.
    """
    # Looked for in the whole page: what makes it inert may lie around the scope.
    page = scope if isinstance(scope, Page) else scope.page
    found = _any(_by_role(scope, names)).and_(page.locator(_NOT_INERT))
    found = found.and_(page.locator(f":not({outside})")) if outside else found
    return found.filter(visible=True).first.describe(f'the control "{names[0]}"')


_NOT_INERT = ":not([inert], [inert] *)"
"""A drawer that waits beside the screen is inert: no reader can press what is in it."""


def _by_role(scope: Page | Locator, names: Sequence[str]) -> list[Locator]:
    """What can be pressed and has one of these names, by its role; none for no names."""
    if not names:
        return []
    roles: tuple[Role, ...] = ("button", "link", "menuitem", "tab")
    # One expression for all names: Playwright hands a locator to the page at each look, whole.
    found = [scope.get_by_role(role, name=on_control(*names)) for role in roles]
    # An icon beside the words may have a name of its own, or the control another one than it shows.
    return [*found, scope.locator(_LOOKS_PRESSABLE).filter(has_text=on_control(*names))]


_LOOKS_PRESSABLE = (
    ":is(button, a:is([href], [tabindex], [onclick]), [role=button], [role=link], [role=menuitem], [role=tab])"
    ":not([aria-hidden=true], [aria-hidden=true] *)"
    ":not([aria-label*=delet i], [aria-label*=remov i], [aria-label*=revok i], [aria-label*=cancel i])"
)
"""What shows its words on a control, whatever its name is, unless that tells of something else to be done."""


def saying(scope: Page | Locator, words: str) -> Locator:
    """What says these words, beside what it may hold in elements of its own, such as an entry's kind.

    Args:
        scope: Where to look.
        words: The words; a page may have other apostrophes.
    """
    alike = dict.fromkeys([words, words.replace("'", "\u2019"), words.replace("\u2019", "'")])
    # Playwright's older expression in quotation marks is the one that compares an element's own text.
    return _any(
        [
            scope.get_by_text(named(words)),
            *(scope.locator(f"text={json.dumps(one, ensure_ascii=False)}") for one in alike),
        ]
    )


def panel(page: Page, *must_hold: Locator) -> Locator:
    """The innermost part of the page that holds all of these: what a reader takes for one form."""
    parts = page.locator("body, main, section, article, form, fieldset, div, dialog, [role=dialog], [role=form]")
    for held in must_hold:
        parts = parts.filter(has=held)
    return parts.last


_DOES_NOT_SEND = re.compile(
    r"close|cancel|back|show|hide|reveal|forg|reset|sign ?up|create|register|google|github|apple|microsoft|sso|saml"
    r"|single|help|terms|privacy|policy|trouble|another|different|instead|learn|resend|\u00d7|\u2715",
    re.IGNORECASE,
)


def press_send(filled: Locator, *names: str) -> None:
    """Send the form that a field is in: by a control with one of these names, else by the only one that can send it.

    Where no control can be told to send it, Enter is pressed in the field, as a reader would.

    Args:
        filled: The field that was filled last.
        names: What such controls are usually called, the best first.
    """
    page = filled.page
    dialogue = page.locator("dialog, [role=dialog]").filter(has=filled)
    # A tab or a link of the same name may stand above the form: what submits it comes first.
    own = page.locator("form").filter(has=filled).last
    submits = own.locator("button:not([type=button], [type=reset]), input[type=submit], input[type=image]")
    for name in names:
        if (button := control(own, name).and_(submits)).is_visible():
            button.click()
            return
    for name in names:
        form = dialogue.last if dialogue.count() else panel(page, filled, control(page, name))
        if control(form, name).is_visible():
            control(form, name).click()
            return
    form = page.locator("form, dialog, [role=dialog], [role=form]").filter(has=filled).last
    others = form.get_by_role("button").or_(form.get_by_role("link")).filter(visible=True, has_not_text=_DOES_NOT_SEND)
    words = [button for button in others.all() if not _DOES_NOT_SEND.search(button.get_attribute("aria-label") or "")]
    if len(words) == 1:
        words[0].click()
    else:
        filled.press("Enter")


def can_be_pressed(wanted: Locator) -> bool:
    """Whether a reader could press it now: it is on the screen or can be scrolled to, and nothing lies over it."""
    try:
        wanted.click(trial=True, timeout=PRESSABLE * 1000)
    except PlaywrightError:
        return False
    return True


def on_page(wanted: Locator) -> bool:
    """Whether a reader can see it by scrolling: what is put off the page's edge is there for programs only."""
    return bool(
        wanted.evaluate_all(
            """all => all.length > 0 && (el => {
                const box = el.getBoundingClientRect();
                return el.checkVisibility({visibilityProperty: true}) && box.width > 0 && box.height > 0
                    && box.right + scrollX > 0 && box.bottom + scrollY > 0;
            })(all[0])"""
        )
    )


def _any(locators: Sequence[Locator]) -> Locator:
    return reduce(Locator.or_, locators)


# -- waiting ------------------------------------------------------------------------------------------------------


def first_visible(*wanted: Locator, timeout: float | None = None) -> Locator:
    """Wait until one of these is visible and return it; the earlier in the list wins.

    Args:
        wanted: What may come.
        timeout: Seconds; None for Playwright's default.

    Raises:
        Stuck: None of them came.
    """
    deadline = time.monotonic() + (timeout or default_timeout())
    union = _any([locator.filter(visible=True).first for locator in wanted])
    while True:
        left = deadline - time.monotonic()
        try:
            expect(union.first).to_be_visible(timeout=max(left, 0.001) * 1000)
        except AssertionError:
            said = " or ".join(describe(locator) for locator in wanted)
            raise Stuck(f"{said} did not appear", looked_for=said) from None
        if len(wanted) == 1:
            return wanted[0]
        for locator in wanted:
            if locator.filter(visible=True).first.is_visible():
                return locator


def describe(locator: Locator) -> str:
    """A locator in words: its description, if it was given one."""
    return locator.description or str(locator).removeprefix("<Locator ").removesuffix(">")


def until(
    page: Page,
    look: Callable[[], T | None],
    *,
    timeout: float | None = None,
    again: float = LOOK_AGAIN,
    at_once: bool = False,
    changes_it: bool = False,
) -> T | None:
    """Look at the page now and after each of its changes until `look` returns something; None when time is over.

    For what Playwright's own waits cannot express, such as a value that has to be understood first. The next look sees
    what changes during one.

    Args:
        page: The page whose changes are waited for.
        look: Returns what it found, or None to be called again after the next change.
        timeout: Seconds; None for Playwright's default.
        again: Seconds after which it is looked again although no change was seen.
        at_once: The first look is taken as the page stands: what lies over it has just been closed.
        changes_it: The look itself changes the page, such as by pressing a button: what changes during it is its own.
    """
    deadline = time.monotonic() + (timeout or default_timeout())
    with _Changes(page, ours=changes_it) as changes:
        while True:
            # A dialogue hides the page behind it from every look: Playwright lets the handlers close it before it
            # expects. A slow navigation, or what cannot be closed, may outlast that: the look then says what is there.
            if not at_once:
                with suppress(AssertionError):
                    waits = max(deadline - time.monotonic(), LOOK_AGAIN)
                    expect(page.locator("html")).to_be_attached(timeout=waits * 1000)
            at_once = False
            try:
                found = look()
            except PlaywrightError as error:
                # A look that was overtaken by a navigation has seen a page that is no longer there.
                if "context was destroyed" not in error.message:
                    raise
                found = None
            if found is not None:
                return found
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            changes.wait(min(left, again))


class _Changes:
    """The changes of a page, watched from the first wait on until the block ends.

    Args:
        page: The page.
        ours: What changes between two waits is no news: each wait is for what comes then.
    """

    def __init__(self, page: Page, *, ours: bool) -> None:
        self._page = page
        self._ours = ours
        self._watched: JSHandle | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        # A page that was interrupted, or did not answer, is asked nothing more: that has no limit.
        if self._watched and (error is None or issubclass(error, GuiderunnerError)):
            with suppress(PlaywrightError):  # the page was left, and what watched it with it
                self._watched.evaluate("changes => changes.end()")
                self._watched.dispose()

    def wait(self, at_most: float) -> None:
        """Wait for a change since the last wait: the first time not at all, since nobody has watched before.

        Args:
            at_most: Seconds.
        """
        try:
            if self._watched is None:
                self._watched = self._page.evaluate_handle(_CHANGES_JS)
                if not self._ours:
                    return
            self._watched.evaluate("(changes, [ms, anew]) => changes.wait(ms, anew)", [at_most * 1000, self._ours])
        except PlaywrightError:
            # A navigation ended the script: that is a change. A closed page says so at the next look.
            self._watched = None
            if not self._page.is_closed():
                self._page.wait_for_load_state("domcontentloaded")


_CHANGES_JS = """() => {
    let changed = false, told = null;
    const observer = new MutationObserver(() => { changed = true; told?.(); });
    observer.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
    return {
        wait: (ms, anew) => new Promise(done => {
            if (anew) changed = false;
            told = () => { changed = false; told = null; clearTimeout(late); done(); };
            const late = setTimeout(() => told?.(), ms);
            if (changed) told();
        }),
        end: () => observer.disconnect(),
    };
}"""


def default_timeout() -> float:
    """Seconds that a page is given to show what a step waits for."""
    return _patience["seconds"]


def set_default_timeout(context: BrowserContext, seconds: float) -> None:
    """Give the pages of `context` so many seconds to show what a step waits for."""
    _patience["seconds"] = seconds  # beside expect's own, which Playwright keeps for the whole process too
    expect.set_options(timeout=seconds * 1000)
    context.set_default_timeout(seconds * 1000)


# -- what the page says -------------------------------------------------------------------------------------------


def lines(page: Page) -> list[str]:
    """The page's visible text, line by line; that of its shadow trees at the end."""
    body = page.locator("body")
    texts = [body.inner_text()]
    with suppress(PlaywrightError):  # the page is being left, and its shadow trees with it
        texts += body.evaluate_all(_IN_SHADOWS_JS)
    return [line for text in texts for raw in text.splitlines() if (line := " ".join(raw.split()))]


_IN_SHADOWS_JS = """bodies => {
    const texts = [];
    const seen = el => el.checkVisibility({visibilityProperty: true}) && !el.matches('style, script');
    const look = root => {
        for (const {shadowRoot} of root.querySelectorAll('*')) {
            if (!shadowRoot) continue;
            for (const el of shadowRoot.children) if (seen(el)) texts.push(el.innerText || '');
            look(shadowRoot);
        }
    };
    bodies.forEach(look);
    return texts;
}"""


def new_lines(page: Page, before: Iterable[str]) -> list[str]:
    """What the page says now and did not say before."""
    known = set(before)
    return [line for line in lines(page) if line not in known]


def alerts(page: Page) -> list[str]:
    """What the page says aloud: the texts of its alerts, line by line."""
    texts = page.get_by_role("alert").filter(visible=True).all_inner_texts()
    return [line for text in texts for raw in text.splitlines() if (line := " ".join(raw.split()))]


def controls_on(page: Page, most: int = 20) -> list[str]:
    """Role and name of the controls that a reader sees, for the message of a failure; those of the main part first."""
    parts = [*page.get_by_role("main").all(), page.locator("body")]
    roles = "button|link|menuitem|tab|textbox|searchbox|radio|checkbox|combobox|heading"
    control = re.compile(rf'^\s*- [\'"]?({roles}) "((?:[^"\\]|\\.)*)"', re.MULTILINE)
    found = [pair for part in parts for pair in control.findall(part.aria_snapshot())]
    said = list(dict.fromkeys(f'{role} "{name}"' for role, name in found))
    return said if len(said) <= most else [*said[:most], f"and {len(said) - most} more"]


# -- fields and values by the words beside them -------------------------------------------------------------------

_LEADS_NOWHERE = ":not([href]), [href='#'], [href^='javascript:']"
"""A link that is pressed like a button; another one would lead away from the page."""

_WORDS_JS = """
const clean = text => (text || '').replace(/\\s+/g, ' ').trim();
const seen = el => !!el && el.checkVisibility({visibilityProperty: true}) && el.getClientRects().length > 0;
const byId = (el, ids) => clean(
    ids.split(/\\s+/).map(id => el.getRootNode().getElementById?.(id)?.textContent || '').join(' '));
// Words that are bound to a field, as assistive technology reads them.
const bound = el => [
    el.getAttribute('aria-label'),
    byId(el, el.getAttribute('aria-labelledby') || ''),
    ...[...(el.labels || [])].map(label => label.textContent),
].map(clean).filter(Boolean);
// Words that stand before an element, nearest first, back to the previous element for which `stop` holds.
const near = (el, stop) => {
    const texts = [];
    // A shadow tree's words come first, then those before its host.
    for (let at = el; at && texts.length < 5; at = at.getRootNode().host) {
        const root = at.getRootNode();
        const walker = document.createTreeWalker(root.body || root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
        walker.currentNode = at;
        for (let node = walker.previousNode(); node && texts.length < 5; node = walker.previousNode()) {
            if (node.nodeType === Node.ELEMENT_NODE) {
                if (stop(node) && !node.contains(at) && seen(node)) return texts;
            } else if (clean(node.textContent) && (node.parentElement ? seen(node.parentElement) : true)
                       && !node.parentElement?.closest('button, [role=button], option, script, style')) {
                texts.push(clean(node.textContent));
            }
        }
    }
    return texts;
};
const isField = el => el.matches('input:not([type=hidden]), select, textarea, [role=textbox], [role=combobox]');
const copies = el => el.matches(`button, [role=button], input[type=button], :is(a, [role=link]):is(LEADS_NOWHERE)`)
    && /\\bcop(y|ied)\\b/i.test(`${el.getAttribute('aria-label')} ${el.textContent} ${el.title}`);
// All elements, those of shadow trees at the place of their host.
const everything = root => [...root.querySelectorAll('*')].flatMap(el =>
    el.shadowRoot ? [el, ...everything(el.shadowRoot)] : [el]);
""".replace("LEADS_NOWHERE", _LEADS_NOWHERE)


@dataclass(frozen=True)
class Field:
    """A visible field and the words that tell what it is for."""

    locator: Locator
    bound: tuple[str, ...]
    near: tuple[str, ...]
    hints: tuple[str, ...]

    def __str__(self) -> str:
        return " / ".join([*self.bound, *self.near[:1], *self.hints][:2]) or "a field without a label"


def fields(candidates: Locator) -> list[Field]:
    """The visible fields among the candidates with the words of each."""
    seen = candidates.filter(visible=True)
    words = seen.evaluate_all(
        f"""all => {{ {_WORDS_JS}
            return all.map(el => ({{bound: bound(el), near: near(el, isField),
                hints: [el.placeholder, el.autocomplete, el.name, el.id, el.type].map(clean).filter(Boolean)}}));
        }}"""
    )
    return [
        Field(seen.nth(index), tuple(said["bound"]), tuple(said["near"]), tuple(said["hints"]))
        for index, said in enumerate(words)
    ]


def field(candidates: Locator, looked_for: str, *patterns: str, timeout: float | None = None) -> Locator:
    """The field that a reader would fill: by its label, else by the words before it, else the only one there is.

    Args:
        candidates: Where it may be, such as all text boxes of a panel.
        looked_for: What it is for, in the guide's words, for the message.
        patterns: Regular expressions for its words, the best first.
        timeout: Seconds; None for Playwright's default.

    Raises:
        Stuck: No field, or several and none has such words.
    """
    page = candidates.page
    there: list[Field] = []

    def look() -> Locator | None:
        there[:] = fields(candidates)
        for words in ("bound", "near", "hints"):
            for pattern in patterns:
                for one in there:
                    if any(re.search(pattern, text, re.IGNORECASE) for text in getattr(one, words)):
                        return one.locator
        return there[0].locator if len(there) == 1 else None

    found = until(page, look, timeout=timeout)
    if found is None:
        said = ", ".join(map(str, there)) or "none"
        raise Stuck(
            f"there is no field for the {looked_for}; the fields there are: {said}",
            looked_for=looked_for,
            place=candidates,
        )
    return found.describe(f"the field for the {looked_for}")


@dataclass(frozen=True)
class Shown:
    """A value that the page shows, in a field or as a word of its own, with the words before it, nearest first."""

    words: tuple[str, ...]
    value: str
    in_field: bool


def shown_values(page: Page) -> list[Shown]:
    """All values that the page shows: contents of fields, and texts of one word that stand alone."""
    found = page.evaluate(
        f"""() => {{ {_WORDS_JS}
            const shown = [];
            for (const el of everything(document.body)) {{
                if (!seen(el)) continue;
                if (el.matches('input:not([type=hidden]):not([type=checkbox]):not([type=radio]), textarea')) {{
                    if (el.value && el.type !== 'password')
                        shown.push({{words: [...bound(el), ...near(el, isField)], value: el.value, in_field: true}});
                }} else if (!el.children.length || [...el.childNodes].some(n => n.nodeType === 3 && clean(n.data))) {{
                    // A button beside a value may stand in the same element.
                    const apart = [...el.children].some(child => child.matches('button, [role=button]'));
                    const own = [...el.childNodes].filter(n => n.nodeType === 3).map(n => n.data).join('');
                    const text = clean(apart ? own : el.textContent);
                    if (text.length > 2 && text.length < 300 && !/\\s/.test(text))
                        shown.push({{words: [...bound(el), ...near(el, isField)], value: text, in_field: false}});
                }}
            }}
            return shown;
        }}"""
    )
    return [Shown(tuple(one["words"]), one["value"], one["in_field"]) for one in found]


@dataclass(frozen=True)
class CopyButton:
    """A button that copies, with its name and the words before it, nearest first."""

    locator: Locator
    words: tuple[str, ...]


def copy_buttons(page: Page) -> list[CopyButton]:
    """All buttons of the page whose name says that they copy, and links that look like such."""
    name = re.compile(r"\bcop(y|ied)\b", re.IGNORECASE)
    links = page.get_by_role("link", name=name).and_(page.locator(f":is({_LEADS_NOWHERE})"))
    found = page.get_by_role("button", name=name).or_(links).filter(visible=True)
    words = found.evaluate_all(
        f"""all => {{ {_WORDS_JS}
            return all.map(el =>
                [...bound(el), clean(el.textContent), clean(el.title), ...near(el, copies)].filter(Boolean));
        }}"""
    )
    return [CopyButton(found.nth(index), tuple(said)) for index, said in enumerate(words)]


# -- what a page's own Copy button hands over ---------------------------------------------------------------------

_COPIED = "__copied_here"

_CAPTURE_JS = """(() => {
    // What the page copies stays in the page: the system's clipboard belongs to every tab and every run.
    let copied = null;
    Object.defineProperty(window, 'COPIED', {get: () => copied, set: value => { copied = value; }, enumerable: false});
    if (window.Clipboard) {
        Clipboard.prototype.writeText = async function (text) { copied = String(text); };
        Clipboard.prototype.write = async function (items) {
            for (const item of items)
                if (item.types.includes('text/plain')) copied = await (await item.getType('text/plain')).text();
        };
    }
    const command = Document.prototype.execCommand;
    Document.prototype.execCommand = function (name, ...rest) {
        if (String(name).toLowerCase() !== 'copy') return command.call(this, name, ...rest);
        const field = this.activeElement;
        const selected = field && typeof field.selectionStart === 'number'
            ? field.value.slice(field.selectionStart, field.selectionEnd) : String(this.getSelection());
        const event = new ClipboardEvent('copy', {clipboardData: new DataTransfer(), bubbles: true, cancelable: true});
        (field || this).dispatchEvent(event);
        copied = event.clipboardData.getData('text/plain') || selected;
        return true;
    };
})()""".replace("COPIED", _COPIED)


def capture_copies(page: Page) -> None:
    """From the next document on, keep in the page what its Copy buttons hand over (the clipboard is never touched)."""
    page.add_init_script(_CAPTURE_JS)


def copied_by(button: Locator, *, timeout: float = 5) -> str | None:
    """Press a Copy button and return what it handed over; None if it handed over nothing.

    Args:
        button: The button.
        timeout: Seconds that the page may take to hand it over.
    """
    page = button.page
    # A dialogue may come and hide it at any moment: `until` has it closed, and these looks do not wait.
    words = until(page, lambda: button.all_inner_texts() or None, timeout=timeout)
    before = lines(page)
    page.evaluate(f"() => {{ window.{_COPIED} = null; }}")
    button.click()
    copied = until(page, lambda: page.evaluate(f"() => window.{_COPIED}"), timeout=timeout)

    def says_so() -> bool:
        says = any(re.search(r"\bcopied\b", line, re.IGNORECASE) for line in new_lines(page, before))
        return says or button.all_inner_texts() != words

    # "Copied!" stands there for a moment; the next screenshot shows the page as a reader finds it.
    until(page, lambda: None if says_so() else True, timeout=timeout)
    return copied


# -- choosing one of several --------------------------------------------------------------------------------------

_STATES = ("aria-checked", "aria-selected", "aria-pressed")
Role = Literal["radio", "option", "menuitemradio", "button", "link", "menuitem", "tab", "checkbox"]
CHOICES: tuple[Role, ...] = ("radio", "option", "menuitemradio", "button", "link", "menuitem", "tab", "checkbox")
_PRESSABLE = "button, a, label, [tabindex], [role=button], [role=radio], [role=option], [role=link], [role=tab]"
"""What a reader presses as a whole, such as a card with a heading and a description."""


def choose(scope: Page | Locator, words: str, *, leads_on: bool = False, timeout: float | None = None) -> Locator:
    """Choose what is offered under these words: a radio, a tile, an entry of a list, or an option of a select.

    What carries the words is pressed as a reader would press it (a tile's input may have no size, so that only its
    label can be pressed), and where the page tells whether it is chosen, that is checked.

    Args:
        scope: Where to look.
        words: The guide's words.
        leads_on: The page may go on as soon as it is chosen: what comes then tells whether it is.
        timeout: Seconds; None for Playwright's default.

    Returns:
        What was pressed.

    Raises:
        Stuck: Nothing is offered under these words, or it did not become chosen.
    """
    pressed = choice(scope, words, timeout=timeout)
    # A dialogue may come just now and hide it: `until` has it closed; Playwright's reading verbs would wait in vain.
    what = until(pressed.page, lambda: pressed.evaluate_all(_WHAT_IT_IS, [_LISTS, *_STATES]), timeout=timeout)
    if what is None:
        raise Stuck(f'"{words}" is no longer offered', looked_for=f'the choice "{words}"')
    if what["select"]:
        option = pressed.get_by_role("option", name=named(words), include_hidden=True).first
        pressed.select_option(label=(option.text_content() or "").strip())
        return pressed
    if what["list"]:
        # The entries are behind a closed list.
        choose_from(pressed, words, timeout=timeout)
        return pressed
    pressed.click()
    if leads_on:
        return pressed
    radio = scope.get_by_role("radio", name=re.compile(rf"\b{_spaced(words)}\b", re.IGNORECASE))
    try:
        for state in what["tells"]:
            expect(pressed).to_have_attribute(state, "true")
        if radio.count() == 1:
            expect(radio).to_be_checked()
    except AssertionError:
        raise Stuck(f'"{words}" was pressed and did not become chosen', looked_for=words, place=pressed) from None
    return pressed


_LISTS = "[role=combobox], [aria-haspopup=listbox]"

_WHAT_IT_IS = """([el], [lists, ...states]) => el ? {
    select: el.matches('select'), list: el.matches(lists), tells: states.filter(state => el.hasAttribute(state)),
} : null"""
"""What stands for a choice, and by which attributes it tells whether it is chosen; null when it is not there."""


def choice(scope: Page | Locator, words: str, *, timeout: float | None = None) -> Locator:
    """What is to be pressed to choose what is offered under these words; the closed list where there is only that.

    Args:
        scope: Where to look.
        words: The guide's words.
        timeout: Seconds; None for Playwright's default.

    Raises:
        Stuck: Nothing is offered under these words.
    """
    page = scope if isinstance(scope, Page) else scope.page
    carriers = _carriers(scope, words)
    lists = scope.get_by_role("combobox").or_(scope.locator("[aria-haspopup=listbox]"))

    def look() -> Locator | None:
        controls, others = carriers[:3], carriers[3:]
        shown = (locator.filter(visible=True).first for locator in [*controls, _selects_card(scope, words), *others])
        found = next((locator for locator in shown if locator.is_visible()), None)
        return found or _radio_with_more_words(scope, words)

    if until(page, lambda: look() or (True if lists.first.is_visible() else None), timeout=timeout) is None:
        region = None if isinstance(scope, Page) else scope
        raise Stuck(f'"{words}" is not offered', looked_for=f'the choice "{words}"', place=region)
    wanted = until(page, look, timeout=LATE)
    return (wanted or lists.first).describe(f'the choice "{words}"')


def offered(scope: Page | Locator, words: str) -> Locator:
    """What stands for a choice under these words, whether it can be told yet what is to be pressed or not."""
    # A description below the words follows them without a space in the label's text.
    more = scope.locator("label").filter(has_text=re.compile(rf"^[\W_]*{_spaced(words)}", re.IGNORECASE))
    return _any([*_carriers(scope, words), more]).filter(visible=True)


def _carriers(scope: Page | Locator, words: str) -> list[Locator]:
    """What may carry a choice's words, the best first: a select, a label, a control, bare words, a card."""
    page = scope if isinstance(scope, Page) else scope.page
    name = named(words)
    return [
        scope.locator("select").filter(has=page.get_by_role("option", name=name, include_hidden=True)),
        scope.locator("label").filter(has_text=name),
        _any([scope.get_by_role(role, name=name) for role in CHOICES]),
        scope.get_by_text(words, exact=True).and_(scope.locator(":not(option, h1, h2, h3, h4, h5, h6, title)")),
        scope.locator(_PRESSABLE).filter(has=page.get_by_role("heading", name=name)).last,
    ]


def _selects_card(scope: Page | Locator, words: str) -> Locator:
    """**Select** in the card of these words, which may do nothing itself; none where it cannot be told whose it is."""
    page = scope if isinstance(scope, Page) else scope.page
    selects = page.get_by_role("button", name=named("Select", "Choose", f"Select {words}", f"Choose {words}"))
    card = scope.locator("div, li, article, section, label").filter(has=selects).filter(has=saying(page, words)).last
    card = card.filter(has_not=selects.nth(1)).filter(has_not=page.get_by_role("radio"))
    return card.get_by_role("button").and_(selects).and_(page.locator(":not([aria-haspopup], [aria-expanded])"))


def _radio_with_more_words(scope: Page | Locator, words: str) -> Locator | None:
    """What to press for a radio whose name says more than the words, or for one that stands before the bare words."""
    page = scope if isinstance(scope, Page) else scope.page
    radios = scope.get_by_role("radio")
    named_more = radios.and_(page.get_by_role("radio", name=begins_with(words)))
    if named_more.count() == 1:
        if named_more.is_visible():
            return named_more
        # Such as a tile whose input has no size: its label is what a reader sees.
        label = page.locator(f'label[for="{named_more.get_attribute("id")}"]').or_(
            page.locator("label").filter(has=named_more)
        )
        return label.first if label.first.is_visible() else None
    after = radios.evaluate_all("all => all.map(el => (!el.labels.length && el.nextSibling?.nodeValue || '').trim())")
    wanted = [index for index, text in enumerate(after) if text.casefold() == words.casefold()]
    return radios.nth(wanted[0]) if len(wanted) == 1 and radios.nth(wanted[0]).is_visible() else None


def tick(box: Locator) -> None:
    """Tick a checkbox as a reader would: where the box itself has no size or is hidden, its label is what they see.

    Args:
        box: The `input`.
    """
    name = box.get_attribute("id")
    of_its_own = box.page.locator(f'label[for="{name}"]') if name else None
    label = of_its_own if of_its_own and of_its_own.count() else box.locator("xpath=ancestor::label[1]")
    seen = box.bounding_box() if box.is_visible() else None
    has_size = bool(seen and seen["width"] > 1 and seen["height"] > 1)
    if not label.count() or (has_size and can_be_pressed(box)):
        box.check()
        return
    # At its beginning: a link to the terms may stand in its middle.
    label.first.click(position={"x": 3, "y": 3})
    expect(box).to_be_checked()


_NAVIGATION = (
    "nav, [role=navigation], [role=banner],"
    " header:not(:is(main, [role=main], article, section, form, dialog, [role=dialog]) *)"
)
_NOT_IN_NAVIGATION = f":not(:is({_NAVIGATION}) *)"


def choose_from(chooser: Locator, words: str, *, timeout: float | None = None) -> None:
    """Choose an entry of a native select or of an ARIA combobox whose options may come late or stand elsewhere.

    Args:
        chooser: The select, the combobox, or the button that opens a listbox.
        words: The entry's name.
        timeout: Seconds; None for Playwright's default.

    Raises:
        Stuck: There is no such entry (the sentence lists those there are), or it did not become chosen.
    """
    page = chooser.page
    native = bool(chooser.evaluate("el => el.matches('select')"))
    scope: Page | Locator = chooser if native else page
    roles: tuple[Role, ...] = ("option", "menuitemradio", "menuitem")
    # A menu of the page may show an entry of the same name all the time, such as the workspaces that one may switch to.
    own = page.locator("*" if chooser.evaluate(f"el => !!el.closest('{_NAVIGATION}')") else _NOT_IN_NAVIGATION)
    options = _any([scope.get_by_role(role) for role in roles]).and_(own)
    wanted = _any([scope.get_by_role(role, name=named(words)) for role in roles]).and_(own)
    # An entry may say more than its name, such as its kind: in an element of its own, or after a bracket or a dash.
    with_more = _any([scope.get_by_role(role, name=says_more_than(words)) for role in roles]).and_(own)

    def entry_of(wanted: Locator, with_more: Locator) -> Locator | None:
        return wanted.first if wanted.count() else with_more.first if with_more.count() == 1 else None

    if native:
        option = until(page, lambda: entry_of(wanted, with_more), timeout=timeout)
        if option is None:
            raise _not_offered(words, options, chooser)
        chooser.select_option(label=(option.text_content() or "").strip())
        return
    said = saying(page, words)
    wanted = _any([wanted, options.filter(has=said), options.and_(said)])
    # An open list may hide the rest of the page from every look by role: the element itself is kept.
    element = chooser.element_handle()
    typed = bool(element.evaluate("el => el.matches('input:not([readonly])')"))
    chooser.click()
    if chooser.count():
        element = chooser.element_handle()  # it may be made anew when it opens

    def look() -> Locator | None:
        return entry_of(wanted.filter(visible=True), with_more.filter(visible=True)) or _beside_roles(element, said)

    entry = _typed(page, element, words, look, timeout) if typed else until(page, look, timeout=timeout)
    if entry is None and typed:
        element.fill("")
        until(page, lambda: options.filter(visible=True).count() or None, timeout=LATE)
    if entry is None:
        raise _not_offered(words, options.filter(visible=True), options.filter(visible=True))
    entry.click()
    if not until(page, lambda: _says(chooser, element, words) or None):
        raise Stuck(f'"{words}" was pressed in the list and did not become chosen', looked_for=words, place=chooser)


def _typed(
    page: Page, box: ElementHandle, words: str, look: Callable[[], Locator | None], timeout: float | None
) -> Locator | None:
    """The entry that comes of typing its words into a box that filters by them; None if none does.

    Such a box loads or filters its options by what is typed, and keeps typed text without choosing any of them.
    """
    box.fill(words)
    before = re.split("['\u2018\u2019\u02bc]", words)[0].strip()
    if before not in ("", words):
        # It may take an apostrophe for another than the page's own.
        if entry := until(page, look, timeout=LATE):
            return entry
        box.fill(before)
    return until(page, look, timeout=timeout)


def _beside_roles(chooser: ElementHandle, said: Locator) -> Locator | None:
    """An entry of a list that has its roles on elements of no size, beside those that a reader sees."""
    controlled = chooser.get_attribute("aria-controls")
    around = said.page.locator(f"[id={json.dumps(controlled)}]").locator("xpath=..")
    found = around.locator(said).filter(visible=True)
    return found.first if controlled and found.count() else None


def _says(chooser: Locator, element: ElementHandle, words: str) -> bool:
    """Whether a chooser shows these words: in itself, or beside its input, as where that only takes the typing."""
    script = """el => {
        if (!el.isConnected) return null;
        const said = [el.value || el.textContent || ''];
        const others = 'input:not([type=hidden]), select, textarea, button, [role=combobox], [role=option], h1, h2, h3';
        for (let at = el.parentElement, n = 0; at && n < 4; at = at.parentElement, n++) {
            if ([...at.querySelectorAll(others)].some(other => other !== el && !other.closest('[hidden]'))) break;
            said.push(at.textContent || '');
        }
        return said.join(' ');
    }"""
    said = element.evaluate(script)
    if said is None and chooser.count():
        said = chooser.first.evaluate(script)
    return bool(re.search(_spaced(words), str(said), re.IGNORECASE))


def _not_offered(words: str, options: Locator, place: Locator) -> Stuck:
    offered = ", ".join(f'"{" ".join(text.split())}"' for text in options.all_text_contents()) or "nothing"
    return Stuck(f'"{words}" is not offered; offered are: {offered}', looked_for=words, place=place)


# -- what lies over a page ----------------------------------------------------------------------------------------

_REFUSE = (
    r"(reject|decline|refuse|deny)( all| optional)?( cookies)?|(only |use )?(necessary|essential)( only| cookies)*"
)
_CLOSE = (
    r"(close|dismiss)"
    r"( (the |this )?(modal|dialog(ue)?|window|pop-?up|overlay|message|notification|announcement|banner))?"
)
_ACCEPT = (
    rf"({_CLOSE}|accept|allow|agree|i agree|got it|ok|okay|i understand|understood)"
    r"( to)?( all)?( cookies)?( and close)?"
)
_DISMISS = (
    rf"{_CLOSE}|got it|skip|skip (tour|for now)|not now|no,? thanks|maybe later|later|ok|okay|done|x|\u00d7|\u2715"
)

_NEWS = re.compile(r"what.s new|new (feature|look)\b|introducing|announc|release notes|\btour\b", re.IGNORECASE)


def dismiss_interruptions(
    page: Page,
    on_dismiss: Callable[[str], None],
    *,
    never: Sequence[str],
    keep: re.Pattern[str] | None = None,
    closes: str = "",
) -> None:
    """Close cookie banners and what's-new dialogues whenever one lies over the page, as a reader would.

    A banner's refusal is preferred to its consent. A dialogue counts as an interruption only if it has a way to close
    it, asks for nothing (no field to fill) and holds none of the controls that the guide uses.

    Args:
        page: The page.
        on_dismiss: Told what lay there, and with what it was closed.
        never: The guide's words for controls; a dialogue that holds one of them is part of the work.
        keep: A dialogue with such words is part of the work too.
        closes: CSS selector of what is known to close something that is never part of the work, in any language.
    """

    def words(pattern: str) -> re.Pattern[str]:
        return re.compile(rf"^[^\w\u00d7\u2715]*({pattern})[^\w\u00d7\u2715]*$", re.IGNORECASE)

    def closing(*patterns: str) -> Locator:
        name = words("|".join(patterns))
        return page.get_by_role("button", name=name).or_(page.get_by_role("link", name=name))

    def without(dialogues: Locator, names: Sequence[str]) -> Locator:
        for each in _by_role(page, names):
            dialogues = dialogues.filter(has_not=each.and_(page.locator(_NOT_INERT)).filter(visible=True))
        return dialogues

    cookie = re.compile("cookie", re.IGNORECASE)
    # On most pages no word of it stands anywhere, and no part has to be asked.
    parts = page.locator("body").filter(has_text=cookie).locator(_PARTS).filter(has_text=cookie)
    ways = []
    for pattern in (_REFUSE, _ACCEPT):
        banner = parts.filter(has=closing(pattern)).last
        ways.append(banner.locator(closing(pattern)).first)

    dialogue = page.locator("dialog, [role=dialog], [role=alertdialog]").filter(visible=True)
    asks = page.locator("input:not([type=checkbox]):not([type=hidden]), select, textarea")
    dialogue = dialogue.filter(has_not=asks)
    if keep:
        dialogue = dialogue.filter(has_not_text=keep)
    # Looked for before every act: what lies there at all, in few words. What it is, is asked when something does.
    closable = _any([dialogue.locator(closing(_DISMISS)), parts.locator(closing(_REFUSE, _ACCEPT))])
    if closes:
        closable = closable.or_(page.locator(closes))
    # News may be left by the word of a guide's control, such as "Continue"; they are known by what they announce.
    dialogue = without(dialogue, [name for name in never if " " in name])
    news = dialogue.filter(has_text=_NEWS)
    dialogue = without(dialogue, [name for name in never if " " not in name])
    ways.append(page.locator(closes or ":not(*)").filter(visible=True).first)
    ways.append(dialogue.or_(news).locator(closing(_DISMISS)).first)

    work = [named(*never).pattern, keep.pattern if keep else ""]

    def press(_: Locator) -> None:
        # What cannot be closed is for the act to say that it covers. An error from here would come out of whatever call
        # is the next, of another page perhaps, when the act has long given up.
        with suppress(PlaywrightError):
            button = next((way for way in ways if way.is_visible()), None)
            if button is None or (button is ways[-1] and button.evaluate_all(_SLOTS_HOLD_JS, work)):
                return  # it has gone by itself, or is part of the work
            # Of its words only the button's: whatever else it shows may be a secret that nobody has registered yet.
            name = " ".join((button.get_attribute("aria-label") or button.inner_text()).split())
            what = "a dialogue" if button in ways[2:] else "a cookie banner"
            button.click(timeout=GOES * 1000)
            on_dismiss(f'{what}, closed with "{name}"')
            until(page, lambda: None if button.is_visible() else True, timeout=GOES)

    page.add_locator_handler(closable.filter(visible=True).first, press, no_wait_after=True)


def close_alert_over(covered: Locator) -> None:
    """Close an alert that lies over a control, such as a toast that stays until then; what it says has been read.

    Args:
        covered: The control.
    """
    page = covered.page
    if can_be_pressed(covered):
        return
    close = page.get_by_role("button", name=re.compile(rf"^\W*({_CLOSE})\W*$", re.IGNORECASE))
    said = page.get_by_role("alert").or_(page.get_by_role("status")).filter(visible=True)
    for alert in said.all():
        # Its cross stands in it, or beside it in a box of their own.
        box = alert.locator("xpath=ancestor-or-self::*[position() <= 3]").filter(has=close, has_not=covered).last
        if box.count() and _overlap(alert, covered):
            box.locator(close).last.click()
            return


def _overlap(one: Locator, other: Locator) -> bool:
    a, b = one.bounding_box(), other.bounding_box()
    if a is None or b is None:
        return False
    beside = a["x"] + a["width"] <= b["x"] or b["x"] + b["width"] <= a["x"]
    below = a["y"] + a["height"] <= b["y"] or b["y"] + b["height"] <= a["y"]
    return not (beside or below)


_SLOTS_HOLD_JS = """([button], [names, keep]) => {
    const above = el => el.assignedSlot || el.parentElement || el.getRootNode().host;
    let dialogue = button;
    while (dialogue && !dialogue.matches('dialog, [role=dialog], [role=alertdialog]')) dialogue = above(dialogue);
    const says = (el, words) => new RegExp(words, 'i').test((el.getAttribute('aria-label') || el.textContent).trim());
    const slots = [...(dialogue?.querySelectorAll('slot') || [])];
    const slotted = slots.flatMap(slot => slot.assignedElements({flatten: true}));
    const inside = root => [root, ...root.querySelectorAll('*')].flatMap(el =>
        el.shadowRoot ? [el, ...[...el.shadowRoot.children].flatMap(inside)] : [el]);
    return slotted.some(root => (keep && says(root, keep)) || inside(root).some(el =>
        el.matches('input:not([type=checkbox], [type=hidden]), select, textarea')
        || (el.matches('button, a, [role=button], [role=link]') || el.localName.includes('-')) && says(el, names)));
}"""
"""Whether what a page has put into a dialogue's slots is part of the work: no locator takes it for the dialogue's."""

_PARTS = "div, section, aside, footer, form, dialog, [role]"
"""What a cookie banner may be."""

GOES = 5.0
"""Seconds that what lies over a page is given to be closed, and to go."""
