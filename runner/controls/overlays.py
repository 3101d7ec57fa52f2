"""Closes what lies over a page, as a reader would."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from playwright.sync_api import Error as PlaywrightError

from runner.controls.finding import NOT_INERT, any_of, by_role, can_be_pressed
from runner.controls.waiting import until
from runner.controls.words import named

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from playwright.sync_api import Locator, Page


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
_LEAVE = rf"{_CLOSE}|skip|not now|no,? thanks|maybe later|later|x|\u00d7|\u2715"
"""Names that never agree to anything, so that they can be pressed in a box that nobody has read."""

_DISMISS = (
    rf"{_LEAVE}|got it|skip (tour|for now)|ok|okay|done"
    r"|(stay|keep me|remain) (signed|logged) in|(yes,? )?i.m still here|(extend|continue)( my| the)? session"
)


def _alone(pattern: str) -> re.Pattern[str]:
    """A control's name that says this, and no more than signs around it."""
    return re.compile(rf"^[^\w\u00d7\u2715]*({pattern})[^\w\u00d7\u2715]*$", re.IGNORECASE)


_DIALOGUE = "dialog, [role=dialog], [role=alertdialog]"
_WORK = (
    "main, [role=main], nav, [role=navigation], table, select, textarea, "
    "input:not([type=checkbox], [type=radio], [type=hidden], [type=button], [type=submit])"
)
"""What is in the work, or around it, and in hardly any banner about cookies."""

_COOKIES = (
    ":is([id*=cookie i], [class*=cookie i], [id*=consent i], [class*=consent i], [aria-label*=cookie i])"
    ":not(body, :has(main, [role=main]))"
)
"""What is called so is a banner, whatever else it holds."""

_BUSY = re.compile(
    r"\b(creating|generating|loading|preparing|provisioning|saving)\b[^.!?]{0,60}(\u2026|\.\.\.)"
    r"|\b(may|can|could|will) take (up to |about |a |an |some |several |few |couple of )+"
    r"(moment|while|time|second|minute|hour)"
    r"|please wait",
    re.IGNORECASE,
)
"""What a dialogue says that tells of work which goes on."""

_NEWS = re.compile(r"what.s new|new (feature|look)\b|introducing|announc|release notes|\btour\b", re.IGNORECASE)
GOES = 5.0
"""Seconds that what lies over a page is given to be closed, and to go."""


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

    def closing(*patterns: str) -> Locator:
        name = _alone("|".join(patterns))
        return page.get_by_role("button", name=name).or_(page.get_by_role("link", name=name))

    def without(dialogues: Locator, names: Sequence[str]) -> Locator:
        for each in by_role(page, names):
            dialogues = dialogues.filter(has_not=each.and_(page.locator(NOT_INERT)).filter(visible=True))
        return dialogues

    cookie = re.compile("cookie", re.IGNORECASE)
    # On most pages no word of it stands anywhere, and no part has to be asked.
    parts = page.locator("body").filter(has_text=cookie).locator(_PARTS).filter(has_text=cookie)
    # Its footer may name cookies: what holds the work, or a dialogue about something else, is no banner.
    named_so = parts.and_(page.locator(_COOKIES))
    parts = parts.filter(has_not=page.locator(_WORK).filter(visible=True))
    parts = parts.filter(has_not=page.locator("h1").filter(visible=True, has_not_text=cookie)).or_(named_so)
    parts = parts.filter(has_not=page.locator(_DIALOGUE).filter(visible=True, has_not_text=cookie))
    ways = []
    for pattern in (_REFUSE, _ACCEPT):
        banner = parts.filter(has=closing(pattern)).last
        ways.append(banner.locator(closing(pattern)).first)

    dialogue = page.locator(_DIALOGUE).filter(visible=True)
    asks = page.locator("input:not([type=checkbox]):not([type=hidden]), select, textarea")
    dialogue = dialogue.filter(has_not=asks)
    if keep:
        dialogue = dialogue.filter(has_not_text=keep)
    # Looked for before every act: what lies there at all, in few words. What it is, is asked when something does.
    closable = any_of([dialogue.locator(closing(_DISMISS)), parts.locator(closing(_REFUSE, _ACCEPT))])
    if closes:
        closable = closable.or_(page.locator(closes))
    # News may be left by the word of a guide's control, such as "Continue"; they are known by what they announce.
    dialogue = without(dialogue, [name for name in never if " " in name])
    news = dialogue.filter(has_text=_NEWS)
    # What is being done, or still loads, may be the work: what it asks comes later.
    busy = page.locator("progress, [role=progressbar], [aria-busy=true]")
    dialogue = dialogue.filter(has_not=busy, has_not_text=_BUSY)
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
    said = page.get_by_role("alert").or_(page.get_by_role("status")).filter(visible=True)
    if not said.count() or can_be_pressed(covered):
        return
    close = page.get_by_role("button", name=re.compile(rf"^\W*({_CLOSE})\W*$", re.IGNORECASE))
    for alert in said.all():
        around = alert.locator("xpath=ancestor-or-self::*[self::dialog or contains(@role, 'dialog')][1]")
        if around.count() and not around.filter(has=covered).count():
            continue  # to close a dialogue is another thing
        # Its cross stands in it, or beside it in a box of their own.
        box = alert.locator("xpath=ancestor-or-self::*[position() <= 3]").filter(has=close, has_not=covered).last
        if box.count() and _overlap(alert, covered):
            box.locator(close).last.click()
            return


def close_what_covers(covered: Locator) -> str:
    """Close what lies over a control and is marked as nothing, such as a box with a plugin's offer.

    It counts only if it has a way to leave it, and asks for nothing (no field to fill).

    Args:
        covered: The control.

    Returns:
        With what it was closed; nothing if nothing was.
    """
    if not covered.is_visible() or covered.evaluate(_ON_TOP_JS) or can_be_pressed(covered):
        return ""
    cover = covered.evaluate_handle(_COVER_JS).as_element()
    fields = "input:not([type=checkbox], [type=radio], [type=hidden]), select, textarea"
    if cover is None or cover.query_selector(fields):
        return ""
    for way in cover.query_selector_all("button, a, [role=button]"):
        name = " ".join((way.get_attribute("aria-label") or way.inner_text() or "").split())
        if way.is_visible() and _alone(_LEAVE).search(name):
            with suppress(PlaywrightError):  # the act says itself what still covers it
                way.click(timeout=GOES * 1000)
                until(covered.page, lambda: can_be_pressed(covered) or None, timeout=GOES)
            return name
    return ""


_ON_TOP_JS = """el => {
    const {left, top, width, height} = el.getBoundingClientRect();
    return window === window.top && el.contains(document.elementFromPoint(left + width / 2, top + height / 2));
}"""
"""Whether its middle is certain to be what a click meets; a click on trial tells so only when it stands still."""

_COVER_JS = """covered => {
    const {left, top, width, height} = covered.getBoundingClientRect();
    let cover = document.elementFromPoint(left + width / 2, top + height / 2);
    if (!cover || covered.contains(cover) || cover.contains(covered)) return null;
    while (cover.parentElement && !cover.parentElement.contains(covered)) cover = cover.parentElement;
    return cover;
}"""
"""The whole of what lies over an element."""


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
