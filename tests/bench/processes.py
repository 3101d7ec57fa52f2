"""Processes that are timed: what they get, what they take, and that nothing of them is left."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from runner.browser import BrowserSettings, find_browser
from runner.settings import environment as with_env_file
from tests.bench.measure import Spent, stopwatch
from tests.command_line import PROGRAM, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from fixtures.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
LIMIT = 600
"""Seconds that any subject may take."""

GUIDERUNNER = PROGRAM
"""What starts the command line."""

QUICK = {"delay_ms": 0, "migration_seconds": 0}
"""The sandbox as quick as it can be: what is measured is not its patience."""


@dataclass(frozen=True)
class Bench:
    """What all rows measure with.

    Attributes:
        rounds: How often each subject is timed.
        browser: What all of them drive.
        say: Told what is being measured.
    """

    rounds: int
    browser: TheBrowser
    say: Callable[[str], None] = lambda _: None

    def variables(self, settings: Mapping[str, str]) -> dict[str, str]:
        """The environment variables of a subject, besides its settings."""
        return {**settings, "BROWSER_EXECUTABLE": str(self.browser.program)}


@dataclass(frozen=True)
class TheBrowser:
    """The one that all subjects drive.

    Attributes:
        program: What is started.
        version: As it says itself.
    """

    program: Path
    version: str

    @classmethod
    def find(cls) -> TheBrowser:
        """The one that guiderunner would take."""
        with sync_playwright() as playwright:
            program = find_browser(playwright, "chromium", BrowserSettings.load(with_env_file()))
            browser = playwright.chromium.launch(executable_path=program)
            version = browser.version
            browser.close()
        return cls(program, version)


def finished(command: Sequence[str | Path], folder: Path, variables: Mapping[str, str]) -> Spent:
    """Run a command to its end in a folder, and say what it took; what it leaves running is ended.

    Raises:
        RuntimeError: It failed; says its last words.
    """
    with (
        stopwatch() as spent,
        subprocess.Popen(
            list(map(str, command)),
            cwd=folder,
            env=environment(PYTHONPATH=str(ROOT), **variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        ) as process,
    ):
        try:
            said, _ = process.communicate(timeout=LIMIT)
        finally:
            # Doc Detective leaves its browsers running; they would be there while others are timed.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        last = said.strip()[-2000:]
        raise RuntimeError(f"{' '.join(map(str, command))} ended with exit code {process.returncode}: {last}")
    return spent


@contextmanager
def empty_folder() -> Iterator[Path]:
    """A folder that is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="guiderunner-bench-") as folder:
        yield Path(folder)


def as_new(sandbox: Sandbox, **behaviour: object) -> None:
    """Make the sandbox as new, and as quick as it can be; it behaves otherwise as it is said."""
    sandbox.begin_with(behaviour=[{**QUICK, **behaviour}])
