"""The account's machine tokens in Pantheon's dashboard: Personal Settings > Machine Tokens, known by these words only.

A token is revoked only when its row is the one and only with its words: a wrong one breaks somebody's automation.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING, Any, Literal

from playwright.sync_api import Locator

from flows.wordpress_migration.pages.lists import parts
from flows.wordpress_migration.pages.loading import go_to
from flows.wordpress_migration.pages.menus import LINKS_JS
from runner.controls import (
    CHOICES,
    LATE,
    StartAgain,
    Stuck,
    alerts,
    begins_with,
    can_be_pressed,
    control,
    controls,
    first_pressable,
    first_visible,
    lines,
    named,
    new_lines,
    on_control,
    panel,
    refuses,
    until,
)
from runner.controls import field as field_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from playwright.sync_api import ElementHandle

    from flows.wordpress_migration.pages.dashboard import Dashboard

SETTINGS = "Personal Settings"
TOKENS = "Machine Tokens"
REVOKE = "Revoke Token"
CONFIRMATION = "Revoke"
SURE = "I understand the consequences. Revoke this token."

SENTENCE = 120
"""Characters in a line that says that there are no tokens, at most; a longer one explains what they are for."""

ATTEMPTS = 2
"""Times that a token is revoked: a password asked for in between may lose the first one."""

_REVOKE = begins_with(REVOKE)
_NONE = re.compile(
    r"\b(no|zero|0) ((active|existing|saved|personal|machine) )*tokens?\b"
    r"|(n.t|not|never) .*\bany .*\btokens?\b|^no (data|results|items|records|rows|entries)\b|^none( yet)?\W*$"
    r"|\bnothing (here|to (show|see|display))\b|\b(your )?first (machine )?token\b",
    re.IGNORECASE,
)
"""How pages say that there are no tokens."""

_MAKES = re.compile(r"^\W*(create|generate|add|new|make)\b.*\btoken\W*$", re.IGNORECASE)
_TROUBLE = re.compile(
    r"(could ?n.t|could not|can.t|unable to|fail(ed|ure)?( to)?|error) .*\b(load|fetch|get|show|display)"
    r"|something went wrong|try again",
    re.IGNORECASE,
)

_CHANGES = re.compile(
    r"\b(last (used?|active|access(ed)?|activity|seen|login|sign.?in|authenticated)|((never|not|not yet) |un)used"
    r"|used (\d+|on|by|once|twice|recently)|expire[sd]?|ago|just now|moments?|today|yesterday"
    r"|(last|this) (week|month|year))\b"
    r"|^\W*((in use|used|usage|uses|status|active|inactive|never|new|unknown|none|in (an?|\d+) \w+)\W*|\d{1,3}\.?"
    r"|[<~]?\s*(an?|\d+)\s*(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?|mo|months?|y|years?))$",
    re.IGNORECASE,
)
"""Words of a row that another look may find changed: when it was last used, its place, how long ago it was made."""

_LABEL = re.compile(r"^\W*(last \w+|used|expire[sd]?)( on| at)?\W*$", re.IGNORECASE)
"""A label before such words, in an element of its own."""

_ACCOUNT = re.compile(r"\b(account|profile|user|avatar|personal|my|me)\b|@", re.IGNORECASE)
_NO_MENU = re.compile(
    r"log ?out|sign ?out|close|delete|remove|save|create|\badd\b|\bnew\b|upgrade|migrate|invite|search|chat|support"
    r"|feedback|buy",
    re.IGNORECASE,
)
_MENU = re.compile(r"action|option|more|menu|manage|^\W*$", re.IGNORECASE)
_INITIALS = 3

_OPENERS = (
    "[aria-haspopup], [aria-expanded], summary, button, [role=button], "
    ":is(header, nav, aside, [role=banner], [role=navigation]) :is(a, img, div, span, svg)"
)
_OPENERS_JS = (
    "all => {"
    + LINKS_JS
    + """return all.map(el => {
    const name = el.getAttribute('aria-label') || el.innerText || el.title || el.alt
        || el.querySelector('img')?.alt || el.getRootNode().host?.innerText || '';
    const box = el.getBoundingClientRect();
    const button = el.matches('button, [role=button]');
    const menu = el.matches('[aria-haspopup], [aria-expanded], summary');
    const points = node => !!node && getComputedStyle(node).cursor === 'pointer';
    const edge = !!el.closest('header, nav, aside, [role=banner], [role=navigation]')
        || box.top < 100 || (box.left < 100 && box.bottom > innerHeight - 100 && name.trim().length < 4);
    const leaf = !button && !menu && !el.closest('a, button, [role=button], label') && points(el)
        && !points(el.parentElement);
    return {
        name: name.replace(/\\s+/g, ' ').trim(), menu, edge,
        works: button || menu || leaf || el.matches('a'),
        link: el.matches(leads) && !menu && !button || holdsLinkOnly(el),
        content: !!el.closest('main, [role=main], dialog, [role=dialog]') || el.matches('input, select, textarea'),
    };
}); }"""
)

_ROWS_JS = """all => {
    const clean = text => (text || '').replace(/\\s+/g, ' ').trim();
    const seen = el => !!el && el.checkVisibility({visibilityProperty: true});
    // A component's own button may have its words put in from outside: then the component stands for it.
    const labelled = el => [el, ...el.children].some(at => at.matches('[aria-label], [title]'));
    const named = el => clean(el.textContent) || labelled(el);
    const slots = el => el.getRootNode().host && el.getRootNode().querySelector('slot');
    const own = all.map(el => {
        while (!named(el) && slots(el)) el = el.getRootNode().host;
        return el;
    });
    const inner = own.filter(el => !own.some(other => other !== el && el.contains(other)));
    const skip = 'button, [role=button], [role=menu], [role=menuitem], select, input, textarea, script, style, form,'
        + '[role=dialog], dialog, summary, svg';
    const pieces = (box, control) => {
        const found = [];
        const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            const el = node.parentElement, text = clean(node.data);
            if (!text || !seen(el) || control.contains(el) || el.closest(skip) && box.contains(el.closest(skip)))
                continue;
            const cell = el.closest('td, [role=cell], [role=gridcell]');
            const header = cell?.closest('table, [role=table], [role=grid]')
                ?.querySelectorAll('thead tr:last-of-type > *, tr:first-of-type > th, [role=columnheader]')
                ?.[[...cell.parentElement.children].indexOf(cell)];
            const titled = el.closest('[title]');
            found.push({
                text, label: clean(header?.textContent),
                time: el.closest('time[datetime]')?.getAttribute('datetime') || '',
                title: titled && box.contains(titled) && titled !== box ? clean(titled.title) : '',
            });
        }
        return found;
    };
    const ofPage =
        /^\\W*((my |your |personal )?(machine tokens?|tokens|settings|account|profile|ssh keys))\\W*\\d*\\W*$/i;
    const makes = /^\\W*(create|generate|add|new|make)\\b.*\\btoken\\W*$/i;
    // What holds more than one row.
    const edge = (box, control) => box.matches('body, main, [role=main], table, tbody, ul, ol, [role=table],'
            + '[role=grid], [role=list], [role=rowgroup], nav, html')
        || inner.some(other => other !== control && box.contains(other))
        || !!box.querySelector('h1, thead, [role=columnheader], nav')
        || [...box.querySelectorAll('h2, h3, h4, [role=heading]')].some(el => ofPage.test(clean(el.textContent)))
        || [...box.querySelectorAll('a, button, [role=button]')].some(el => makes.test(clean(el.textContent)));
    const boxOf = control => {
        let widest = null;
        for (let box = control.parentElement; box && !edge(box, control); box = box.parentElement) {
            if (box.matches('tr, li, article, [role=row], [role=listitem]') && pieces(box, control).length) return box;
            widest = box;
        }
        return widest;
    };
    return inner.map(control => {
        const box = boxOf(control);
        const found = box && seen(box) ? pieces(box, control) : [];
        const term = box?.matches('dd') && box.previousElementSibling;
        if (term) found.unshift({text: clean(term.textContent), label: '', time: '', title: ''});
        return {at: own.indexOf(control), pieces: found};
    });
}"""


@dataclass(frozen=True)
class ListedToken:
    """A machine token as the dashboard lists it; two readings of one token are equal.

    Attributes:
        identity: Those of its row's words that stay as they are, such as its name and when it was made.
        words: All words of its row.
    """

    identity: tuple[str, ...]
    words: tuple[str, ...] = field(compare=False)

    def __str__(self) -> str:
        return ", ".join(self.words) or "a machine token without a name"


@dataclass(frozen=True)
class _Row:
    """A row of the list, what is pressed in it, and whether that only opens the menu with **Revoke Token**."""

    token: ListedToken
    control: ElementHandle
    opens: bool


class MachineTokens:
    """The page behind Personal Settings > Machine Tokens.

    Args:
        dashboard: The dashboard, on a tab that may be led there.
        address: Where the list was found before, if it was.
    """

    def __init__(self, dashboard: Dashboard, address: str | None = None) -> None:
        self.page = dashboard.page
        self._dashboard = dashboard
        self._rest = dashboard.rest
        self._address = address
        self._at_start = False

    @property
    def address(self) -> str | None:
        """Where the list is, once it was opened."""
        return self._address

    # -- the way there --------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Open the dashboard and go to its page with the machine tokens, signing in if it asks for that.

        Raises:
            Stuck: The way there is not to be found, or what the page lists cannot be told.
        """
        if self._address is not None:
            go_to(self.page, self._address)
        if self._address is None or not self._comes_back():
            self._dashboard.open()
            self._go_there()
        self._address = self.page.url
        self._at_start = True
        self._check_trouble()

    def _comes_back(self) -> bool:
        """Whether the address alone leads to the list: a tab of the settings may have to be pressed again."""
        found = self._until_signed_in(lambda: self._entry(TOKENS) or self._names_the_list(), timeout=2 * LATE)
        tokens = self._entry(TOKENS) if found else None
        if tokens is not None:
            tokens.click()
        return bool(found) and self._arrives()

    def _go_there(self) -> None:
        home = self.page.url
        if self._follow(at_rest=True):
            return
        for opener in self._openers():
            if self.page.url != home or not can_be_pressed(opener):
                # What was opened before lies over it, or led elsewhere.
                go_to(self.page, home)
                self._dashboard.reach(self._dashboard.migrate_existing_site)
                self._rest.reached()
            if not can_be_pressed(opener):
                continue
            opener.click()
            if self._follow():
                return
            self.page.keyboard.press("Escape")
        raise Stuck(
            f'"{SETTINGS}" and "{TOKENS}" are not to be found on the dashboard, nor in its menus. '
            f"Look for them there by hand",
            looked_for=SETTINGS,
        )

    def _follow(self, *, at_rest: bool = False) -> bool:
        """Press **Personal Settings** and **Machine Tokens**, as far as they are there; whether the list came.

        Args:
            at_rest: What is not there when the page has come to rest does not come; a menu's entries may.
        """

        def look() -> Locator | None:
            return self._entry(SETTINGS) or self._entry(TOKENS)

        if at_rest and look() is None:
            self._rest.reached(timeout=LATE)
        if (look() if at_rest else until(self.page, look, timeout=LATE)) is None:
            return False
        settings = self._entry(SETTINGS)
        if settings is not None:
            settings.click()
            found = self._until_signed_in(lambda: self._entry(TOKENS) or self._names_the_list())
            if found is None:
                return False
        tokens = self._entry(TOKENS)
        if tokens is not None:
            tokens.click()
        return self._arrives()

    def _entry(self, words: str) -> Locator | None:
        """What a reader would press for these words: a control, else the words themselves."""
        page = self.page
        name = re.compile(rf"{named(words).pattern[:-1]}\(?\d*\W*$", re.IGNORECASE)  # their number may stand behind
        found = [page.get_by_role(role, name=name) for role in CHOICES]
        words_alone = page.get_by_text(name).and_(page.locator(":not(h1, h2, h3, h4, [role=heading], title, option)"))
        found.append(words_alone.and_(page.locator(":not(:is(h1, h2, h3, h4, [role=heading], nav) *, [aria-current])")))
        return first_pressable(*found)

    def _openers(self) -> list[Locator]:
        """What may open the account's menu, the likeliest first; it stands at the page's right or lower end."""
        found = self.page.locator(_OPENERS).filter(visible=True)
        ranked = []
        said: list[dict[str, Any]] = found.evaluate_all(_OPENERS_JS)
        for index, one in enumerate(said):
            name = one["name"]
            of_account = bool(_ACCOUNT.search(name))
            if not one["works"] or one["content"] or (_NO_MENU.search(name) and not one["menu"]):
                continue
            if of_account and (one["edge"] or one["menu"]):
                rank = 0
            elif one["link"]:
                continue
            elif one["menu"]:
                rank = 1
            elif one["edge"]:
                rank = 2 if len(name) <= _INITIALS else 3
            else:
                continue
            ranked.append((rank, -index))
        return [found.nth(-index) for _, index in sorted(ranked)]

    def _arrives(self) -> bool:
        """Whether the page with the list comes; its content may come after its heading."""

        def look() -> bool | None:
            if not self._names_the_list():
                return None
            self._rest.reached()
            return self._rows() is not None or bool(self._trouble()) or None

        return bool(self._until_signed_in(look))

    def _names_the_list(self) -> bool | None:
        """Whether the page says that it is the one with the machine tokens; None to look again."""
        says = self.page.get_by_text(re.compile(r"^\W*(my |your )?machine tokens\W*\d*\W*$", re.IGNORECASE))
        return says.filter(visible=True).count() > 0 or None

    def _until_signed_in(self, look: Callable[[], Any], *, timeout: float | None = None) -> Any:  # noqa: ANN401 - as until
        """Look as `until` does, and sign in again when the dashboard asks for that instead."""

        def look_or_sign_in() -> Any:  # noqa: ANN401
            found = look()
            return found or (True if self._asks_to_sign_in() else None)

        found = until(self.page, look_or_sign_in, timeout=timeout)
        if found is True and self._asks_to_sign_in():
            self._sign_in()
            found = until(self.page, look, timeout=timeout)
        return found

    def _asks_to_sign_in(self) -> bool:
        """Whether a password is asked for: the account's settings may hold fields for a new one, which are not this."""
        asked = self.page.locator("input[type=password]:not([readonly], [aria-hidden=true])").filter(visible=True)
        if self._names_the_list() or control(self.page, SETTINGS).is_visible():
            asked = self.page.locator("dialog, [role=dialog]").locator(asked)
        return asked.count() == 1 or (
            self._dashboard.sign_in.is_elsewhere() and self.page.get_by_role("textbox").filter(visible=True).count() > 0
        )

    def _sign_in(self) -> None:
        page = self.page
        there = page.get_by_text(named(TOKENS)).filter(visible=True).first.describe(f'the page "{TOKENS}"')
        # Behind a dialogue that asks for the password the page is there all the while.
        if page.locator("dialog, [role=dialog]").locator("input[type=password]").filter(visible=True).count():
            self._dashboard.sign_in.perform()
            until(page, lambda: not self._asks_to_sign_in() or None)
        try:
            self._dashboard.reach(there, self._dashboard.migrate_existing_site)
        except StartAgain:
            self._dashboard.reach(self._dashboard.migrate_existing_site)

    # -- the list -------------------------------------------------------------------------------------------------

    def tokens(self) -> list[ListedToken]:
        """The account's machine tokens, on all pages of the list, in its order.

        Raises:
            Stuck: The page does not tell which there are.
        """
        return [row.token for page in self._pages() for row in page]

    @staticmethod
    def made_since(before: Sequence[ListedToken], now: Sequence[ListedToken]) -> list[ListedToken]:
        """Those of `now` that are listed more often than `before`; several tokens may have one name.

        Args:
            before: An earlier reading.
            now: A later one.
        """
        known = Counter(before)
        made = []
        for token in now:
            if known[token]:
                known[token] -= 1
            else:
                made.append(token)
        return made

    def _pages(self, upto: int | None = None) -> list[list[_Row]]:
        """The rows, page by page; stops with page number `upto` shown, counted from 0."""
        if not self._at_start:
            self.open()
        pages: list[list[_Row]] = []
        for turned in parts(self.page, self._rest):
            self._check_trouble()
            rows = self._rows()
            if rows is None:
                raise Stuck(
                    f'the page "{TOKENS}" has neither a "{REVOKE}" nor words that there are no tokens',
                    looked_for=REVOKE,
                )
            before = [row.token for row in pages[-1]] if pages else []
            if turned:
                pages.append(rows)
                self._at_start = False
            elif [row.token for row in rows][: len(before)] == before:
                pages[-1:] = [rows]
            if upto is not None and len(pages) > upto and turned:
                break
        return pages

    def _rows(self) -> list[_Row] | None:
        """The rows that the page shows; None if it does not tell."""
        page, shown = self.page, self._revoke_controls().filter(visible=True)
        if shown.count():
            return self._rows_of(shown.element_handles(), opens=False)
        cells = page.locator("table:has(th) td, [role=cell], [role=gridcell]").filter(visible=True, has_not_text=_NONE)
        if not cells.count() and any(_NONE.search(line) for line in lines(page) if len(line) < SENTENCE):
            return []
        # Such as buttons that show when the pointer is over the row, or menus that are there and closed.
        hidden = self._revoke_controls(include_hidden=True)
        if hidden.count() and (rows := self._rows_of(hidden.element_handles(), opens=True)):
            return rows
        if menus := self._row_menus():
            return self._rows_of(menus, opens=True)
        makes = page.get_by_role("button", name=_MAKES).or_(page.get_by_role("link", name=_MAKES))
        table = page.get_by_role("table").or_(page.get_by_role("grid"))
        return [] if not cells.count() and makes.or_(table).filter(visible=True).count() else None

    def _revoke_controls(self, *, include_hidden: bool = False) -> Locator:
        """All **Revoke Token**; the name may say which token's, or the words stand in a control of another name."""
        found = []
        roles: tuple[Literal["button", "link", "menuitem"], ...] = ("button", "link", "menuitem")
        for role in roles:
            names = (_REVOKE, on_control(REVOKE))
            found += [self.page.get_by_role(role, name=name, include_hidden=include_hidden) for name in names]
            found.append(self.page.get_by_role(role, include_hidden=include_hidden).filter(has_text=named(REVOKE)))
        return reduce(Locator.or_, found)

    def _rows_of(self, controls: list[ElementHandle], *, opens: bool) -> list[_Row]:
        said: list[dict[str, Any]] = self.page.evaluate(_ROWS_JS, controls)
        # What is hidden may be in no row that is shown, such as a button of a closed dialogue.
        return [_Row(_listed(row["pieces"]), controls[row["at"]], opens) for row in said if row["pieces"] or not opens]

    def _row_menus(self) -> list[ElementHandle]:
        """The buttons that open the rows' menus, known by the **Revoke Token** that the first of them opens to."""
        page = self.page
        inside = page.locator(":not(header *, nav *, aside *, [role=banner] *, [role=navigation] *, th *)")
        openers = page.locator("[aria-haspopup], [aria-expanded], summary, button, [role=button]").and_(inside)
        by_look: dict[str, list[ElementHandle]] = {}
        for one in openers.filter(visible=True).element_handles():
            look, name, menu = one.evaluate(
                """el => [`${el.tagName} ${el.className} ${el.closest('tr, li, article')?.tagName}`,
                    el.getAttribute('aria-label') || el.innerText || el.title || '',
                    el.matches('[aria-haspopup], [aria-expanded], summary')]"""
            )
            if not _NO_MENU.search(name) and (menu or _MENU.search(name)):
                by_look.setdefault(look, []).append(one)
        for alike in by_look.values():
            if not alike[0].is_enabled():
                continue
            alike[0].click()
            opened = until(page, lambda: self._revoke_controls().filter(visible=True).count() or None, timeout=LATE)
            self._close_menu(alike[0])
            if opened:
                return alike
        return []

    def _close_menu(self, opener: ElementHandle) -> None:
        shown = self._revoke_controls().filter(visible=True)
        self.page.keyboard.press("Escape")
        if not until(self.page, lambda: not shown.count() or None, timeout=LATE / 2):
            opener.click()
            until(self.page, lambda: not shown.count() or None, timeout=LATE)

    def _trouble(self) -> str:
        """What the page says instead of the list."""
        said = [line for line in lines(self.page) if _TROUBLE.search(line)]
        said += [line for line in alerts(self.page) if _refuses(line)]
        return said[0] if said and not self._revoke_controls().filter(visible=True).count() else ""

    def _check_trouble(self) -> None:
        if trouble := self._trouble():
            raise Stuck(f'the dashboard does not show the machine tokens: "{trouble}"', looked_for=TOKENS)

    # -- revoking -------------------------------------------------------------------------------------------------

    def revoke(self, token: ListedToken, *, any_alike: bool = False) -> None:
        """Revoke this token, and see that it is no longer listed.

        Args:
            token: As `tokens` returned it.
            any_alike: All that are listed in the same words may be revoked, so that it does not matter which is.

        Raises:
            Stuck: It is not listed, cannot be told from another one, or the dashboard refused.
        """
        said, before = "", self.tokens().count(token)
        for attempt in range(ATTEMPTS):
            row, others = self._the_one(token, any_alike=any_alike)
            if row is None and attempt == 0:
                raise Stuck(
                    f'the machine token "{token}" is not listed: it may have been revoked', looked_for=str(token)
                )
            if row is None:
                return
            said = self._revoke_row(row, others)
            self.open()
            if self.tokens().count(token) < before:
                return
        because = f"; it says: {said}" if said else ""
        raise Stuck(
            f'the dashboard still lists the machine token "{token}"{because}. Revoke it by hand', looked_for=REVOKE
        )

    def _the_one(self, token: ListedToken, *, any_alike: bool) -> tuple[_Row | None, set[str]]:
        """The token's row, with its page shown, and the names of the others; no row if it is not listed."""
        pages = self._pages()
        found = [number for number, rows in enumerate(pages) for row in rows if row.token == token]
        if not found:
            return None, set()
        if (len(found) > 1 and not any_alike) or not token.identity:
            raise Stuck(
                f'{len(found)} machine tokens are listed as "{token}" and cannot be told apart, so none was revoked. '
                f"Revoke the right one by hand",
                looked_for=str(token),
            )
        others = {row.token.identity[0] for rows in pages for row in rows if row.token != token and row.token.identity}
        if found[0] != len(pages) - 1:
            self.open()
            pages = self._pages(found[0]) if found[0] else [self._rows() or []]
        rows = [row for row in self._rows() or [] if row.token == token]
        if not rows or (len(rows) > 1 and not any_alike):
            raise Stuck(f'the list changed while the machine token "{token}" was looked for. Run this again')
        return rows[0], others - {token.identity[0]}

    def _revoke_row(self, row: _Row, others: set[str]) -> str:
        """Go through the dialogue, the page or the form behind a row's **Revoke Token**; returns what the page said."""
        page = self.page
        self._at_start = False
        before = lines(page)
        boxes = page.get_by_role("textbox").filter(visible=True).count()
        self._press(row)
        sure = self._sure

        def asked() -> bool | None:
            return sure.is_visible() or page.get_by_role("textbox").filter(visible=True).count() > boxes or None

        if not self._until_signed_in(asked):
            raise Stuck(f'"{SURE}" did not appear', looked_for=SURE)
        if not asked():
            return "a password was asked for"
        self._check_names(row.token, others, before)
        self._type(sure, boxes)
        first_visible(sure)
        before = lines(page)
        sure.click(no_wait_after=True)
        return self._answer(sure, before)

    @property
    def _sure(self) -> Locator:
        """The control **I understand the consequences. Revoke this token.** at the end of the question."""
        return control(self.page, SURE)

    def _press(self, row: _Row) -> None:
        page, shown = self.page, self._revoke_controls().filter(visible=True)
        if not row.opens:
            row.control.click()
            return
        if not row.control.is_visible():
            # The control is there and hidden: it shows under the pointer, or when what stands beside it is pressed.
            box = row.control.evaluate_handle(
                "el => { let at = el; while (!at.checkVisibility({visibilityProperty: true})) at = at.parentElement;"
                " return at.closest('tr, li, article, [role=row], [role=listitem]') || at; }"
            ).as_element()
            assert box  # noqa: S101 - an element's visible ancestor is an element
            box.hover()
            if not row.control.is_visible():
                opener = box.query_selector("[aria-haspopup], [aria-expanded], summary, button, [role=button]")
                if opener:
                    opener.click()
            if not until(page, lambda: row.control.is_visible() or None, timeout=LATE):
                raise Stuck(f'"{REVOKE}" does not show for the machine token "{row.token}"', looked_for=REVOKE)
            row.control.click()
            return
        row.control.click()
        until(page, lambda: shown.count() or None)
        if shown.count() != 1:
            raise Stuck(f'the menu of the machine token "{row.token}" has no "{REVOKE}" of its own', looked_for=REVOKE)
        shown.click()

    def _check_names(self, token: ListedToken, others: set[str], before: Sequence[str]) -> None:
        """Stop if what is asked names another token and not this one."""
        said = " ".join(new_lines(self.page, before))
        wrong = [name for name in others if _names(said, name)]
        if wrong and not _names(said, token.identity[0]):
            raise Stuck(f'the dashboard asks about the machine token "{wrong[0]}" instead of "{token}": not revoked')

    def _type(self, sure: Locator, boxes: int) -> None:
        page = self.page
        textbox = page.get_by_role("textbox")
        form = panel(page, controls(page, SURE, inert=True), textbox)
        candidates = form.get_by_role("textbox") if sure.is_visible() else textbox
        dialogue = page.locator("dialog, [role=dialog], [role=alertdialog]").filter(visible=True, has=textbox)
        if dialogue.count():
            candidates = dialogue.last.get_by_role("textbox")
        if textbox.filter(visible=True).count() <= boxes and not dialogue.count() and sure.is_enabled():
            return  # it asks for nothing to be typed
        box = field_of(candidates, f'word "{CONFIRMATION}"', r"\brevoke\b", r"\b(type|enter|confirm)")
        box.fill(CONFIRMATION)
        if until(page, lambda: (sure.is_visible() and sure.is_enabled()) or None, timeout=LATE) is None:
            box.fill("")
            box.press_sequentially(CONFIRMATION)  # some pages listen to the keys only

    def _answer(self, sure: Locator, before: Sequence[str]) -> str:
        """Wait until the question is gone or a password is asked for; returns what the page says.

        Raises:
            Stuck: The dashboard refused.
        """

        def look() -> str | None:
            if self._asks_to_sign_in():
                return "a password was asked for"
            said = new_lines(self.page, before)
            if not sure.is_visible():
                return ", ".join(said[:2])
            refused = [line for line in said if _refuses(line)]
            if refused:
                raise Stuck(f'the dashboard did not revoke the token: "{refused[0]}"', looked_for=SURE)
            return None

        said = until(self.page, look)
        if said is None:
            raise Stuck("the dashboard did not answer; look there whether the token was revoked", looked_for=SURE)
        self._rest.reached()  # where it leads to a sign-in, whose form may come late
        if self._asks_to_sign_in():
            self._sign_in()
            self._rest.reached()
        refused = [line for line in alerts(self.page) if line not in before and _refuses(line)]
        if refused:
            raise Stuck(f'the dashboard did not revoke the token: "{refused[0]}"', looked_for=SURE)
        return said


def _refuses(line: str) -> bool:
    """Whether a line says no; "Token revoked" is what was wanted."""
    return refuses(re.sub("revoked", "", line, flags=re.IGNORECASE))


def _names(text: str, name: str) -> bool:
    """Whether a text has this name as a whole: "deploy" is not named by "deploy-live"."""
    return bool(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text))


def _listed(pieces: Sequence[dict[str, str]]) -> ListedToken:
    """A token from its row's words, each with the heading of its column and its exact time, where they have one."""
    identity = []
    label = ""
    for piece in pieces:
        exact = piece["time"] or (piece["title"] if re.search(r"\d.*\d", piece["title"]) else "")
        changes = bool(_CHANGES.search(piece["label"]) or _CHANGES.search(label))
        if not changes and (exact or not _CHANGES.search(piece["text"])):
            identity.append(exact or piece["text"])
        # Such as "Last used", with its time in an element of its own.
        label = piece["text"] if _LABEL.search(piece["text"]) else ""
    return ListedToken(tuple(identity), tuple(piece["text"] for piece in pieces))
