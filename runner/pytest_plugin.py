"""What the pytest plugin does once a test has a run: evidence, reports without secrets, expected screenshots.

It stands on pytest-playwright and takes its options: --browser, --headed, --slowmo, --tracing, --video, --output. The
plugin itself, which every pytest loads that finds it, imports this module only where a test asks for it.
"""

from __future__ import annotations

import base64
import fcntl
import logging
import os
import re
import tempfile
import urllib.parse
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page

from runner.accessibility import Accessibility, read_baseline
from runner.errors import StepFailed, WrongUsage
from runner.expected import PATIENCE
from runner.expected import expect_screenshot as expect_to_look
from runner.performance import Options
from runner.performer import Performer
from runner.run import Reporter
from runner.secrets import SHORTEST, Secret, Secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from playwright.sync_api import Browser, BrowserContext, Locator

    from runner.errors import Failure
    from runner.flow import Flow, Step
    from runner.settings import Settings

RUNS, LOOKS = "runs", "looks"
"""Folders below a test's own: with its run, and with pictures that differ from those that it expects."""

ARTIFACT = re.compile(r"trace(-\d+)?\.zip|video(-\d+)?\.webm|test-(failed|finished)-\d+\.png|looks")
"""What pytest-playwright, and `expect_screenshot`, leave in the folder of a test."""

DEFAULT_OUTPUT = "test-results"
"""pytest-playwright's own folder: that it is deleted is what its documentation says."""

SECRETS = pytest.StashKey[list[Secrets]]()
"""What must not be in a test's report, in the stash of the test or of the session: known before the test has a run."""

_PERFORMER = pytest.StashKey[Performer[Any]]()
_TOLD = pytest.StashKey["Told"]()
_FAILED = pytest.StashKey[bool]()
_PROBLEMS = pytest.StashKey[list[str]]()
_LOOKS = pytest.StashKey[dict[Path, str]]()


# -- the output folder --------------------------------------------------------------------------------------------


def delete_once(config: pytest.Config, delete: Callable[[], object]) -> None:
    """Have the output folder deleted, unless there is something else in it, and by one of pytest-xdist's workers only.

    A worker that takes the place of one that has crashed would delete what the others are writing.

    Args:
        config: Pytest's.
        delete: Deletes it.

    Raises:
        UsageError: There is something in it that no test has left there.
    """
    output = Path(config.getoption("--output"))
    worker = getattr(config, "workerinput", None)
    if worker is None:
        refuse_to_delete(output)
        delete()
        return
    with (Path(tempfile.gettempdir()) / f"guiderunner-{worker['testrunuid']}").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        if not file.read():
            refuse_to_delete(output)
            delete()
            file.write("deleted")


def refuse_to_delete(output: Path) -> None:
    """Refuse an output folder with something in it that no test has left there: it is deleted when tests begin.

    Args:
        output: What --output says.

    Raises:
        UsageError: There is something else in it.
    """
    if str(output) == DEFAULT_OUTPUT and not output.is_symlink():
        return
    if foreign := _foreign(output):
        raise pytest.UsageError(
            f"--output {output}: that folder would be deleted, and no test has made {foreign}. Name one that is empty "
            f"or not there yet, or leave the option out for {DEFAULT_OUTPUT}"
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

    def step_failed(self, step: Step[Any], failure: Failure) -> None:
        """Tell that a step has failed."""
        self.lines.append(f"{step.name} failed: {failure.sentence}")
        self._leave(AssertionError(failure.sentence))

    def end(self) -> None:
        """End what was begun and is not over."""
        self._leave()

    def _leave(self, error: BaseException | None = None) -> None:
        if self._open:
            self._open.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)
            self._open = None


def begin(
    request: pytest.FixtureRequest,
    flow: Flow[Any],
    settings: Settings,
    at_step: Callable[[int], None] = lambda _: None,
    signed_in: dict[str, Any] | None = None,
) -> Iterator[Performer[Any]]:
    """The run of a test, from its set-up to its end; for a fixture to `yield from`.

    Args:
        request: The fixture's.
        flow: The flow.
        settings: What it works with.
        at_step: Called with the number of each step that begins.
        signed_in: Kept sign-ins to begin with.
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
            signed_in=signed_in,
        ),
        reporter=told,
        baseline=baseline,
        accept_violations=config.getoption("--accept-accessibility"),
        test=node.nodeid,
    )
    node.stash[_PERFORMER], node.stash[_TOLD] = performer, told
    keep(node, performer.performed.secrets)
    # A test that is run again is the same item to pytest.
    node.stash[_FAILED], node.stash[_PROBLEMS] = False, []
    yield performer
    told.end()
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

    def named(baseline: str | None = None) -> Path | None:
        return node.path.parent / baseline if baseline else None

    try:
        baseline = named(*marker.args, **marker.kwargs)
    except TypeError:
        raise WrongUsage(
            'accessibility: it takes the name of a file, or nothing: accessibility("known.json")'
        ) from None
    accept = node.config.getoption("--accept-accessibility")
    if baseline and not accept and not baseline.is_file():
        raise WrongUsage(f"accessibility: {baseline} is not there: pytest --accept-accessibility writes it")
    return Accessibility(read_baseline(baseline) if baseline and not accept else None), baseline


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


def keep(node: pytest.Item | pytest.Session, secrets: Secrets) -> None:
    """Have these secrets taken out of all that a test says from now on.

    Args:
        node: The test; or the session, for all of them.
        secrets: What must not be said.
    """
    node.stash.setdefault(SECRETS, []).append(secrets)
    _KNOWN.append(secrets)
    redacting = _Redacting(secrets)
    for handler in logging.getLogger().handlers:
        handler.addFilter(redacting)
        # What is finalized last was asked for first: what the run's own teardown logs is redacted too.
        node.addfinalizer(partial(handler.removeFilter, redacting))


class _Redacting(logging.Filter):
    """Takes secrets out of log records in place, for handlers that write them before the test has a report."""

    def __init__(self, secrets: Secrets) -> None:
        super().__init__()
        self._secrets = secrets

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, without secrets."""
        with suppress(Exception):  # its arguments do not fit it: the handler says so
            if (message := self._secrets.redact_deep(record.getMessage())) != record.getMessage():
                record.msg, record.args = message, None
        if record.exc_info:
            told = record.exc_text or logging.Formatter().formatException(record.exc_info)
            if (redacted := self._secrets.redact_deep(told)) != told:
                record.exc_info, record.exc_text = None, redacted
        for name, value in list(vars(record).items()):
            if isinstance(value, str):
                setattr(record, name, self._secrets.redact_deep(value))
        return True


def secrets_among(kind: type[Settings], values: Mapping[str, str]) -> Secrets:
    """The secrets among values that a run is to be given, also where they are no settings that it could work with.

    Args:
        kind: The class of the settings.
        values: Values by the names of environment variables.
    """
    secrets = Secrets()
    names = {about.name for _, about in kind.about() if about.secret}
    plain = [text for name, text in values.items() if name not in names]
    for name in names & set(values):
        if len(values[name]) >= SHORTEST and values[name] not in (*plain, "login"):  # the word for a kept sign-in
            secrets.add(Secret(values[name], name))
    secrets.let_stand(*plain)
    return secrets


def before_report(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Take secrets out of what a test has raised, before any plugin reads it, and add what its run has told.

    Args:
        item: The test.
        call: The part of it that is over.
    """
    performer, told = item.stash.get(_PERFORMER, None), item.stash.get(_TOLD, None)
    if performer:
        performer.keep_session_secret()
    for secrets in _secrets_of(item):
        if call.excinfo:
            redact(call.excinfo.value, secrets)
            if secrets.find_deep(call.excinfo.exconly()):
                # What the exception makes of its own fields when it is asked: nothing of it can stay.
                plain = pytest.fail.Exception(secrets.redact_deep(call.excinfo.exconly()), pytrace=False)
                call.excinfo = pytest.ExceptionInfo.from_exc_info((type(plain), plain, call.excinfo.tb))
    if performer and told and call.when == "call":
        report = f"report: {_from(Path(item.config.invocation_params.dir), performer.folder / 'report.html')}"
        item.add_report_section("call", "guide", "\n".join([*told.lines, report]))


def redact_report(item: pytest.Item, report: pytest.TestReport) -> None:
    """Take secrets out of what a report shows: code, local variables, what was printed and logged, properties, reasons.

    Args:
        item: The test.
        report: Its report, before other plugins have read it.
    """
    for secrets in _secrets_of(item):
        report.longrepr = _redacted(report.longrepr, secrets, set())
        if report.longrepr is not None and secrets.find_deep(report.longreprtext):
            report.longrepr = secrets.redact_deep(report.longreprtext)
        if reason := getattr(report, "wasxfail", None):
            report.wasxfail = secrets.redact_deep(reason)
        report.sections = [(name, secrets.redact_deep(text)) for name, text in report.sections]
        report.user_properties = [
            (secrets.redact_deep(name), _redacted(value, secrets, set())) for name, value in report.user_properties
        ]


def after_report(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Remember what a test has found wrong, and show what its run has left.

    Args:
        item: The test.
        call: The part of it that is over.
        report: Its report.
    """
    performer = item.stash.get(_PERFORMER, None)
    if performer is None:
        return
    if call.excinfo and report.failed:
        item.stash[_FAILED] = True
        item.stash[_PROBLEMS] = item.stash.get(_PROBLEMS, []) + _sentences(call.excinfo.value)
    if report.when == "teardown":
        _link(item, report, artifacts(performer))


def redact_for(node: pytest.Item | pytest.Session, error: BaseException) -> None:
    """Take the secrets of a test, or of the session, out of an exception, in place."""
    for secrets in node.stash.get(SECRETS, []):
        redact(error, secrets)


def guard_teardown(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> None:
    """Take secrets out of what a fixture's teardown raises, before Allure has it, which is told of no other way.

    Args:
        fixturedef: The fixture.
        request: Its request.
    """
    node = request.node
    if not node.stash.get(SECRETS, []) or not request.config.getoption("--alluredir", None):
        return

    def guarded(finalizer: Callable[[], object]) -> Callable[[], None]:
        def finalize() -> None:
            try:
                finalizer()
            except BaseException as error:
                redact_for(node, error)
                raise

        return finalize

    finalizers = fixturedef._finalizers  # noqa: SLF001 - Allure wraps them there as well, after this
    finalizers[:] = map(guarded, finalizers)


def redact_warning(warning: Warning | str) -> None:
    """Take the secrets of all tests out of a warning, in place."""
    for secrets in _KNOWN:
        if isinstance(warning, Warning):
            redact(warning, secrets)


_KNOWN: list[Secrets] = []
"""The secrets of all tests of this process: a warning is not told whose it is."""


def _secrets_of(item: pytest.Item) -> list[Secrets]:
    return [*item.stash.get(SECRETS, []), *item.session.stash.get(SECRETS, [])]


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
        for name in _FIELDS:
            if isinstance(text := getattr(one, name, None), str):
                with suppress(AttributeError):  # it cannot be set, and what it says is looked at as a whole
                    setattr(one, name, secrets.redact_deep(text))
        if isinstance(one, PlaywrightError):
            one._stack = None  # noqa: SLF001 - the driver's own, which repeats the message
        if notes := getattr(one, "__notes__", None):
            one.__notes__ = [secrets.redact_deep(note) for note in notes]
        left += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]


_FIELDS = ("_message", "msg", "reason")
"""Where exceptions keep a text besides their arguments: Playwright's, pytest's own, those of the standard library."""


def _redacted(part: Any, secrets: Secrets, seen: set[int]) -> Any:  # noqa: ANN401 - whatever a report is made of
    """A part of a report without secrets: texts anew, all else in place."""
    if isinstance(part, str):
        return secrets.redact_deep(part)
    if isinstance(part, (list, tuple)):
        return type(part)(_redacted(each, secrets, seen) for each in part)
    if hasattr(part, "__dict__") and id(part) not in seen:
        seen.add(id(part))
        for name, value in vars(part).items():
            setattr(part, name, _redacted(value, secrets, seen))
    return part


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
    where = f" ({found[1]})" if found else ""
    log = next(
        (number for number, line in enumerate(said) if line.startswith(("Call log", "Aria snapshot"))), len(said)
    )
    return [f"{'; '.join(said[:log][:3]) or type(error).__name__}{where}"]


def _from(folder: Path, path: Path) -> Path:
    """The path as somebody in this folder would type it."""
    path = path.absolute()
    return path.relative_to(folder) if path.is_relative_to(folder) else path


def _link(item: pytest.Item, report: pytest.TestReport, found: Sequence[tuple[str, Path]]) -> None:
    """Name what a run has left in JUnit's properties, and show it in pytest-html."""
    config = item.config
    base = Path(config.invocation_params.dir)
    report.user_properties += [(f"guiderunner_{kind}", str(_from(base, path))) for kind, path in found]
    html = getattr(config.option, "htmlpath", None)
    plugin = config.pluginmanager.getplugin("html")
    if not html or plugin is None:
        return
    folder = Path(base, Path(os.path.expandvars(html)).expanduser()).parent
    extras = getattr(report, "extras", [])
    for kind, path in found:
        address = urllib.parse.quote(Path(os.path.relpath(path, folder)).as_posix())
        if kind == "screenshot":
            whole = config.getoption("self_contained_html", default=False)
            picture = base64.b64encode(path.read_bytes()).decode() if whole else address
            extras.append(plugin.extras.png(picture, name="Screenshot"))
        else:
            extras.append(plugin.extras.url(address, name=kind.capitalize()))
    report.extras = extras  # type: ignore[attr-defined]


# -- what fixtures give ---------------------------------------------------------------------------------------------


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
        kept = self._folder / f"{name}-{self._suffix}.png"
        owners = self._request.config.stash.setdefault(_LOOKS, {})
        owner = owners.setdefault(kept, self._request.node.nodeid)
        if owner != self._request.node.nodeid:
            pytest.fail(f'expect_screenshot: "{name}" is the picture of {owner}: name another one', pytrace=False)
        performer = self._request.node.stash.get(_PERFORMER, None)
        if shown is None:
            shown = performer.page if performer else self._request.getfixturevalue("page")
        try:
            expect_to_look(
                shown,
                kept,
                secrets=performer.performed.secrets if performer else Secrets(),
                actual=Path(self._request.getfixturevalue("output_path")) / LOOKS / f"{name}.png",
                conceal=conceal,
                timeout=timeout,
                update=self._request.config.getoption("--update-screenshots"),
            )
        except AssertionError as error:
            # Of all the calls in between the test's report would show the code.
            raise error.with_traceback(None) from None


def open_context(request: pytest.FixtureRequest) -> BrowserContext:
    """The context of a test's run, of which nothing is recorded with its secrets."""
    performer: Performer[Any] = request.getfixturevalue("performer")
    browser: Browser = request.getfixturevalue("browser")
    args = dict(request.getfixturevalue("browser_context_args"))
    marker = request.node.get_closest_marker("browser_context_args")
    args |= marker.kwargs if marker else {}
    args.pop("record_video_dir", None)  # the run records by itself, and covers secrets
    return performer.open_context(browser, args)
