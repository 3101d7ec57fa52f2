"""The entry of one site in Pantheon's dashboard, among all that may hold its name: feeds, menus, other sites."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.controls import can_be_pressed, control

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import ElementHandle, Locator, Page

_SEARCHES = re.compile(r"\b(search|filter|find)\b", re.IGNORECASE)

_ENTRY_JS = """({names, workspace}) => {
    const clean = text => (text || '').replace(/\\s+/g, ' ').trim();
    const fold = text => clean(text).toLowerCase();
    const wanted = names.map(fold);
    const seen = el => el.checkVisibility({visibilityProperty: true}) && el.getClientRects().length > 0;
    const headings = 'h1, h2, h3, h4, h5, h6, [role=heading], caption, legend';
    // Where a name is no site: what happened to it, what one may switch to, where one is.
    const elsewhere = new RegExp('\\\\b(activity|activities|history|logs?|events|notifications|news|feed|audit'
        + '|workspaces|teams|organi[sz]ations)\\\\b', 'i');
    const apart = 'nav, body > header, [role=navigation], [role=banner], [role=menu], [role=listbox], dialog,'
        + '[role=dialog], [role=option], [role=alert], [role=status], option, select, input, textarea, script, style,'
        + 'h1, dl, [role=feed], [role=log], [role=tooltip], [aria-label*=breadcrumb i], [class*=breadcrumb i], svg';
    const entry = 'a, [role=link], tr, [role=row], li, [role=listitem], article';
    const about = el => {
        for (let at = el.parentElement; at && !at.matches('main, [role=main], body'); at = at.parentElement) {
            const first = at.querySelector(headings);
            const said = [at.getAttribute('aria-label'), first && !first.contains(el) ? first.textContent : ''];
            if (said.some(words => words && !wanted.includes(fold(words)) && elsewhere.test(words))) return true;
        }
        const before = [...document.querySelectorAll(headings)].filter(one => seen(one) && !one.contains(el)
            && one.compareDocumentPosition(el) & Node.DOCUMENT_POSITION_FOLLOWING
            && !wanted.includes(fold(one.textContent)));
        const last = before.pop();
        return !!last && last.tagName !== 'H1' && elsewhere.test(last.textContent);
    };
    // Whether the name is a line of its own, or is followed by no more than labels such as "Active" or "(Sandbox)".
    const stands = (el, name) => {
        let block = el;
        while (block.parentElement && /^(inline|contents)/.test(getComputedStyle(block).display))
            block = block.parentElement;
        return block.innerText.split(/[\\n\\t]/).map(clean).some(line => {
            if (line.toLowerCase() === name) return true;
            if (!line.toLowerCase().startsWith(name + ' ') || !el.closest(entry)) return false;
            const more = line.slice(name.length).split(/[\\s\\u00b7|\\u2022,]+/).filter(Boolean);
            return more.length <= 4 && more.every(word => /^[(\\[A-Z0-9\\u2013\\u2014-]/.test(word));
        });
    };
    const found = [...document.body.querySelectorAll('*')].filter(el => {
        const name = fold(el.textContent);
        const labelled = el.matches('a, [role=link], [role=row], [role=listitem]')
            && wanted.includes(fold(el.getAttribute('aria-label')));
        if (!labelled && !wanted.includes(name)) return false;
        if ([...el.children].some(child => wanted.includes(fold(child.textContent)))) return false;
        if (!seen(el) || el.closest(apart) || about(el)) return false;
        // A workspace may have the same name, and its page says so at its top.
        if (wanted.includes(fold(workspace)) && el.closest(headings) && !el.closest(entry)) return false;
        return labelled || stands(el, name);
    });
    return found.find(el => el.closest('a, [role=link], button')) || found[0] || null;
}"""


def entry_of_site(page: Page, names: Sequence[str], *, workspace: str | None) -> ElementHandle | None:
    """What stands for a site on a page that lists sites: a link, a cell, a card's line with the whole name.

    Args:
        page: The page, at rest.
        names: The site's name, as it was typed and as the dashboard made it; case does not count.
        workspace: Name of the workspace, which a heading may show and which may be the same.
    """
    return page.evaluate_handle(_ENTRY_JS, {"names": list(names), "workspace": workspace or ""}).as_element()


def opener_beside(entry: ElementHandle) -> ElementHandle | None:
    """The one control in an entry's row or card that opens the site; None if it cannot be told.

    Args:
        entry: What `entry_of_site` found.
    """
    return entry.evaluate_handle(
        """el => {
            const row = el.closest('tr, li, article, [role=row], [role=listitem]');
            const there = [...(row?.querySelectorAll('a, button, [role=link], [role=button]') || [])];
            const opens = there.filter(one => /^\\W*(open|view|manage|go to|details|dashboard)\\b/i.test(
                one.getAttribute('aria-label') || one.textContent));
            return opens.length === 1 ? opens[0] : null;
        }"""
    ).as_element()


def link_over(entry: ElementHandle) -> ElementHandle | None:
    """The link that a card has laid over all of itself, so that a reader who presses the name presses that.

    Args:
        entry: What `entry_of_site` found.
    """
    entry.scroll_into_view_if_needed()
    return entry.evaluate_handle(
        """el => {
            const box = el.getBoundingClientRect();
            const over = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
            const link = over?.closest('a, [role=link]');
            if (!link || link.contains(el) || el.contains(link)) return null;
            if (link.closest('header, nav, [role=banner], [role=navigation]')) return null;
            const card = [link.parentElement, link.parentElement?.parentElement].find(at => at?.contains(el));
            return card && !card.matches('main, body, html') ? link : null;
        }"""
    ).as_element()


def sites_link(page: Page) -> Locator | None:
    """**Sites** in the navigation, perhaps with their number; None if there is none.

    Args:
        page: A workspace's page.
    """
    counted = re.compile(r"^\W*(all )?sites[\W\d]*$", re.IGNORECASE)
    navigation = page.get_by_role("navigation").or_(page.get_by_role("complementary")).or_(page.get_by_role("banner"))
    found = [control(navigation, "Sites"), control(page, "Sites", "All Sites", "View all sites")]
    found += [page.get_by_role(role, name=counted).filter(visible=True).first for role in ("link", "tab", "menuitem")]
    # An entry may be one by what a reader sees alone: a link without an address, an option of a list.
    found.append(
        navigation.get_by_text(counted).and_(page.locator(":not(h1, h2, h3, h4, h5, h6)")).filter(visible=True).last
    )
    *controls, words = found
    if link := next((one for one in controls if one.is_visible()), None):
        return link
    return words if words.is_visible() and can_be_pressed(words) else None


def search_field(scope: Page | Locator) -> Locator:
    """The field that searches a list: the last one, since one that searches everything stands above it.

    Args:
        scope: The page with the list, or a part of it.
    """
    box = scope.get_by_role("searchbox").or_(scope.get_by_role("textbox", name=_SEARCHES))
    return box.or_(scope.get_by_placeholder(_SEARCHES)).filter(visible=True).last
