"""Fields and values, by the words that stand beside them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.controls.waiting import until
from runner.errors import Stuck

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


LEADS_NOWHERE = ":not([href]), [href='#'], [href^='javascript:']"
"""A link that is pressed like a button; another one would lead away from the page."""

WORDS_JS = """
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
""".replace("LEADS_NOWHERE", LEADS_NOWHERE)


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
        f"""all => {{ {WORDS_JS}
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
        f"""() => {{ {WORDS_JS}
            const shown = [];
            for (const el of everything(document.body)) {{
                if (!seen(el)) continue;
                if (el.matches('input:not([type=hidden]):not([type=checkbox]):not([type=radio]), textarea')) {{
                    if (el.value && el.type !== 'password')
                        shown.push({{words: [...bound(el), ...near(el, isField)], value: el.value, in_field: true}});
                }} else if (!el.children.length || el.matches('code, pre, kbd, samp')
                           || [...el.childNodes].some(n => n.nodeType === 3 && clean(n.data))) {{
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
