"""What this machine has and what it lacks: looks for it (`doctor`) and gets it (`setup`)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from runner.browser import SYSTEM_SHELL, BrowserSettings, find_browser, find_shell, without_keys
from runner.errors import Missing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DOWNLOAD = 900
"""Seconds that one installation may take."""

LAST_WORDS = 300
"""Characters of a failed program's output that are shown."""


@dataclass(frozen=True)
class Need:
    """One thing that a machine must have.

    Args:
        name: What it is.
        look: Says what was found; None when it is missing.
        get: Gets it and says what it did; raises Missing when it cannot.
        how: How a person gets it, for `doctor`.
        only_for: What cannot be done without it; nothing if nothing can.
    """

    name: str
    look: Callable[[], str | None]
    get: Callable[[], str]
    how: str
    only_for: str = ""


def browser(name: str, settings: BrowserSettings) -> Need:
    """A browser that Playwright can drive.

    Args:
        name: chromium, firefox or webkit.
        settings: Where BROWSER_EXECUTABLE may be set.
    """

    def look() -> str | None:
        if settings.endpoint:
            return f"the one at BROWSER_ENDPOINT {without_keys(settings.endpoint)}"
        with sync_playwright() as playwright:
            try:
                return str(find_browser(playwright, name, settings))
            except Missing:
                return None

    def get() -> str:
        if settings.executable:
            raise Missing(f"BROWSER_EXECUTABLE: {settings.executable} is not a program. Correct it or unset it.")
        refused = _run([sys.executable, "-m", "playwright", "install", name])
        if refused is None:
            return "downloaded Playwright's own"
        if name != "chromium":
            raise Missing(f"Playwright's {name} could not be downloaded: {refused}")
        return f"Playwright's own could not be downloaded here; {apt_install(['chromium'], what='Chromium')}"

    how = f'"guiderunner setup", or set BROWSER_EXECUTABLE, or "playwright install {name}"'
    return Need(f"browser ({name})", look, get, how)


def headless_shell() -> Need:
    """A Chromium without windows, with which a run takes less work; see `runner.browser.SYSTEM_SHELL`."""

    def look() -> str | None:
        with sync_playwright() as playwright:
            found = find_shell(playwright)
            return str(found) if found else None

    def get() -> str:
        refused = _run([sys.executable, "-m", "playwright", "install", "chromium-headless-shell"])
        if refused is None:
            return "downloaded Playwright's own"
        return f"Playwright's own could not be downloaded here; {apt_install([SYSTEM_SHELL], what='It')}"

    how = f'"guiderunner setup", or "playwright install chromium-headless-shell", or Debian\'s {SYSTEM_SHELL}'
    return Need("headless shell (chromium)", look, get, how, only_for="quicker runs")


def video() -> Need:
    """The ffmpeg that Playwright records videos with: its own, or the system's in its place."""

    def look() -> str | None:
        program = _ffmpeg_of_playwright()
        return str(program) if program.exists() else None

    def get() -> str:
        refused = _run([sys.executable, "-m", "playwright", "install", "ffmpeg"])
        if refused is None:
            return "downloaded Playwright's own"
        done = f"Playwright's own could not be downloaded here; {system_ffmpeg()}"
        program = _ffmpeg_of_playwright()
        program.parent.mkdir(parents=True, exist_ok=True)
        program.unlink(missing_ok=True)  # a link to what is no longer there
        program.symlink_to(shutil.which("ffmpeg") or "ffmpeg")
        return done

    def system_ffmpeg() -> str:
        if shutil.which("ffmpeg"):
            return "the system's takes its place"
        return apt_install(["ffmpeg"], what="ffmpeg")

    how = '"guiderunner setup", or "playwright install ffmpeg"'
    return Need("videos (ffmpeg)", look, get, how, only_for="--video")


def _ffmpeg_of_playwright() -> Path:
    """Where Playwright looks for ffmpeg.

    Raises:
        Missing: It does not say so.
    """
    asked = subprocess.run(
        [sys.executable, "-m", "playwright", "install", "--dry-run", "ffmpeg"],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"Install location:\s*(\S.*)", asked.stdout)
    if found is None:
        raise Missing(f"Playwright does not say where it looks for ffmpeg: {asked.stderr.strip()[-LAST_WORDS:]}")
    system = {"linux": "linux", "darwin": "mac"}.get(sys.platform, "win64.exe")
    return Path(found[1].strip()) / f"ffmpeg-{system}"


def apt_install(packages: Sequence[str], *, what: str) -> str:
    """Install packages of Debian or Ubuntu, when there is apt-get and we are root.

    Args:
        packages: Their names.
        what: What they bring, for the message.

    Returns:
        What was done.

    Raises:
        Missing: There is no apt-get, we are not root, or it failed; the sentence says what to do.
    """
    by_hand = f"apt-get install {' '.join(packages)}"
    if not shutil.which("apt-get"):
        raise Missing(f"{what} is missing, and there is no apt-get here: install it with the system's own means.")
    if os.geteuid() != 0:
        raise Missing(f'{what} is missing, and only root may install it: run "sudo {by_hand}".')
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = partial(_run, ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages], environment)
    # An installation that fails at first mostly has old package lists, and fetching them anew takes a while.
    if install() is not None:
        refused = _run(["apt-get", "update", "-q"], environment) or install()
        if refused is not None:
            raise Missing(f'{what} is missing, and "{by_hand}" failed: {refused}')
    return f"installed Debian's {', '.join(packages)}"


def _run(command: Sequence[str], environment: dict[str, str] | None = None) -> str | None:
    """Run a program; None when it succeeded, else its last words."""
    try:
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=DOWNLOAD,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it took more than {DOWNLOAD} seconds"
    except OSError as error:
        return str(error)
    return None if done.returncode == 0 else " ".join((done.stderr or done.stdout).split())[-LAST_WORDS:]
