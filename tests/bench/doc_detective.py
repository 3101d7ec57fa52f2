"""Doc Detective (npm), if it can be had: it takes the same pages as our engine and shot-scraper."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fixtures.wordpress_versions import cache_directory
from tests.bench.processes import empty_folder, finished

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.bench.measure import Spent
    from tests.bench.processes import TheBrowser

VERSION = "4.38.1"

RUNTIME = ("webdriverio", "appium", "appium-chromium-driver", "sharp", "pixelmatch", "pngjs", "@puppeteer/browsers")
"""What it installs by itself when it is first used; named, so that what other browsers need is not."""


class NotHere(Exception):
    """It cannot be measured on this machine; says why."""


@dataclass(frozen=True)
class DocDetective:
    """An installed one.

    Attributes:
        folder: Where it is.
    """

    folder: Path

    def variables(self) -> dict[str, str]:
        """Its environment: its own cache, nothing that is looked for in the net, and the node that runs it."""
        return {
            "DOC_DETECTIVE_CACHE_DIR": str(self.folder / "cache"),
            "DOC_DETECTIVE_SKIP_AUTO_UPDATE": "1",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }

    def command(self, *args: str) -> list[str]:
        """What starts it."""
        return [str(self.folder / "node_modules/.bin/doc-detective"), *args]

    def takes(self, urls: Sequence[str]) -> Spent:
        """Time how it takes these pages.

        Raises:
            RuntimeError: It did not.
        """
        steps: list[dict[str, object]] = []
        with empty_folder() as folder:
            for at, url in enumerate(urls):
                steps.append({"goTo": url})
                steps.append({"screenshot": {"path": f"{at}.png", "directory": str(folder / "images")}})
            window = {"name": "chrome", "headless": True, "viewport": {"width": 1280, "height": 800}}
            test = {"testId": "pages", "runOn": [{"platforms": ["linux"], "browsers": [window]}], "steps": steps}
            (folder / "spec.json").write_text(json.dumps({"tests": [test]}))
            settings = {"telemetry": {"send": False}, "logLevel": "error", "reporters": ["json"]}
            (folder / "config.json").write_text(json.dumps(settings))
            command = self.command("-c", "config.json", "-i", "spec.json", "-o", "out")
            spent = finished(command, folder, self.variables())
            if (number := len(list((folder / "images").glob("*.png")))) != len(urls):
                raise RuntimeError(f"Doc Detective has taken {number} images of {len(urls)} pages")
        return spent


def tried(found: DocDetective, url: str) -> DocDetective:
    """The same, which has taken a page here.

    Raises:
        NotHere: It could not.
    """
    try:
        found.takes([url])
    except (RuntimeError, subprocess.TimeoutExpired):
        raise NotHere("it is installed, and took no page here") from None
    return found


def find(browser: TheBrowser, say: Callable[[str], None]) -> DocDetective:
    """Find it in the cache, or install it there.

    Args:
        browser: What it is to drive.
        say: Told what is installed.

    Raises:
        NotHere: It cannot be had.
    """
    driver = find_driver(browser)
    found = DocDetective(cache_directory() / f"doc-detective-{VERSION}")
    if not (found.folder / "complete").is_file():
        say(f"installing Doc Detective {VERSION}, once")
        found.folder.mkdir(parents=True, exist_ok=True)
        npm = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", f"doc-detective@{VERSION}"]
        for command in (npm, found.command("install", "runtime", *RUNTIME, "--yes")):
            install(command, found)
        (found.folder / "complete").touch()
    place(found, "chrome", browser, f'#!/bin/sh\nexec "{browser.program}" --no-sandbox "$@"\n')
    place(found, "chromedriver", browser, f'#!/bin/sh\nexec "{driver}" "$@"\n')
    return found


def install(command: Sequence[str], found: DocDetective) -> None:
    """Have a part of it installed.

    Raises:
        NotHere: It was not.
    """
    try:
        done = subprocess.run(
            list(command),
            cwd=found.folder,
            env={**os.environ, **found.variables()},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotHere(f"it was not installed: {type(error).__name__}") from None
    if done.returncode:
        raise NotHere(f"it was not installed: {Path(command[0]).name} ended with exit code {done.returncode}")


def find_driver(browser: TheBrowser) -> str:
    """ChromeDriver of the browser's own version: WebDriver needs one, and Doc Detective gets it from Google only.

    Raises:
        NotHere: There is none.
    """
    if not shutil.which("chromedriver") and os.geteuid() == 0 and shutil.which("apt-get"):
        command = ["apt-get", "install", "-y", "-q", "chromium-driver"]
        subprocess.run(command, check=False, capture_output=True)
    driver = shutil.which("chromedriver")
    if not driver:
        raise NotHere("it needs ChromeDriver, and there is none here: apt-get install chromium-driver")
    said = subprocess.run([driver, "--version"], capture_output=True, text=True, check=True).stdout
    if f" {browser.version.split('.')[0]}." not in said:
        raise NotHere(f"it needs the ChromeDriver of Chromium {browser.version}; there is {said.strip()[:40]}")
    return driver


def place(found: DocDetective, name: str, browser: TheBrowser, script: str) -> None:
    """Put a program where Doc Detective looks for the browsers that it has got by itself."""
    folder = found.folder / "cache/browsers" / name / f"linux-{browser.version}" / f"{name}-linux64"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(script)
    (folder / name).chmod(0o755)
