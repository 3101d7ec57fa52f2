"""The workspaces of an account: which one the dashboard shows, the way to another, and the choice of one for a site."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flows.wordpress_migration.pages.loading import go_to
from flows.wordpress_migration.pages.menus import BESIDE, LINKS_JS
from flows.wordpress_migration.pages.sites import search_field
from runner.controls import (
    CHOICES,
    LATE,
    Stuck,
    Undone,
    begins_with,
    can_be_pressed,
    choose,
    choose_from,
    control,
    controls,
    field,
    fields,
    first_pressable,
    named,
    saying,
    says_more_than,
    spaced,
    until,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator

    from flows.wordpress_migration.pages.dashboard import Dashboard
    from runner.controls import Field

WORKSPACE_WORDS = ("workspace", "organi[sz]ation|team")
"""Words beside the choice of a workspace, the best first ("Organization" became "Workspace" in 2023)."""

WORKSPACE = re.compile("|".join(WORKSPACE_WORDS), re.IGNORECASE)

OPEN_WORDS = ("Open", "Select", "Choose", "View", "Enter", "Go to", "Continue", "Continue to")
"""Names of what opens a workspace in a list of them, alone or before the workspace's name."""

LABEL = 60
"""Characters that a label has at most; a longer line is a sentence."""

_OPENERS_JS = (
    f"all => {{ {LINKS_JS} return all.map(el => el.matches(leads) || holdsLinkOnly(el) ? null"
    " : `${el.getAttribute('aria-label') || ''} ${el.innerText} ${el.title}`); }"
)
"""What each says that may open a menu; null for a link, or one that holds nothing else, to a part of the dashboard."""

_DOES = re.compile(r"\b(upgrade|create|new|add|delete|leave|manage|invite)\b", re.IGNORECASE)
"""Words of what does something to a workspace, and switches to none."""

_ANY_OF_WORKSPACE_JS = """all => {
    const level = el => Number(el.getAttribute('aria-level') || el.tagName[1]) || 2;
    const before = (one, el) => one.compareDocumentPosition(el) & Node.DOCUMENT_POSITION_FOLLOWING;
    const ofSites = el => {
        const above = [...document.querySelectorAll('h1, h2, h3, h4, h5, [role=heading]')]
            .filter(one => before(one, el) && level(one) < level(el)).pop();
        return Boolean(above) && /^\\W*(recent|your|my|pinned|all) sites\\b/i.test(above.textContent);
    };
    const oneOfMany = el => {
        const entry = el.closest('li, tr, [role=listitem], [role=row]');
        return Boolean(entry) && [...entry.parentElement.children]
            .some(other => other !== entry && other.querySelector('h1, h2, h3, h4, h5, h6, [role=heading]'));
    };
    return all.some(el => !oneOfMany(el) && !ofSites(el));
}"""
"""Whether one of these headings is the page's own: one in a list, or below "Recent Sites", names one of many."""

_MARK = re.compile(r"^\W*(optional|required)?\W*$", re.IGNORECASE)
"""What stands behind a label and is none."""


def _label_of(one: Field) -> str:
    """The words that a reader takes for the label of what opens a list."""
    return " ".join([*one.bound, *[words for words in one.near if not _MARK.match(words)][:1]])


class Workspaces:
    """The dashboard's workspaces.

    Args:
        dashboard: The dashboard.
        say: Told when another one is opened.

    Attributes:
        is_current: Whether the dashboard is known to show the one that was to be opened.
    """

    def __init__(self, dashboard: Dashboard, say: Callable[[str], None]) -> None:
        self.page = dashboard.page
        self.is_current = False
        self._dashboard = dashboard
        self._say = say

    def open(self, name: str) -> None:
        """Go to this workspace if the dashboard shows another one and offers a way to switch.

        Where it offers none the workspace is still chosen in step 3, which stops if it cannot be.
        """
        if not self._shows(name):
            self._say(f'switching to the workspace "{name}"')
            self._switch(name)
        self.is_current = self._arrives(name)
        self._dashboard.reach(self._dashboard.migrate_existing_site)

    def entry(self, name: str) -> Locator:
        """What opens this workspace in a list of them: its name, else what opens something in the card of that name.

        Args:
            name: Its name.
        """
        opens = controls(self.page, *OPEN_WORDS, *(f"{words} {name}" for words in OPEN_WORDS))
        card = self.page.locator("div, li, tr, article, section").filter(has=opens).filter(has=saying(self.page, name))
        # What holds several is no card of one workspace.
        beside = within(opens, card.last.filter(has_not=opens.nth(1)))
        return control(self.page, name).or_(beside).first.describe(f'the workspace "{name}"')

    def _arrives(self, name: str) -> bool:
        """Whether the page comes to say that it is this workspace's; what was chosen in a list is no proof."""

        def look() -> bool | None:
            return (self._shows(name) and self._dashboard.migrate_existing_site.is_visible()) or None

        return bool(until(self.page, look, timeout=2 * LATE))

    def _shows(self, name: str) -> bool:
        headings = self.page.get_by_role("heading", name=named(name)).filter(visible=True)
        crumbs = saying(self.page.get_by_role("navigation", name=re.compile("breadcrumb", re.IGNORECASE)), name)
        return bool(headings.evaluate_all(_ANY_OF_WORKSPACE_JS)) or crumbs.count() > 0

    def _switch(self, name: str) -> None:
        """Choose the workspace where the dashboard offers it."""
        home = self.page.url
        links = self.page.get_by_role("link", name=named(name)).filter(visible=True)
        for index in range(links.count()):
            # A site may have the workspace's name; its page does not offer to migrate another one.
            if can_be_pressed(links.nth(index)):
                links.nth(index).click()
                if self._arrives(name):
                    return
                go_to(self.page, home)
                self._dashboard.reach(self._dashboard.migrate_existing_site)
        navigation = self.page.get_by_role("navigation").or_(self.page.get_by_role("banner"))
        beside = self.page.locator(BESIDE)
        select = (
            self.page.locator("select")
            .and_(beside)
            .filter(has=self.page.get_by_role("option", name=named(name), include_hidden=True))
        )
        if select.count():
            choose_from(select.first, name)
            return
        openers = self.page.locator("[aria-haspopup], [aria-expanded], summary, [role=combobox]").and_(beside)
        openers = openers.filter(visible=True)
        said: list[str | None] = openers.evaluate_all(_OPENERS_JS)
        likely = sorted(
            (index for index, words in enumerate(said) if words is not None),
            # A switcher may be called as the workspace that it shows: such as "New York Times".
            key=lambda index: (bool(_DOES.search(said[index] or "")), not WORKSPACE.search(said[index] or "")),
        )
        for opener in [
            *map(openers.nth, likely),
            *navigation.get_by_role("button").filter(visible=True).all()[:1],
        ]:
            if not can_be_pressed(opener):
                continue
            opener.click()
            entries = [self.page.get_by_role(role, name=named(name)) for role in CHOICES]
            entries.append(saying(self.page, name))  # an entry may say more, such as its kind
            entry = until(self.page, lambda entries=entries: first_pressable(*entries), timeout=LATE)  # type: ignore[misc]
            if entry:
                entry.click()
                return
            self.page.keyboard.press("Escape")

    def choose(self, name: str, form: Locator) -> None:
        """Select the new site's workspace, in a native select or in a combobox.

        Args:
            name: Its name.
            form: The form with **Create Site**.

        Raises:
            Stuck: It is not offered (Undone), or no choice is offered and the dashboard is not in that workspace.
        """
        try:
            self._choose(name, form)
        except Stuck as stuck:
            if "is not offered" not in str(stuck):
                raise
            raise Undone(
                f"the workspace {stuck}. Check PANTHEON_WORKSPACE", looked_for=stuck.looked_for, place=stuck.place
            ) from None

    def _choose(self, name: str, form: Locator) -> None:
        if form.get_by_role("radio").count():
            search = search_field(form)
            if search.is_visible() and not self._radio_of(form, name).count():
                search.fill(name)
            self._check_whole_name(form, name)
            choose(form, name)
            return
        choosers = form.locator("select").or_(form.get_by_role("combobox")).or_(form.locator("[aria-haspopup=listbox]"))
        menus = form.locator("[aria-haspopup], [aria-expanded]")
        try:
            chooser = field(
                choosers,
                "workspace",
                *WORKSPACE_WORDS,
                timeout=LATE if self.is_current else None,
            )
        except Stuck:
            menu = next((one.locator for one in fields(menus) if WORKSPACE.search(_label_of(one))), None)
            if menu:
                choose_from(menu, name)
            elif not self.is_current or self._is_for_another_workspace(form, name):
                raise Stuck(
                    f'the page offers no choice of a workspace, and it is not known to be in "{name}"',
                    looked_for="workspace",
                ) from None
            return
        choose_from(chooser, name)

    def _is_for_another_workspace(self, form: Locator, name: str) -> bool:
        """Whether the form has words like those beside a choice of a workspace, and does not name this one."""
        said = [" ".join(line.split()) for line in form.inner_text().splitlines()]
        labelled = any(WORKSPACE.search(line) and len(line) < LABEL and not line.endswith(".") for line in said)
        if not labelled or saying(form, name).filter(visible=True).count():
            return False
        # A workspace of a longer name, the new site's name or its address may have this name in it.
        before = r"(^|[:\"\u201c(\[\u2013\u2014|\u00b7]|\b(in|into|to|under|for|the|workspace|organi[sz]ation|team))\W*"
        behind = r"(\W*$|[\"\u201d)\],;.!]|\s+([(\[\u2013\u2014|\u00b7]|(workspace|organi[sz]ation|team)\b))"
        whole = re.compile(rf"{before}(?<![\w-]){spaced(name)}{behind}", re.IGNORECASE)
        return not any(whole.search(line) for line in said)

    @staticmethod
    def _radio_of(form: Locator, name: str) -> Locator:
        """The radio button of this workspace, which may say more, such as its kind."""
        return form.get_by_role("radio", name=named(name)).or_(form.get_by_role("radio", name=says_more_than(name)))

    def _check_whole_name(self, form: Locator, name: str) -> None:
        """See that no workspace of a longer name is offered in place of this one: the site would be made there.

        Raises:
            Stuck: It is so.
        """
        longer = form.get_by_role("radio", name=begins_with(name))

        def look() -> bool | None:
            return True if self._radio_of(form, name).count() or not longer.count() else None

        if not until(self.page, look, timeout=LATE):
            raise Stuck(f'"{name}" is not offered, only workspaces of a longer name', looked_for=name, place=longer)
