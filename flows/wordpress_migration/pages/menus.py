"""What stands around the work on a page of the dashboard, and what of it opens a menu."""

from __future__ import annotations

MENUS = (
    ":is(nav, aside, [role=navigation], [role=banner], [role=complementary],"
    " header:not(:is(main, [role=main], article, section) *)) *:not(:is(form, dialog, [role=dialog]) *)"
)
"""The menus around the work, without the forms in them; a form may end in a footer of the page."""

AROUND = (
    ":is(nav, aside, [role=navigation], [role=banner], [role=contentinfo], [role=complementary],"
    " :is(header, footer):not(:is(main, [role=main], article, section) *))"
    ":not(:is(form, dialog, [role=dialog]) *) *"
)
"""What stands around the work on a page: menus, lists of sites, a search, a newsletter; a form has its own parts."""

BESIDE = (
    ":is(nav, header, aside, [role=navigation], [role=banner], [role=complementary]) *:not(dialog *, [role=dialog] *),"
    " body:has(main, [role=main]) :not(main, main *, [role=main], [role=main] *, dialog *, [role=dialog] *)"
)
"""What stands beside the work, by its role, or by being no part of it where the page says which part is."""

LINKS_JS = """
const leads = "a[href]:not([href='#'], [href^='javascript:'])";
// An entry of the navigation that holds a link and nothing else, whatever menu it is said to have.
const holdsLinkOnly = el => {
    const link = el.querySelector(leads);
    return !!link && link.innerText.trim() === el.innerText.trim();
};
"""
"""Which of what may open a menu only leads to another part of the dashboard."""
