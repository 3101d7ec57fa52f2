"""The migration service's pages, from **Migrate** to **Migration completed successfully**, and the way back."""

from __future__ import annotations

import base64
import binascii
import re
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from runner.controls import REFUSAL, Secret, Stuck, dismiss_interruptions, lines, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Frame, Locator, Page

    from flows.wordpress_migration.pages.wp_admin import MigrationForm
    from flows.wordpress_migration.settings import MigrationSettings

SLICE = 2.0
"""Seconds between two readings of the progress."""

LOAD_AGAIN = 120.0
"""Seconds without any change after which the page is loaded again, as a reader would do."""

FIRST_ERROR = 400
"""HTTP's first status for a refusal or an error."""

RETURNED = {
    "email": "the service did not accept the account's e-mail address",
    "blog": "the service did not accept the existing site (it takes neither a site on a local machine nor a multisite)",
}
"""What the error codes in the address of the plugin's page mean (plugin versions 1.84 to 5.25)."""

_FAILED = re.compile(
    r"\b(migration|transfer|validation)\b.{0,40}\b(failed|stopped|aborted|unsuccessful|could not|was not)\b"
    r"|\b(site|destination|source|token|page)\b.{0,30}"
    r"\b(not found|not reachable|unreachable|refused|rejected|invalid|expired|revoked)\b"
    r"|^(error|failed|failure|something went wrong)\b",
    re.IGNORECASE,
)


_DOING = re.compile(r"^.{0,99}(…|\.\.\.)$|^\w+ing\b.{0,90}$")
"""A short line that says what is going on: "Importing the database", "Validating…"."""


class MigrationService:
    """What the WordPress tab shows after **Migrate**.

    Args:
        page: The tab.
        patience: How long to wait.
        say: Told how far the migration is.
    """

    def __init__(self, page: Page, patience: MigrationSettings, *, say: Callable[[str], None]) -> None:
        self.page = page
        self._patience = patience
        self._say = say
        self._addresses: list[str] = []
        page.on("framenavigated", self._note_address)
        dismiss_interruptions(
            page,
            lambda name: say(f'something lay over the page and was closed with "{name}"'),
            never=("Migrate",),
        )

    @property
    def completed(self) -> Locator:
        """**Migration completed successfully**."""
        words = re.compile(r"migration\s+completed\s+successfully", re.IGNORECASE)
        return self.page.get_by_text(words).filter(visible=True).first.describe('"Migration completed successfully"')

    def follow_hand_shake(self, form: MigrationForm, site_name: str, machine_token: Secret) -> None:
        """Follow the browser from **Migrate** to the service's page of this migration.

        When the browser comes back because the existing site is behind basic auth, the form is filled in once more.

        Raises:
            Stuck: The browser came back to the plugin's page with an error, or the service refused.
        """
        if self._asks_for_basic_auth():
            self._say("the service asks for the existing site's basic auth")
            form.fill_in(site_name, machine_token)
            self._addresses.clear()
            form.migrate.click()
            if self._asks_for_basic_auth():
                raise Stuck("the service asks for the existing site's HTTP basic auth again: check SOURCE_BASIC_AUTH")

    def _asks_for_basic_auth(self) -> bool:
        """Wait until the service's page of the migration is there (False) or basic auth is asked for (True)."""

        def look() -> bool | None:
            query = self._returned()
            if "auth_required_source" in query:
                return True
            self._check_returned(query)
            if self._at_source():
                return None
            self._check_failed()
            return False if self._tells_progress() or self.completed.is_visible() else None

        asked = until(self.page, look, timeout=3 * self._patience.page_timeout)
        if asked is None:
            raise Stuck("the service did not answer after Migrate was pressed", looked_for="the page of the migration")
        return asked

    def wait_until_completed(self) -> None:
        """Wait for **Migration completed successfully**, telling the progress as it advances.

        Raises:
            Stuck: The migration failed (with the service's reason), or took longer than MIGRATION_TIMEOUT.
        """
        deadline = time.monotonic() + self._patience.migration_timeout
        told, changed = "", time.monotonic()
        while time.monotonic() < deadline:
            if until(self.page, self._completed, timeout=SLICE):
                return
            now = self._progress()
            if now != told:
                told, changed = now, time.monotonic()
                self._say(f"migrating: {told}")
            elif time.monotonic() - changed > LOAD_AGAIN:
                changed = time.monotonic()
                self.page.goto(self.page.url)
        hours = self._patience.migration_timeout / 3600
        raise Stuck(
            f"the migration did not complete within {hours:g} hours (last seen: {told or 'no progress'}). "
            "It may still go on: look at its page before you start another",
            looked_for="Migration completed successfully",
        )

    def _completed(self) -> bool | None:
        if self.completed.is_visible():
            return True
        self._check_returned(self._returned())
        self._check_failed()
        return None

    # -- what the page says ---------------------------------------------------------------------------------------

    def _at_source(self) -> bool:
        return urlsplit(self.page.url).netloc.removeprefix("www.") == urlsplit(
            self._patience.source_url
        ).netloc.removeprefix("www.")

    def _note_address(self, frame: Frame) -> None:
        if frame == self.page.main_frame:
            self._addresses.append(frame.url)

    def _returned(self) -> dict[str, list[str]]:
        """The query with which the browser came back to the plugin's page; empty when it has not come back.

        It is read from the addresses that the tab went through: wp-admin takes `error` and `message` out of the
        address as soon as the page has loaded (wp_admin_canonical_url in wp-admin/includes/misc.php).
        """
        for address in reversed(self._addresses):
            query = parse_qs(urlsplit(address).query, keep_blank_values=True)
            if query.get("page") == ["pantheon"] and {"error", "auth_required_source"} & set(query):
                return query
        return {}

    def _check_returned(self, query: dict[str, list[str]]) -> None:
        code = query.get("error", [""])[0]
        if not code:
            return
        reason = RETURNED.get(code, f'the service sent the browser back with the error "{code}"')
        message = query.get("message", [""])[0]
        if message:
            try:
                # A query turns + into a blank, and the padding may be missing.
                reason = base64.b64decode(message.replace(" ", "+") + "==").decode("utf-8", "replace")
            except binascii.Error:
                reason = message
        raise Stuck(f'the migration was refused: "{" ".join(reason.split())}"', looked_for="the page of the migration")

    def _check_failed(self) -> None:
        said = self._alarm() or self._refusing_page()
        if said and not self.completed.is_visible():
            raise Stuck(
                f'the migration failed; the service says "{said}"', looked_for="Migration completed successfully"
            )

    def _refusing_page(self) -> str | None:
        """What a page of the service says that is itself an error, by its status; None for any other page."""
        status = self.page.evaluate("() => performance.getEntriesByType('navigation')[0]?.responseStatus || 0")
        if status < FIRST_ERROR or self._at_source():
            return None
        headings = self._texts(self.page.get_by_role("heading"))
        there = lines(self.page)
        first = next((there.index(heading) for heading in headings if heading in there), 0)
        return ": ".join(line.rstrip(".") for line in there[first : first + 2]) or f"error {status}"

    def _alarm(self) -> str | None:
        """What the page says when it has failed: the heading or alert that says so, and the sentence after it."""
        headings = self._texts(self.page.get_by_role("heading"))
        alerts = self._texts(self.page.get_by_role("alert"))
        links = self._texts(self.page.get_by_role("link").or_(self.page.get_by_role("button")))
        there = [line for line in lines(self.page) if line not in links]
        for index, line in enumerate(there):
            if _FAILED.search(line) or (line in headings + alerts and REFUSAL.search(line)):
                before = [other for other in there[:index][-1:] if other in headings and line not in headings]
                return ": ".join(part.rstrip(".") for part in [*before, line, *there[index + 1 : index + 2]][:2])
        return None

    def _texts(self, locator: Locator) -> list[str]:
        return [" ".join(text.split()) for text in locator.filter(visible=True).all_inner_texts()]

    def _tells_progress(self) -> bool:
        return self.page.get_by_role("progressbar").or_(self.page.locator("progress")).count() > 0 or bool(
            self._percent()
        )

    def _percent(self) -> str:
        found = re.search(r"\b\d{1,3} ?%", " ".join(lines(self.page)))
        return found[0] if found else ""

    def _progress(self) -> str:
        """How far the migration is, in the page's own words."""
        bar = self.page.get_by_role("progressbar")
        value = bar.first.get_attribute("aria-valuenow", timeout=1000) if bar.count() else None
        percent = self._percent() or (f"{float(value):.0f} %" if value else "")
        words = next((line for line in lines(self.page) if _DOING.search(line)), "")
        return ", ".join(filter(None, (percent, words))) or "no progress shown"
