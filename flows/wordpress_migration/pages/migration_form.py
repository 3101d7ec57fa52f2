"""The plugin's form in wp-admin, and what any form asks to agree to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runner.controls import Secret, Stuck, close_what_covers, control, field, texts, tick

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Locator, Page

    from flows.wordpress_migration.settings import MigrationSettings

SUBMITS = "input[type=submit], button:not([type=button], [type=reset])"
"""What sends a form."""

AGREEMENT = re.compile(r"\b(agree|accept|consent|terms|privacy)\b", re.IGNORECASE)
"""Words beside a box that has to be ticked before **Migrate** can be pressed."""

OFFER = re.compile(r"\b(newsletter|offers?|marketing|promotion|news)\b", re.IGNORECASE)
"""Words beside a box that is left as it is."""


class MigrationForm:
    """The plugin's form, by the input names of all its versions (1.84 to 5.25), else by the words beside them."""

    def __init__(self, page: Page, administrator: MigrationSettings) -> None:
        self._page = page
        self._administrator = administrator
        self._asked = ""
        by_id = page.locator("#ptn_migrate_form")
        if by_id.count():
            # To search by words as well takes a tenth of a second for each look at a page as large as wp-admin's.
            self.locator = by_id.first.describe("the plugin's form")
            return
        by_field = page.locator("form").filter(has=page.locator("input[name=machine_token]"))
        by_words = page.locator("form").filter(has_text="Machine Token").filter(has=page.locator(SUBMITS))
        alike = by_field.or_(by_words.filter(has=page.locator("input:is([type=text], [type=password], :not([type]))")))
        # Another plugin's form may be alike: the id decides where it is there.
        sure = ":is(#ptn_migrate_form, form:has(input[name=machine_token]))"
        others = page.locator(f"form:not(body:has({sure}) form:not({sure}))")
        self.locator = by_id.or_(others.and_(alike)).first.describe("the plugin's form")

    @property
    def site_name(self) -> Locator:
        """**Pantheon Site Name**; its visible label is not bound to it."""
        words = (r"site.?name|\bname\b", r"\b(destination|target|new|pantheon) site\b", r"\burl\b")
        return self._field("newurl", "site name", *words)

    @property
    def machine_token(self) -> Locator:
        """**Machine Token**; its visible label is not bound to it."""
        return self._field("machine_token", "machine token", "token")

    @property
    def migrate(self) -> Locator:
        """**Migrate**, which stays disabled until the consent box is ticked."""
        named = self.locator.locator("#migratesubmit").or_(control(self.locator, "Migrate"))
        sends = self._page.get_by_role("button", name=re.compile(r"^(?!.*\b(cancel|stop|abort|back)\b)", re.IGNORECASE))
        submits = self.locator.locator(SUBMITS).and_(sends)
        alike = submits.and_(self._page.get_by_role("button", name=re.compile("migrat", re.IGNORECASE)))
        # A form's main button in wp-admin has this class; a Cancel may come before it.
        main = submits.and_(self._page.locator(".button-primary"))
        found = next((one for one in (named, alike, main) if one.count()), submits)
        return found.first.describe('the control "Migrate"')

    def _field(self, name: str, looked_for: str, *words: str) -> Locator:
        by_name = self.locator.locator(f"input[name={name}]:enabled").filter(visible=True)
        if by_name.count():
            return by_name.first.describe(f"the field for the {looked_for}")
        hidden = self.locator.locator("input[type=password]")  # a token may be typed unseen, which has no role then
        return field(self.locator.get_by_role("textbox").or_(hidden), looked_for, *words)

    def fill_in(self, site_name: str, machine_token: Secret) -> None:
        """Paste both values, tick the consent box where there is one, and check that the form holds exactly the values.

        Raises:
            Stuck: A field does not hold what was pasted, or the form asks for a login that is not set.
        """
        # What is not there yet would be passed over: the box to agree, the fields for basic auth.
        self._page.wait_for_load_state("domcontentloaded")
        close_what_covers(self.machine_token)
        for one, value in ((self.site_name, site_name), (self.machine_token, machine_token.reveal())):
            one.fill(value)
            one.press("Shift")  # some scripts look at a field when a key is released, as after a reader's Ctrl+V
        self._fill_in_email()
        self._consent()
        self._fill_in_basic_auth()
        if self.site_name.input_value() != site_name:
            raise Stuck(
                "the plugin's form does not hold the site name as it was pasted",
                looked_for="Pantheon Site Name",
            )
        if self.machine_token.input_value() != machine_token.reveal():
            raise Stuck(
                "the plugin's form does not hold the machine token as it was pasted",
                looked_for="Machine Token",
            )

    def press_migrate(self) -> None:
        """Press **Migrate**, and answer yes when the page asks whether that is meant.

        It does not wait for the page that comes: the service may take longer to check token and site than a page may.
        """
        self._page.once("dialog", self._accept)
        self.migrate.click(no_wait_after=True)

    def _accept(self, dialogue: Dialog) -> None:
        self._asked = " ".join(dialogue.message.split())
        dialogue.accept()

    def unfilled(self) -> list[str]:
        """Names of the fields that the page still wants to be filled in."""
        return names_of_unfilled(self.locator)

    def asks(self) -> str:
        """What the page has said or asked after **Migrate**, in a dialogue; nothing if it has not."""
        dialogue = self._page.locator("dialog, [role=dialog], [role=alertdialog]")
        return self._asked or "; ".join(texts(dialogue)[:1])

    def _fill_in_email(self) -> None:
        """Some versions ask for an e-mail address too; what the page has filled in itself stays."""
        email = self.locator.locator("input[type=email], input[name=email]").filter(visible=True)
        if email.count() and not email.first.input_value():
            email.first.fill(self._administrator.email)

    def _consent(self) -> None:
        agree(self.locator)
        boxes = self.locator.locator("input[type=checkbox]")
        if not boxes.count() and (consent := self.locator.get_by_role("checkbox")).count():
            consent.first.check()

    def _fill_in_basic_auth(self) -> None:
        for_source = self.locator.locator("input[name=httpauth_src_user]")
        for_destination = self.locator.locator("input[name=httpauth_dest_user]")
        if for_source.is_visible():
            if self._administrator.source_basic_auth is None:
                raise Stuck(
                    "the service asks for the existing site's HTTP basic auth: set SOURCE_BASIC_AUTH (user:password)"
                )
            user, _, password = self._administrator.source_basic_auth.reveal().partition(":")
            for_source.fill(user)
            self.locator.locator("input[name=httpauth_src_password]").fill(password)
        if for_destination.is_visible():
            raise Stuck(
                "the service asks for HTTP basic auth of the new Pantheon site: unlock that site in the dashboard first"
            )


def agree(form: Locator) -> None:
    """Tick what has to be agreed to, and nothing else, such as a newsletter.

    The words may stand beside the box without being bound to it.

    Args:
        form: The form.
    """
    boxes = form.locator("input[type=checkbox]")
    words = boxes.evaluate_all(
        """all => all.map(el => [...(el.labels || [])].map(label => label.textContent).join(' ')
            || el.getAttribute('aria-label') || el.parentElement.textContent || '')"""
    )
    agreements = [index for index, said in enumerate(words) if AGREEMENT.search(said) and not OFFER.search(said)]
    by_name = boxes.and_(form.page.locator("[name=consent], [required]"))
    for box in [*by_name.all(), *(boxes.nth(index) for index in agreements)]:
        if not box.is_checked():
            tick(box)


def names_of_unfilled(form: Locator) -> list[str]:
    """Names of the fields that a form still wants to be filled in.

    Args:
        form: The form.
    """
    names = form.locator(":is(input, select, textarea):invalid").evaluate_all(
        """all => all.filter(el => el.checkVisibility({visibilityProperty: true}))
            .map(el => el.labels?.[0]?.textContent || el.placeholder || el.name || el.type)"""
    )
    return [" ".join(str(name).split()) for name in names]
