"""What a flow's pytest plugin needs of pytest: a context without secrets on record, evidence, expected screenshots.

It stands on pytest-playwright and takes its options: --browser, --headed, --slowmo, --tracing, --video, --output.
"""

from __future__ import annotations

import os
import re
import sys
import urllib.parse
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page

from runner.accessibility import Accessibility, read_baseline
from runner.browser import SAME_PIXELS, BrowserSettings, find_browser, own_browser
from runner.errors import Missing, StepFailed
from runner.expected import PATIENCE
from runner.expected import expect_screenshot as expect_to_look
from runner.performance import Options
from runner.performer import Performer
from runner.run import Reporter
from runner.secrets import Secrets
from runner.settings import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from playwright.sync_api import Browser, BrowserContext, Locator, Playwright

    from runner.flow import Flow, Step
    from runner.settings import Settings

RUNS, LOOKS = "runs", "looks"
"""Folders below a test's own: with its run, and with pictures that differ from those that it expects."""

ARTIFACT = re.compile(r"trace(-\d+)?\.zip|video(-\d+)?\.webm|test-(failed|finished)-\d+\.png|looks")
"""What pytest-playwright, and `expect_screenshot`, leave in the folder of a test."""

ACCESSIBILITY = (
    "accessibility(baseline=None): look for violations with axe on the page of each screenshot; with a baseline (a "
    "JSON file, seen from the test's) new ones fail the test"
)
"""The mark of the engine's own."""

_PERFORMER = pytest.StashKey[Performer[Any]]()
_TOLD = pytest.StashKey["Told"]()
_FAILED = pytest.StashKey[bool]()
_PROBLEMS = pytest.StashKey[list[str]]()


# -- options ------------------------------------------------------------------------------------------------------


def add_options(parser: pytest.Parser) -> None:
    """Add what pytest-playwright does not have."""
    parser.getgroup("guiderunner", "guiderunner").addoption(
        "--update-screenshots",
        action="store_true",
        help="Keep what pages look like now as what expect_screenshot expects.",
    )


def configure(config: pytest.Config) -> None:
    """Refuse an output folder with something else in it, and register the fixtures.

    Raises:
        UsageError: pytest-playwright would delete what no test has made.
    """
    config.addinivalue_line("markers", ACCESSIBILITY)
    if not hasattr(config, "workerinput"):  # once, before the workers of pytest-xdist begin
        refuse_to_delete(Path(config.getoption("--output")))
    # Registered when all other plugins are: what has the name of one of pytest-playwright's comes before it.
    config.pluginmanager.register(sys.modules[__name__], "guiderunner-engine")
    config.pluginmanager.register(_Innermost(), "guiderunner-innermost")


def refuse_to_delete(output: Path) -> None:
    """Refuse an output folder with something in it that no test has left there: it is deleted when tests begin.

    Args:
        output: What --output says.

    Raises:
        UsageError: There is something else in it.
    """
    foreign = _foreign(output)
    if foreign:
        raise pytest.UsageError(
            f"--output {output}: that folder would be deleted, and no test has made {foreign}. Name another one, such "
            "as --output test-results"
        )


def _foreign(output: Path) -> Path | None:
    """Something in an output folder that is not a test's."""
    if output.is_symlink() or (output.exists() and not output.is_dir()):
        return output
    for one in sorted(output.iterdir()) if output.exists() else ():
        if one.is_symlink() or not one.is_dir():
            return one
        for inside in sorted(one.iterdir()):
            ours = inside.name == RUNS and (inside / "ledger.db").is_file()
            if not ours and not ARTIFACT.fullmatch(inside.name):
                return inside
    return None


# -- a run in a test ----------------------------------------------------------------------------------------------


class Told(Reporter):
    """Keeps what a run tells for the test's report, brings about what is to happen at a step, and tells Allure.

    Args:
        at_step: Called with the number of each step that begins.
        allure: The module `allure`, where its plugin is at work.
    """

    def __init__(self, at_step: Callable[[int], None], allure: Any = None) -> None:  # noqa: ANN401 - it may be missing
        self.lines: list[str] = []
        self._at_step = at_step
        self._allure = allure
        self._open: Any = None

    def step_started(self, step: Step[Any]) -> None:
        """Tell that a step begins."""
        self._at_step(step.number)
        self._leave()
        if self._allure:
            self._open = self._allure.step(f"{step.name}: {step.title}")
            self._open.__enter__()

    def said(self, words: str) -> None:
        """Tell what the step says."""
        self.lines.append(f"  {words}")

    def screenshot(self, name: str, path: Path) -> None:
        """Tell that a screenshot was taken."""
        if self._allure:
            self._allure.attach.file(str(path), name=name, attachment_type=self._allure.attachment_type.PNG)

    def step_done(self, step: Step[Any], seconds: float) -> None:
        """Tell that a step is done, and how long it took."""
        self.lines.append(f"{step.name}: {step.title} ({seconds:.1f} s)")
        self._leave()

    def step_again(self, step: Step[Any], sentence: str) -> None:
        """Tell that a step begins again."""
        self.lines.append(f"{step.name} again: {sentence}")
        self._leave()

    def step_found_done(self, step: Step[Any]) -> None:
        """Tell that a step turns out to be done."""
        self.lines.append(f"{step.name}: found done")
        self._leave()

    def failed(self, error: BaseException) -> None:
        """Tell that the step that was begun has failed."""
        self._leave(error)

    def _leave(self, error: BaseException | None = None) -> None:
        if self._open:
            self._open.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)
            self._open = None


def begin(
    request: pytest.FixtureRequest,
    flow: Flow[Any],
    settings: Settings,
    at_step: Callable[[int], None] = lambda _: None,
) -> Iterator[Performer[Any]]:
    """The run of a test, from its set-up to its end; for a fixture to `yield from`.

    Args:
        request: The fixture's.
        flow: The flow.
        settings: What it works with.
        at_step: Called with the number of each step that begins.
    """
    config, node = request.config, request.node
    accessibility, baseline = _accessibility(node)
    told = Told(at_step, _allure(config))
    performer: Performer[Any] = Performer(
        flow,
        settings,
        Path(request.getfixturevalue("output_path")) / RUNS,
        options=Options(
            trace=config.getoption("--tracing"),
            video=config.getoption("--video") != "off",
            accessibility=accessibility,
        ),
        reporter=told,
        baseline=baseline,
    )
    node.stash[_PERFORMER], node.stash[_TOLD] = performer, told
    # A test that is run again is the same item to pytest.
    node.stash[_FAILED], node.stash[_PROBLEMS] = False, []
    yield performer
    failed = node.stash[_FAILED]
    performer.finish(
        node.stash[_PROBLEMS],
        failed=failed,
        keep_videos=failed or config.getoption("--video") == "on",
    )
    if allure := _allure(config):
        for kind, path in artifacts(performer):
            type_of = {"report": "HTML", "screenshot": "PNG", "video": "WEBM"}.get(kind)
            more = {"attachment_type": getattr(allure.attachment_type, type_of)} if type_of else {}
            allure.attach.file(str(path), name=kind, **more)


def _accessibility(node: pytest.Item) -> tuple[Accessibility | None, Path | None]:
    marker = node.get_closest_marker("accessibility")
    if marker is None:
        return None, None
    named = marker.args[0] if marker.args else marker.kwargs.get("baseline")
    baseline = node.path.parent / named if named else None
    return Accessibility(read_baseline(baseline) if baseline else None), baseline


def _allure(config: pytest.Config) -> Any:  # noqa: ANN401 - a module that may be missing
    """The module `allure`, where its plugin writes results."""
    if not config.getoption("--alluredir", None):
        return None
    import allure  # noqa: PLC0415 - only where its plugin is at work

    return allure


def artifacts(performer: Performer[Any]) -> list[tuple[str, Path]]:
    """What a run has left that a report of tests links to: kinds and files."""
    folder = performer.folder
    found = [("report", folder / "report.html")]
    found += [("screenshot", path) for path in sorted((folder / "screenshots").glob("*failed-*.png"))]
    found += [("trace", path) for path in sorted(folder.glob("trace*.zip"))]
    found += [("video", path) for path in sorted((folder / "videos").glob("*.webm"))]
    return [(kind, path) for kind, path in found if path.is_file()]


# -- reports ------------------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Take secrets out of what a test has raised, before any other plugin reads it, and show what its run has left."""
    performer, told = item.stash.get(_PERFORMER, None), item.stash.get(_TOLD, None)
    secrets = performer.performed.secrets if performer else None
    if secrets and told and call.excinfo:
        told.failed(call.excinfo.value)
        redact(call.excinfo.value, secrets)
    if told and told.lines and call.when == "call":
        item.add_report_section("call", "guide", "\n".join(told.lines))
    report = yield
    if call.excinfo and report.failed:
        item.stash[_FAILED] = True
        item.stash[_PROBLEMS] = item.stash.get(_PROBLEMS, []) + _sentences(call.excinfo.value)
    if performer and report.when == "teardown":
        _link(item, report, artifacts(performer))
    return report


def redact(error: BaseException, secrets: Secrets) -> None:
    """Take secrets out of an exception, and of those that it goes back to or holds, in place."""
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.args = tuple(secrets.redact_deep(each) if isinstance(each, str) else each for each in one.args)
        if isinstance(one, PlaywrightError):
            one._message = secrets.redact_deep(one.message)  # noqa: SLF001 - its str() comes from there
            one._stack = None  # noqa: SLF001 - the driver's own, which repeats the message
        if notes := getattr(one, "__notes__", None):
            one.__notes__ = [secrets.redact_deep(note) for note in notes]
        left += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]


_EXPECTED = re.compile(r'- Expect "\w+" (.+) with timeout')
"""How Playwright names the locator of an expectation."""


def _sentences(error: BaseException) -> list[str]:
    """What an exception says, as far as the run does not know it; each of a group's on its own."""
    if isinstance(error, StepFailed):
        return []
    if isinstance(error, BaseExceptionGroup):
        return [sentence for each in error.exceptions for sentence in _sentences(each)]
    said = [line.strip() for line in str(error).splitlines() if line.strip()]
    found = _EXPECTED.search(str(error))
    where = f": {found[1]}" if found else ""
    log = next(
        (number for number, line in enumerate(said) if line.startswith(("Call log", "Aria snapshot"))), len(said)
    )
    return [f"{'; '.join(said[:log][:3]) or type(error).__name__}{where}"]


class _Innermost:
    """Is told of a report before all other plugins that look at it when it is made."""

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Take secrets out of what a report shows: code, local variables, what was printed and logged."""
        report = yield
        if performer := item.stash.get(_PERFORMER, None):
            secrets = performer.performed.secrets
            if report.failed and secrets.find_deep(report.longreprtext):
                report.longrepr = secrets.redact_deep(report.longreprtext)
            report.sections = [(name, secrets.redact_deep(text)) for name, text in report.sections]
        return report


def _link(item: pytest.Item, report: pytest.TestReport, found: Sequence[tuple[str, Path]]) -> None:
    """Name what a run has left in JUnit's properties, and show it in pytest-html."""
    config = item.config
    base = Path(config.invocation_params.dir)
    report.user_properties += [
        (f"guiderunner_{kind}", str(path.relative_to(base) if path.is_relative_to(base) else path))
        for kind, path in found
    ]
    html = getattr(config.option, "htmlpath", None)
    plugin = config.pluginmanager.getplugin("html")
    if not html or plugin is None:
        return
    folder = Path(base, Path(os.path.expandvars(html)).expanduser()).parent
    extras = getattr(report, "extras", [])
    for kind, path in found:
        address = urllib.parse.quote(Path(os.path.relpath(path, folder)).as_posix())
        if kind == "screenshot":
            extras.append(plugin.extras.png(address, name="Screenshot"))
        else:
            extras.append(plugin.extras.url(address, name=kind.capitalize()))
    report.extras = extras  # type: ignore[attr-defined]


# -- fixtures -----------------------------------------------------------------------------------------------------


class Looks:
    """Expects pages and elements to look as pictures that are kept beside the test; see the fixture.

    Args:
        request: The test's.
        folder: Where the pictures are that are kept.
        suffix: What their names end with: browser and system, which draw the same page differently.
    """

    def __init__(self, request: pytest.FixtureRequest, folder: Path, suffix: str) -> None:
        self._request = request
        self._folder = folder
        self._suffix = suffix
        self._taken: set[str] = set()

    def __call__(
        self,
        name: str,
        shown: Page | Locator | None = None,
        *,
        conceal: Sequence[Locator] = (),
        timeout: float = PATIENCE,
    ) -> None:
        """Expect a page, or an element, to look as the picture of this name.

        Args:
            name: What the picture is called.
            shown: The page or the element; by default the tab that the run, or the test, is at.
            conceal: What is covered, since it is another each time.
            timeout: Seconds within which it has to look so.

        Raises:
            AssertionError: It looks different, or there is no picture yet.
        """
        __tracebackhide__ = True
        if not re.fullmatch(r"[\w-]+", name):
            pytest.fail(f'expect_screenshot: "{name}" is not a name of letters, digits, - and _', pytrace=False)
        if name in self._taken:
            pytest.fail(f'expect_screenshot: this test has expected "{name}" before', pytrace=False)
        self._taken.add(name)
        performer = self._request.node.stash.get(_PERFORMER, None)
        if shown is None:
            shown = performer.page if performer else self._request.getfixturevalue("page")
        try:
            expect_to_look(
                shown,
                self._folder / f"{name}-{self._suffix}.png",
                secrets=performer.performed.secrets if performer else Secrets(),
                actual=Path(self._request.getfixturevalue("output_path")) / LOOKS / f"{name}.png",
                conceal=conceal,
                timeout=timeout,
                update=self._request.config.getoption("--update-screenshots"),
            )
        except AssertionError as error:
            # Of all the calls in between the test's report would show the code.
            raise error.with_traceback(None) from None


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any],
    playwright: Playwright,
    browser_name: str,
    request: pytest.FixtureRequest,
) -> dict[str, Any]:
    """pytest-playwright's own; where Playwright has no such browser, the system's, as the command line does."""
    args = dict(browser_type_launch_args)
    settings = BrowserSettings.load(environment())
    chosen = args.keys() & {"executable_path", "channel"}
    if not chosen and (settings.executable or own_browser(playwright, browser_name) is None):
        with suppress(Missing):  # Playwright says how to get its own
            args["executable_path"] = find_browser(playwright, browser_name, settings)
    if any("expect_screenshot" in getattr(item, "fixturenames", ()) for item in request.session.items):
        args["args"] = [*args.get("args", ()), *SAME_PIXELS.get(browser_name, ())]
    return args


@pytest.fixture
def context(request: pytest.FixtureRequest) -> BrowserContext:
    """pytest-playwright's own; in the test of a run the run's, of which nothing is recorded with its secrets."""
    if "performer" not in request.fixturenames:
        made: BrowserContext = request.getfixturevalue("new_context")()
        return made
    performer: Performer[Any] = request.getfixturevalue("performer")
    browser: Browser = request.getfixturevalue("browser")
    args = dict(request.getfixturevalue("browser_context_args"))
    marker = request.node.get_closest_marker("browser_context_args")
    args |= marker.kwargs if marker else {}
    args.pop("record_video_dir", None)  # the run records by itself, and covers secrets
    return performer.open_context(browser, args)


@pytest.fixture
def expected_screenshots(request: pytest.FixtureRequest) -> Path:
    """The folder of the pictures that a test expects: beside its file, with the file's name."""
    return request.path.with_name(f"{request.path.stem}-screenshots")


@pytest.fixture
def expect_screenshot(request: pytest.FixtureRequest, expected_screenshots: Path, browser_name: str) -> Looks:
    """Expect a page, or an element, to look as a picture that is kept: `expect_screenshot("form", form)`."""
    return Looks(request, expected_screenshots, f"{browser_name}-{sys.platform}")
