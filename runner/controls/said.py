"""What a page says: its lines, its alerts, the controls on it, and with which status it was answered."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from playwright.sync_api import Error as PlaywrightError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playwright.sync_api import Locator, Page

MOST = 20
"""Controls that a failure names at most."""


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


def texts(locator: Locator) -> list[str]:
    """The text of each that can be seen, on one line."""
    return [" ".join(text.split()) for text in locator.filter(visible=True).all_inner_texts()]


def status_of(page: Page) -> int:
    """HTTP's status with which the page was answered; 0 where the browser does not tell."""
    status = page.evaluate("() => performance.getEntriesByType('navigation')[0]?.responseStatus || 0")
    return int(status)


def alerts(page: Page) -> list[str]:
    """What the page says aloud: the texts of its alerts, line by line."""
    texts = page.get_by_role("alert").filter(visible=True).all_inner_texts()
    return [line for text in texts for raw in text.splitlines() if (line := " ".join(raw.split()))]


def controls_on(page: Page) -> list[str]:
    """Role and name of the controls that a reader sees, for the message of a failure; those of the main part first."""
    parts = [*page.get_by_role("main").all(), page.locator("body")]
    roles = "button|link|menuitem|tab|textbox|searchbox|radio|checkbox|combobox|heading"
    control = re.compile(rf'^\s*- [\'"]?({roles}) "((?:[^"\\]|\\.)*)"', re.MULTILINE)
    found = [pair for part in parts for pair in control.findall(part.aria_snapshot())]
    said = list(dict.fromkeys(f'{role} "{name}"' for role, name in found))
    return said if len(said) <= MOST else [*said[:MOST], f"and {len(said) - MOST} more"]
