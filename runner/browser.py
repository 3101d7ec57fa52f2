"""Finds, starts or connects to a browser, and opens the context that a run works in."""

from __future__ import annotations

import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright

from runner.errors import Missing, WrongSettings, WrongUsage
from runner.settings import Settings, environment, optional, path, setting
from runner.unredacted import private_files, unredacted_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from playwright.sync_api import Browser, BrowserType, Playwright

T = TypeVar("T")

SYSTEM_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
"""Programs that Playwright's Chromium driver can drive, in the order in which they are preferred."""

SYSTEM_SHELL = "chromium-headless-shell"
"""Debian's Chromium without windows: the program, and its package.

It is what Playwright too starts where no window is to be shown (its `chromium-headless-shell`). The whole Chromium
draws its windows although nobody sees them: what took it 47 seconds of the machine's time takes this one 32.
"""


@dataclass(frozen=True, kw_only=True)
class BrowserSettings(Settings):
    """Which browser performs a flow."""

    executable: Path | None = setting(
        "BROWSER_EXECUTABLE",
        help="Browser program to start; unset, Playwright's own is preferred, then one of the system: Chromium's "
        "headless shell unless windows are to be shown, Chromium, Chrome",
        default="",
        example="/usr/bin/chromium",
        parse=path,
    )
    endpoint: str | None = setting(
        "BROWSER_ENDPOINT",
        help="Browser to connect to instead: a Playwright server (ws://) or a DevTools address (http://)",
        default="",
        example="ws://127.0.0.1:3000/",
        parse=optional,
    )


def own_browser(playwright: Playwright, name: str) -> Path | None:
    """Playwright's own download of the browser, if it is on this machine."""
    program = Path(_browser_type(playwright, name).executable_path)
    return program if program.is_file() else None


def own_shell(playwright: Playwright) -> Path | None:
    """Playwright's own download of Chromium without windows, if it is on this machine.

    Playwright names the place of the whole Chromium only; this one lies beside it, with the same revision (Playwright
    1.49 to 1.65: `chromium-1255/...`, `chromium_headless_shell-1255/<system>/...`).
    """
    for folder in Path(playwright.chromium.executable_path).parents:
        if folder.name.startswith("chromium-"):
            beside = folder.with_name(folder.name.replace("chromium-", "chromium_headless_shell-", 1))
            found = [*beside.glob("*/chrome-headless-shell"), *beside.glob("*/headless_shell")]
            return next(iter(found), None)
    return None


def system_browser() -> Path | None:
    """A Chromium or Chrome of the system."""
    found = next(filter(None, map(shutil.which, SYSTEM_BROWSERS)), None)
    return Path(found) if found else None


def find_shell(playwright: Playwright) -> Path | None:
    """A Chromium without windows: Playwright's own, else the system's where Playwright has no Chromium of its own.

    Args:
        playwright: A started Playwright.
    """
    if found := own_shell(playwright):
        return found
    program = None if own_browser(playwright, "chromium") else shutil.which(SYSTEM_SHELL)
    return Path(program) if program else None


def find_browser(playwright: Playwright, name: str, settings: BrowserSettings, *, headed: bool = False) -> Path:
    """The program to start: the one that is set, else Playwright's own, else the system's.

    Args:
        playwright: A started Playwright.
        name: chromium, firefox or webkit.
        settings: Where BROWSER_EXECUTABLE may be set.
        headed: It is to show windows; else a Chromium that has none is preferred.

    Raises:
        Missing: There is none; the sentence says how to get one.
    """
    if settings.executable:
        if not (settings.executable.is_file() and os.access(settings.executable, os.X_OK)):
            raise Missing(f"BROWSER_EXECUTABLE: {settings.executable} is not a program. Correct it or unset it.")
        return settings.executable
    found = find_shell(playwright) if name == "chromium" and not headed else None
    found = found or own_browser(playwright, name) or (system_browser() if name == "chromium" else None)
    if found:
        return found
    if headed and name == "chromium" and find_shell(playwright):
        raise Missing(
            "the chromium on this machine shows no windows, and --headed needs one that does: "
            '"playwright install chromium", or set BROWSER_EXECUTABLE.'
        )
    raise Missing(f'there is no {name} on this machine. "guiderunner setup --browser {name}" gets one.')


def launch_options(
    given: Mapping[str, Any], playwright: Playwright, name: str, *, same_pixels: bool = False
) -> dict[str, Any]:
    """Options with which tests start a browser: the one that a command would start, unless they choose one.

    Args:
        given: Their own, in Playwright's names.
        playwright: A started Playwright.
        name: chromium, firefox or webkit.
        same_pixels: Draw the same page in the same pixels each time.
    """
    options = dict(given)
    if not options.keys() & {"executable_path", "channel"}:
        with suppress(Missing, WrongSettings):  # Playwright says what it lacks
            options["executable_path"] = find_browser(
                playwright, name, BrowserSettings.load(environment()), headed=options.get("headless") is False
            )
    if same_pixels:
        options["args"] = [*options.get("args", ()), *SAME_PIXELS.get(name, ())]
    return options


SAME_PIXELS = {"chromium": ("--disable-font-subpixel-positioning",)}
"""Switches of a browser with which the same page is drawn in the same pixels each time.

Without it Chromium draws the text of a form control at one of two heights, by chance: in one admin page the field that
searches plugins differed by that in half of its visits.
"""


@contextmanager
def open_browser(
    settings: BrowserSettings,
    *,
    name: str = "chromium",
    headed: bool = False,
    slow_mo: float = 0,
    switches: Sequence[str] = (),
) -> Iterator[Browser]:
    """Start a browser or connect to one; it is closed, and every process of it is gone, at the end.

    Args:
        settings: Which one.
        name: chromium, firefox or webkit.
        headed: Show its windows.
        slow_mo: Milliseconds between Playwright's acts.
        switches: What it is started with besides; what one connects to is as it was started.

    Raises:
        Missing: There is no such browser, it cannot be started, or nothing answers at BROWSER_ENDPOINT.
    """
    _keep_driver_compiled()
    # Its screenshots wait for fonts until they fail; `runner.screenshots.settle` has waited, as long as is good for it.
    os.environ.setdefault("PW_TEST_SCREENSHOT_NO_FONTS_READY", "1")
    with ExitStack() as stack:
        playwright = stack.enter_context(sync_playwright())
        kind = _browser_type(playwright, name)
        try:
            if settings.endpoint and settings.endpoint.startswith(("ws://", "wss://")):
                browser = kind.connect(settings.endpoint, slow_mo=slow_mo)
            elif settings.endpoint:
                browser = kind.connect_over_cdp(settings.endpoint, slow_mo=slow_mo)
            else:
                program = find_browser(playwright, name, settings, headed=headed)
                # A terminal's Ctrl-C reaches Playwright's driver too: it is to stay until the browser has been closed.
                folder = stack.enter_context(unredacted_folder())
                browser = kind.launch(
                    executable_path=program,
                    args=list(switches),
                    headless=not headed,
                    slow_mo=slow_mo,
                    handle_sigint=False,
                    traces_dir=folder / "traces",
                    artifacts_dir=folder / "artifacts",
                )
        except PlaywrightError as error:
            what = (
                f"BROWSER_ENDPOINT {without_keys(settings.endpoint)} does not answer"
                if settings.endpoint
                else f"{name} did not start"
            )
            shown = " and a screen is there (--headed needs one)" if headed else ""
            reason = next((line for line in error.message.splitlines() if line.strip()), "")
            raise Missing(f"{what}: {without_keys(reason)}. Check that it runs by hand{shown}.") from None
        try:
            yield browser
        finally:
            with suppress(PlaywrightError):  # it has gone already, and what the run met says so
                browser.close()


def without_keys(text: str) -> str:
    """The text with no more than scheme, host and port of its addresses: who lends browsers has a key in the rest."""
    return re.sub(r"(\w+://)(?:[^\s/?#]*@)?([^\s/?#]*/?)\S*", r"\1\2", text)


def _keep_driver_compiled() -> None:
    """Have Node keep what it compiles of Playwright's driver: the next one answers after 0.25 s instead of 0.32 s.

    Source: "Module compile cache" in Node's documentation; who has set NODE_COMPILE_CACHE keeps it.
    """
    cache = os.environ.get("GUIDERUNNER_CACHE") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    with suppress(RuntimeError):  # who has no home has no cache
        os.environ.setdefault("NODE_COMPILE_CACHE", str(Path(cache).expanduser() / "guiderunner-node"))


@contextmanager
def open_while_importing(
    browsers: Callable[[], AbstractContextManager[T]], *modules: str
) -> Iterator[Callable[[], AbstractContextManager[T]]]:
    """Open the first browser now, and import meanwhile what works with it: half of either's time is waiting.

    Args:
        browsers: Opens a browser, as often as one is needed.
        modules: Those that are imported.

    Yields:
        What opens a browser as `browsers` does; the first one stands open already.

    Raises:
        Missing: As `open_browser`.
    """
    with ExitStack() as opened:
        with ThreadPoolExecutor(max_workers=1) as beside, private_files():
            beside.map(import_module, modules)  # one that cannot be imported says so where it is used
            first = [opened.enter_context(browsers())]

        @contextmanager
        def browser() -> Iterator[T]:
            if first:
                with opened.pop_all():
                    yield first.pop()
            else:
                with browsers() as another:
                    yield another

        yield browser


def _browser_type(playwright: Playwright, name: str) -> BrowserType:
    kinds: Sequence[BrowserType] = (playwright.chromium, playwright.firefox, playwright.webkit)
    for kind in kinds:
        if kind.name == name:
            return kind
    raise WrongUsage(f'--browser: there is no "{name}"; there are: {", ".join(kind.name for kind in kinds)}')


def context_options(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - handed on to Playwright's new_context
    """Options of a run's browser context: the size of the guide's pictures, English, and what the flow adds."""
    from runner.screenshots import SCALE, VIEWPORT  # noqa: PLC0415 - Pillow is slow to import and not needed to find a browser

    width, height = VIEWPORT
    return {
        "viewport": {"width": width, "height": height},
        "device_scale_factor": SCALE,
        "locale": "en-US",
        "reduced_motion": "reduce",
        **more,
    }
