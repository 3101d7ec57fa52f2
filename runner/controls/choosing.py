"""Chooses one of several: a radio, a tile, an entry of a list, a checkbox."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

from runner.controls.finding import Role, any_of, can_be_pressed, control, saying, within
from runner.controls.waiting import until
from runner.controls.words import begins_with, named, says_more_than, spaced
from runner.errors import Stuck

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from playwright.sync_api import ElementHandle, Locator


_STATES = ("aria-checked", "aria-selected", "aria-pressed")
CHOICES: tuple[Role, ...] = ("radio", "option", "menuitemradio", "button", "link", "menuitem", "tab", "checkbox")
_PRESSABLE = "button, a, label, [tabindex], [role=button], [role=radio], [role=option], [role=link], [role=tab]"
"""What a reader presses as a whole, such as a card with a heading and a description."""

LATE = 2.0
"""Seconds that the entries of a list are waited for when something that may open to it is already there."""


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
    if what["on"] and not leads_on:
        return pressed  # to press it once more would take the choice back
    pressed.click()
    if leads_on:
        return pressed
    radio = scope.get_by_role("radio", name=re.compile(rf"\b{spaced(words)}\b", re.IGNORECASE))
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
    select: el.matches('select'), list: el.matches(lists), on: el.matches('[aria-pressed=true]'),
    tells: states.filter(state => el.hasAttribute(state)),
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
        *controls, text = carriers
        ways = [*controls, _selects_card(scope, words), text, _card(scope, words)]
        shown = (locator.filter(visible=True).first for locator in ways)
        found = next((locator for locator in shown if locator.is_visible()), None)
        return found or _radio_with_more_words(scope, words)

    if until(page, lambda: look() or (True if lists.first.is_visible() else None), timeout=timeout) is None:
        region = None if isinstance(scope, Page) else scope
        raise Stuck(f'"{words}" is not offered', looked_for=f'the choice "{words}"', place=region)
    wanted = until(page, look, timeout=LATE)
    return (wanted or lists.first).describe(f'the choice "{words}"')


def offered(scope: Page | Locator, words: str) -> Locator:
    """What stands for a choice under these words, whether it can be told yet what is to be pressed or not."""
    page = scope if isinstance(scope, Page) else scope.page
    # A description below the words follows them without a space in the label's text.
    more = page.locator("label").filter(has_text=re.compile(rf"^[\W_]*{spaced(words)}", re.IGNORECASE))
    carriers = any_of([*_carriers(page, words), more])
    carriers = carriers if isinstance(scope, Page) else within(carriers, scope)
    return any_of([carriers, _card(scope, words)]).filter(visible=True)


def _carriers(scope: Page | Locator, words: str) -> list[Locator]:
    """What may carry a choice's words, the best first: a select, a label, a control, bare words."""
    page = scope if isinstance(scope, Page) else scope.page
    name = named(words)
    pressed = any_of([page.get_by_role(role, name=name) for role in CHOICES])
    return [
        scope.locator("select").filter(has=page.get_by_role("option", name=name, include_hidden=True)),
        scope.locator("label").filter(has_text=name),
        pressed if isinstance(scope, Page) else within(pressed, scope),
        scope.get_by_text(words, exact=True).and_(page.locator(":not(option, h1, h2, h3, h4, h5, h6, title)")),
    ]


def _card(scope: Page | Locator, words: str) -> Locator:
    """The card with these words for its heading, which can be pressed as a whole."""
    page = scope if isinstance(scope, Page) else scope.page
    return scope.locator(_PRESSABLE).filter(has=page.get_by_role("heading", name=named(words))).last


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
    options = any_of([scope.get_by_role(role) for role in roles]).and_(own)
    wanted = any_of([scope.get_by_role(role, name=named(words)) for role in roles]).and_(own)
    # An entry may say more than its name, such as its kind: in an element of its own, or after a bracket or a dash.
    with_more = any_of([scope.get_by_role(role, name=says_more_than(words)) for role in roles]).and_(own)

    def entry_of(wanted: Locator, with_more: Locator) -> Locator | None:
        return wanted.first if wanted.count() else with_more.first if with_more.count() == 1 else None

    if native:
        option = until(page, lambda: entry_of(wanted, with_more), timeout=timeout)
        if option is None:
            raise _not_offered(words, options, chooser)
        chooser.select_option(label=(option.text_content() or "").strip())
        return
    typed, own_words = chooser.evaluate(_OWN_JS)
    # What is chosen already is left alone: to press it once more may take it back. A name may have been cut off.
    shown = bool(named(words).search(own_words)) and not _CUT_OFF.search(own_words)
    if shown and not typed:
        return
    said = saying(page, words)
    # An open list may hide the rest of the page from every look by role: the element itself is kept.
    element = chooser.element_handle()
    _open(chooser)
    if chooser.count():
        element = chooser.element_handle()  # it may be made anew when it opens

    seen = options.filter(visible=True)

    def look(*, typed: bool = typed) -> Locator | None:
        # Where nothing was typed, nothing marks a part of a name: a part of its own is the name, beside a label.
        apart = seen.filter(has=page.locator(":not(*)") if typed else said)
        return (
            entry_of(wanted.filter(visible=True), with_more.filter(visible=True))
            or _with_labels(seen, words)
            or (apart.first if apart.count() == 1 else None)
            or _beside_roles(element, said, words)
        )

    entry = _typed(page, element, words, look, timeout) if typed else _searched(page, seen, words, look, timeout)
    if entry is None:
        until(page, lambda: options.filter(visible=True).count() or None, timeout=LATE)
        raise _not_offered(words, options.filter(visible=True), options.filter(visible=True))
    if not _press_entry(chooser, element, entry, words, timeout=LATE if shown else None):
        if not shown:
            raise Stuck(f'"{words}" was pressed in the list and did not become chosen', looked_for=words, place=chooser)
        choose_from(chooser, words, timeout=timeout)  # it was chosen, and the press has taken that back


def _press_entry(
    chooser: Locator, element: ElementHandle, entry: Locator, words: str, *, timeout: float | None
) -> bool:
    """Press an entry of a list; whether it became chosen."""
    page = chooser.page
    said_there = " ".join((entry.text_content() or "").split())
    names = (named(words), says_more_than(words), named(said_there))  # the box may repeat all that the entry says
    over = page.locator("dialog, [role=dialog]").filter(visible=True, has=entry).last
    is_its_own = "(el, chooser) => !el.contains(chooser)"
    ends = control(over, *_APPLY) if over.count() and over.evaluate(is_its_own, element) else None
    entry.click()

    def is_chosen(timeout: float | None) -> bool:
        return bool(until(page, lambda: _says(chooser, element, words, names) or None, timeout=timeout))

    # A dialogue of its own may wait to be told that this is it.
    if ends and not is_chosen(LATE) and ends.is_visible():
        ends.click()
    return is_chosen(timeout)


_APPLY = ("Select", "Apply", "Done", "OK", "Save", "Choose", "Confirm")
"""Names of what ends a choice in a dialogue of its own."""


def _searched(
    page: Page, seen: Locator, words: str, look: Callable[..., Locator | None], timeout: float | None
) -> Locator | None:
    """The entry of an open list; where the list shows a part of all and has a field that searches it, by that."""
    # A page's own search would close the list, and look for something else.
    over = page.locator("dialog, [role=dialog]").filter(visible=True, has=seen).last
    box = over.locator("input").filter(visible=True)
    typed_into = page.get_by_role("textbox", name=_SEARCHES).or_(page.get_by_role("combobox", name=_SEARCHES))
    typed_into = typed_into.or_(page.get_by_role("searchbox")).or_(page.get_by_placeholder(_SEARCHES))
    box = box.and_(typed_into).first
    entry: Locator | None = until(page, lambda: look() or (box if box.is_visible() else None), timeout=timeout)
    if entry is box:
        entry = until(page, look, timeout=LATE)
        if entry is None and box.is_visible():
            box.fill(words)
            entry = until(page, lambda: look(typed=True), timeout=timeout)
    return entry


_SEARCHES = re.compile(r"\b(search|filter|find)\b", re.IGNORECASE)
_CUT_OFF = re.compile(r"(\u2026|\.\.\.)\W*$")


def _open(chooser: Locator) -> None:
    """Press a closed list where a reader does: what lies over it there may be its own label, or the box around it."""
    chooser.scroll_into_view_if_needed()
    over = chooser.evaluate_handle(_OVER_IT_JS).as_element()
    if over is None:
        chooser.click()
        return
    at, around = chooser.bounding_box(), over.bounding_box()
    if at and around:
        # Where the list is: in the middle of what lies over it something else may be.
        x, y = at["x"] + at["width"] / 2 - around["x"], at["y"] + at["height"] / 2 - around["y"]
        over.click(position={"x": x, "y": y})


_OVER_IT_JS = """el => {
    const {left, top, width, height} = el.getBoundingClientRect();
    const over = el.getRootNode().elementFromPoint(left + width / 2, top + height / 2);
    if (!over || el.contains(over)) return null;
    const others = [...over.querySelectorAll('input, select, textarea, button, a, [role=button], [role=combobox]')];
    // What else an ancestor lays over it, such as while it loads, is waited for.
    const around = over.contains(el) && getComputedStyle(el).pointerEvents === 'none'
        && !others.some(other => other !== el && other.checkVisibility());
    return around || over.closest('label')?.control === el ? over : null;
}"""

_OWN_JS = "el => [el.matches('input:not([readonly])'), (el.value || el.innerText || '').trim()]"
"""Whether a list's box is typed into, and what it shows."""


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
    entry = until(page, look, timeout=timeout)
    if entry is None:
        box.fill("")  # to show all that there are
    return entry


def _with_labels(options: Locator, words: str) -> Locator | None:
    """The one entry that says more than its name: on another line, or in a label that does not look like the name.

    A list may mark what was typed in each of its entries, as in "**Widgets** Ltd.": that is no name of its own.
    """
    found: list[int] = options.evaluate_all(_WITH_LABELS_JS, [named(words).pattern, False])
    return options.nth(found[0]) if len(found) == 1 else None


_WITH_LABELS_JS = r"""(all, [pattern, around]) => {
    const name = new RegExp(pattern, 'i');
    const style = el => getComputedStyle(el);
    const inline = el => /^(inline|contents)/.test(style(el).display);
    const boxed = el => style(el).backgroundColor !== 'rgba(0, 0, 0, 0)' || parseFloat(style(el).borderTopWidth) > 0;
    const lines = entry => {
        const walker = document.createTreeWalker(entry, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
        const found = [];
        let block = null;
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            if (node.nodeName === 'BR') block = null;
            if (node.nodeType !== Node.TEXT_NODE || !node.parentElement.checkVisibility()) continue;
            const part = {text: node.data, size: parseFloat(style(node.parentElement).fontSize), boxed: false};
            let at = node.parentElement;
            for (; at !== entry && inline(at); at = at.parentElement) part.boxed ||= boxed(at);
            if (at !== block) found.push([]);
            block = at;
            found.at(-1).push(part);
        }
        return found;
    };
    const says = line => {
        const size = Math.max(...line.filter(part => part.text.trim()).map(part => part.size));
        return line.filter(part => part.size >= size && !part.boxed).map(part => part.text).join('').trim();
    };
    const named = el => lines(el).some(line => name.test(says(line)));
    const also = el => !around || !!el.parentElement && named(el.parentElement);
    return all.flatMap((el, index) => named(el) && also(el) ? [index] : []);
}"""
"""Which of these entries are named so; where they are only words of entries, what stands around them counts too."""


def _beside_roles(chooser: ElementHandle, said: Locator, words: str) -> Locator | None:
    """An entry of a list that has its roles on elements of no size, beside those that a reader sees."""
    controlled = chooser.get_attribute("aria-controls")
    if not controlled:
        return None
    around = said.page.locator(f"[id={json.dumps(controlled)}]").locator("xpath=..")
    found = around.locator(said).filter(visible=True)
    named_so: list[int] = found.evaluate_all(_WITH_LABELS_JS, [named(words).pattern, True])
    return found.nth(named_so[0]) if named_so else None


def _says(chooser: Locator, element: ElementHandle, words: str, names: Sequence[re.Pattern[str]]) -> bool:
    """Whether a chooser shows these words: in itself, or beside its input, as where that only takes the typing."""
    script = """el => {
        if (!el.isConnected) return null;
        if (el.matches('input') && el.value) return {value: el.value};
        const said = [el.textContent || ''];
        const others = 'input:not([type=hidden]), select, textarea, button, [role=combobox], [role=option], h1, h2, h3';
        for (let at = el.parentElement, n = 0; at && n < 4; at = at.parentElement, n++) {
            if ([...at.querySelectorAll(others)].some(other => other !== el && !other.closest('[hidden]'))) break;
            said.push(at.innerText || '');
        }
        return {said: said.join(' ')};
    }"""
    shown = element.evaluate(script)
    if shown is None and chooser.count():
        shown = chooser.first.evaluate(script)
    if shown and "value" in shown:
        return any(name.search(shown["value"]) for name in names)
    return bool(shown and re.search(spaced(words), shown["said"], re.IGNORECASE))


def _not_offered(words: str, options: Locator, place: Locator) -> Stuck:
    offered = ", ".join(f'"{" ".join(text.split())}"' for text in options.all_text_contents()) or "nothing"
    return Stuck(f'"{words}" is not offered; offered are: {offered}', looked_for=words, place=place)
