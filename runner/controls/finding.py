"""Finds controls by the guide's words, says whether a reader could press them, and sends the form a field is in."""

from __future__ import annotations

import json
import re
from functools import reduce
from typing import TYPE_CHECKING, Literal

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page

from runner.controls.words import beside_sign, named, on_control

if TYPE_CHECKING:
    from collections.abc import Sequence


Role = Literal["radio", "option", "menuitemradio", "button", "link", "menuitem", "tab", "checkbox"]
PRESSABLE = 1.5
"""Seconds within which a control that can be pressed is found so; a busy machine takes some hundred milliseconds."""


def control(scope: Page | Locator, *names: str, outside: str = "") -> Locator:
    """The control that a reader of the guide would press: the first of `controls`; arguments as of that."""
    return controls(scope, *names, outside=outside).first.describe(f'the control "{names[0]}"')


def controls(scope: Page | Locator, *names: str, outside: str = "", inert: bool = False) -> Locator:
    """All that a reader could press under these names: buttons, links, and entries of menus.

    Args:
        scope: Where to look.
        names: The guide's words; several when pages word the same control differently.
        outside: What the control is not in, as a CSS selector.
        inert: Also what is behind something that lies over it, such as to find the form that it belongs to.
    """
    # Looked for in the whole page: what makes it inert may lie around the scope.
    page = scope if isinstance(scope, Page) else scope.page
    found = any_of(by_role(scope, names))
    found = found if inert else found.and_(page.locator(NOT_INERT))
    found = found.and_(page.locator(f":not({outside})")) if outside else found
    return found.filter(visible=True)


def within(found: Locator, scope: Locator) -> Locator:
    """What of this lies within a scope that is slow to find, such as a `panel`.

    Below a scope, Playwright looks for that again for each part of a locator.

    Args:
        found: Looked for on the whole page.
        scope: Where it is to be.
    """
    return found.and_(scope.locator("*"))


NOT_INERT = ":not([inert], [inert] *)"
"""A drawer that waits beside the screen is inert: no reader can press what is in it."""


def by_role(scope: Page | Locator, names: Sequence[str]) -> list[Locator]:
    """What can be pressed and has one of these names, by its role; none for no names."""
    if not names:
        return []
    roles: tuple[Role, ...] = ("button", "link", "menuitem", "tab")
    # One expression for all names: Playwright hands a locator to the page at each look, whole.
    found = [scope.get_by_role(role, name=on_control(*names)) for role in roles]
    # An icon beside the words may have a name of its own, or the control another one than it shows.
    found.append(scope.locator(_LOOKS_PRESSABLE).filter(has_text=on_control(*names)))
    return [*found, scope.locator(_LOOKS_PRESSABLE + _WITH_LIGATURE).filter(has_text=beside_sign(*names))]


_LOOKS_PRESSABLE = (
    ":is(button, a:is([href], [tabindex], [onclick]), [role=button], [role=link], [role=menuitem], [role=tab])"
    ":not([aria-hidden=true], [aria-hidden=true] *)"
    ":not([aria-label*=delet i], [aria-label*=remov i], [aria-label*=revok i], [aria-label*=cancel i])"
)
"""What shows its words on a control, whatever its name is, unless that tells of something else to be done."""

_WITH_LIGATURE = ":has(:is([class*=icon i], [class*=material-symbols i]):not(svg, svg *, :empty, :has(*)))"
"""What has a sign of an icon font, which is a word in an element of its own; other signs are drawn, or empty."""


def saying(scope: Page | Locator, words: str) -> Locator:
    """What says these words, beside what it may hold in elements of its own, such as an entry's kind.

    Args:
        scope: Where to look.
        words: The words; a page may have other apostrophes.
    """
    alike = dict.fromkeys([words, words.replace("'", "\u2019"), words.replace("\u2019", "'")])
    # Playwright's older expression in quotation marks is the one that compares an element's own text.
    return any_of(
        [
            scope.get_by_text(named(words)),
            *(scope.locator(f"text={json.dumps(one, ensure_ascii=False)}") for one in alike),
        ]
    )


def panel(page: Page, *must_hold: Locator) -> Locator:
    """The innermost part of the page that holds all of these: what a reader takes for one form.

    Args:
        page: The page.
        must_hold: What it holds, anywhere on the page: of several that match, any one will do.
    """
    return _holding(page, _PARTS, *must_hold).last


def _holding(page: Page, parts: str, *must_hold: Locator) -> Locator:
    """The parts of the page, by a CSS selector, that hold all of these."""
    # From what is held outwards: each is looked for once, and not in every part of a page that may have hundreds.
    outwards = page.locator(parts)
    # XPath does not lead out of a shadow tree: where something is in one, it is looked for in every part.
    apart = any_of([held.locator("xpath=self::*[not(ancestor-or-self::html)]") for held in must_hold])
    # The scope is the page, or that of which it is asked whether it holds all this.
    inwards = page.locator(":scope").filter(has=apart).locator(parts)
    for held in must_hold:
        outwards = outwards.and_(held.locator("xpath=ancestor::*"))
        inwards = inwards.filter(has=held)
    return outwards.or_(inwards)


_PARTS = "body, main, section, article, form, fieldset, div, dialog, [role=dialog], [role=form]"
"""What a reader may take for one form."""

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
    dialogue = _holding(page, "dialog, [role=dialog]", filled)
    # A tab or a link of the same name may stand above the form: what submits it comes first.
    own = _holding(page, "form", filled).last
    submits = own.locator("button:not([type=button], [type=reset]), input[type=submit], input[type=image]")
    sends = controls(own, *names).and_(submits)
    if (count := sends.count()) == 1:
        sends.first.describe("what sends the form").click()
        return
    for name in names if count else ():
        if (button := control(own, name).and_(submits)).is_visible():
            button.click()
            return
    for name in names:
        form = dialogue.last if dialogue.count() else panel(page, filled, controls(page, name, inert=True))
        button = within(controls(page, name), form).first.describe(f'the control "{name}"')
        if button.is_visible():
            button.click()
            return
    form = _holding(page, "form, dialog, [role=dialog], [role=form]", filled).last
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


def first_pressable(*wanted: Locator) -> Locator | None:
    """The first of these that a reader could press now; None if there is none."""
    seen = (one for locator in wanted for one in locator.filter(visible=True).all())
    return next((one for one in seen if can_be_pressed(one)), None)


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


def any_of(locators: Sequence[Locator]) -> Locator:
    """What any of these finds."""
    return reduce(Locator.or_, locators)
