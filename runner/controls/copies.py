"""Buttons with the words beside them, and what a page's own Copy buttons hand over, without the clipboard."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.controls.fields import LEADS_NOWHERE, WORDS_JS
from runner.controls.said import lines, new_lines
from runner.controls.waiting import until

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


COPIES = re.compile(r"\bcop(y|ied)\b", re.IGNORECASE)
"""What the name of a button says that copies."""


@dataclass(frozen=True)
class WordedButton:
    """A button, with its name and the words before it, nearest first."""

    locator: Locator
    words: tuple[str, ...]


def worded_buttons(page: Page, name: re.Pattern[str]) -> list[WordedButton]:
    """All buttons of the page with such a name, and links that look like such.

    Args:
        page: The page.
        name: What they are called, such as `COPIES`.
    """
    links = page.get_by_role("link", name=name).and_(page.locator(f":is({LEADS_NOWHERE})"))
    found = page.get_by_role("button", name=name).or_(links).filter(visible=True)
    words = found.evaluate_all(
        f"""all => {{ {WORDS_JS}
            return all.map(el =>
                [...bound(el), clean(el.textContent), clean(el.title), ...near(el, copies)].filter(Boolean));
        }}"""
    )
    return [WordedButton(found.nth(index), tuple(said)) for index, said in enumerate(words)]


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
