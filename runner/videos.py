"""Records the tabs of a run to videos, with a gap wherever a secret may be visible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import Error as PlaywrightError

from runner.errors import Missing

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page


class Recorder:
    """Records each tab to a video of its own, in parts: never while a secret may be visible in it.

    Args:
        folder: Where the videos go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts = len(list(folder.glob("*.webm")))
        self._recording: set[Page] = set()
        folder.mkdir(parents=True, exist_ok=True)

    def record(self, page: Page) -> None:
        """Record this tab from now on.

        Raises:
            Missing: Playwright's ffmpeg is not on this machine.
        """
        if page not in self._recording:
            self._parts += 1
            try:
                page.screencast.start(path=self._folder / f"{self._parts:02}.webm")
            except PlaywrightError as error:
                if "ffmpeg" not in error.message:
                    raise
                raise Missing('--video needs Playwright\'s ffmpeg: "playwright install ffmpeg" gets it.') from None
            self._recording.add(page)

    def pause(self, page: Page) -> bool:
        """End the part that is being recorded of this tab; returns whether one was."""
        if page not in self._recording:
            return False
        self._recording.remove(page)
        page.screencast.stop()
        return True

    def stop(self) -> None:
        """End all recordings."""
        for page in list(self._recording):
            if page.is_closed():
                self._recording.remove(page)
            else:
                self.pause(page)
