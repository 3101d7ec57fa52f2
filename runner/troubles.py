"""What goes wrong in a browser beside what a step looks at: errors in the console, and requests that fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.secrets import plain_url

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

AT_MOST = 20
"""So many errors, and so many requests, are kept of each step; of the others their number."""

FIRST_FAILURE = 400
"""HTTP's first number for an answer that is none."""

LEFT = ("net::ERR_ABORTED", "NS_BINDING_ABORTED", "cancelled")
"""How browsers call it when a page was left before the answer came: that is no failure."""


class Troubles:
    """Collects what goes wrong in the tabs of a browser."""

    def __init__(self) -> None:
        self._console: list[dict[str, Any]] = []
        self._requests: list[dict[str, Any]] = []
        self._more = 0

    def watch(self, context: BrowserContext) -> None:
        """Note from now on what goes wrong in this context."""
        context.on("console", self._note_message)
        context.on("weberror", self._note_exception)
        context.on("requestfailed", self._note_failure)
        context.on("response", self._note_answer)

    def take(self) -> dict[str, Any]:
        """What has gone wrong since it was last taken; nothing if all went well."""
        taken = {"console": self._console, "requests": self._requests, "more": self._more}
        self._console, self._requests, self._more = [], [], 0
        return taken if taken["console"] or taken["requests"] else {}

    def _note(self, where: list[dict[str, Any]], what: dict[str, Any]) -> None:
        if len(where) < AT_MOST:
            where.append(what)
        else:
            self._more += 1

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            url = plain_url(str(message.location.get("url", "")))
            self._note(self._console, {"type": "error", "text": message.text, "url": url})

    def _note_exception(self, error: WebError) -> None:
        self._note(self._console, {"type": "exception", "text": str(error.error), "url": ""})

    def _note_failure(self, request: Request) -> None:
        reason = request.failure or "failed"
        if reason not in LEFT:
            self._note_request(request, None, reason)

    def _note_answer(self, response: Response) -> None:
        if response.status >= FIRST_FAILURE:
            self._note_request(response.request, response.status, response.status_text)

    def _note_request(self, request: Request, status: int | None, reason: str) -> None:
        about = {"method": request.method, "url": plain_url(request.url), "status": status, "reason": reason}
        self._note(self._requests, about)
