"""guiderunner's pytest plugin: a sandbox, a run of the migration in the test's own browser context, its page objects.

Every pytest loads this module that finds guiderunner installed, in projects too that have nothing to do with it: so it
imports nothing but pytest, has a name of its own, and changes nothing before a test asks for one of its fixtures.

Beside the command line it is the only module that knows the flow and the sandbox. Every fixture can be overridden: with
`migration_settings` the same tests run against another dashboard, and no sandbox is started.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page, Playwright

    from fixtures.faults import Fault
    from fixtures.sandbox import Sandbox
    from fixtures.wordpress import SourceOptions
    from flows.wordpress_migration.pages.dashboard import Dashboard
    from flows.wordpress_migration.pages.migration_form import MigrationForm
    from flows.wordpress_migration.pages.wp_admin import WpAdmin
    from flows.wordpress_migration.run import MigrationRun
    from runner.flow import Step
    from runner.performer import Performer
    from runner.pytest_plugin import Looks

MARKERS = (
    "fault(name, step=None): bring a fault of the catalogue about (guiderunner faults), at this step's beginning",
    "wordpress(version): the version of the existing site's WordPress, such as 6.4",
    "markup(*names, **families): how the dashboard of the sandbox builds its controls, such as tiles, combobox",
    "edition(name): the edition of the guide that dashboard and run follow; else the run recognises it",
    "behaviour(**changes): how the sandbox's stand-ins behave (fixtures.world.Behaviour)",
    "source(**options): how the existing site is (fixtures.wordpress.SourceOptions)",
    "accessibility(baseline=None): look for violations with axe; with a baseline, a JSON file, new ones fail the test",
)

OURS = frozenset(("performer", "expect_screenshot"))
"""The fixtures that change what pytest-playwright's do."""

_SANDBOX = pytest.StashKey[bool]()
_BRINGER = pytest.StashKey["_Bringer"]()


# -- pytest's hooks -----------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what pytest-playwright does not have."""
    group = parser.getgroup("guiderunner", "guiderunner")
    group.addoption(
        "--update-screenshots",
        action="store_true",
        help="Keep what pages look like now as what expect_screenshot expects.",
    )
    group.addoption(
        "--accept-accessibility",
        action="store_true",
        help="Write what tests with the mark accessibility find to its baseline, as known.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register marks, and fixtures where pytest-playwright is at work."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    if config.pluginmanager.hasplugin("playwright"):
        # Registered when all other plugins are: what has the name of one of pytest-playwright's comes before it.
        config.pluginmanager.register(_InsteadOfPlaywrights(), "guiderunner-instead")
        config.pluginmanager.register(_Innermost(), "guiderunner-innermost")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse an output folder that has something else in it, before anything of it is deleted."""
    if _is_at_work(session) and not hasattr(session.config, "workerinput"):
        from pathlib import Path

        from runner.pytest_plugin import refuse_to_delete

        refuse_to_delete(Path(session.config.getoption("--output")))


def _engine() -> Any:  # noqa: ANN401 - the module, or None
    """What knows of runs and their secrets, once a test has asked for one."""
    return sys.modules.get("runner.pytest_plugin")


def _is_at_work(session: pytest.Session) -> bool:
    """Whether one of the tests asks for a fixture of ours."""
    return any(OURS & set(getattr(item, "fixturenames", ())) for item in session.items)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Take secrets out of what a test has raised, before any other plugin reads it, and show what its run has left."""
    engine = _engine()
    if engine:
        engine.before_report(item, call)
    report = yield
    if engine:
        engine.after_report(item, call, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Take secrets out of the reason with which a test ends all of them: it comes in no report."""
    try:
        return (yield)
    except pytest.exit.Exception as error:
        if engine := _engine():
            engine.redact_for(item, error)
            engine.redact_for(item.session, error)
        raise


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that has passed without the fault that it is marked with."""
    __tracebackhide__ = True
    result = yield
    if bringer := item.stash.get(_BRINGER, None):
        bringer.refuse_what_never_came()
    return result


@pytest.hookimpl(tryfirst=True)
def pytest_warning_recorded(warning_message: Any, nodeid: str) -> None:  # noqa: ANN401, ARG001 - pytest's own
    """Take secrets out of warnings."""
    if engine := _engine():
        engine.redact_warning(warning_message.message)


class _Innermost:
    """Is told of fixtures and reports before all other plugins that look at them."""

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        """Know the secrets among the settings before any fixture can fail with them, and take them out if one does."""
        __tracebackhide__ = True
        try:
            value = yield
        except BaseException as error:
            if engine := _engine():
                engine.redact_for(request.node, error)
            raise
        if fixturedef.argname == "migration_settings" and isinstance(value, dict):
            from flows.wordpress_migration.settings import MigrationSettings
            from runner.pytest_plugin import keep, secrets_among

            keep(request.node, secrets_among(MigrationSettings, value))
        if engine := _engine():
            engine.guard_teardown(fixturedef, request)
        return value

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Take secrets out of what a report shows."""
        report = yield
        if engine := _engine():
            engine.redact_report(item, report)
        return report


class _InsteadOfPlaywrights:
    """Fixtures of pytest-playwright's names; in tests that ask for none of ours they are its own."""

    @pytest.fixture(scope="session", autouse=True)
    @classmethod
    def delete_output_dir(cls, request: pytest.FixtureRequest) -> None:
        """pytest-playwright's own, by one worker only, and not if something else is in the folder."""

        def delete() -> None:
            request.getfixturevalue("delete_output_dir")

        if not _is_at_work(request.session):
            delete()
            return
        from runner.pytest_plugin import delete_once

        try:
            delete_once(request.config, delete)
        except pytest.UsageError as error:
            raise _refusal(str(error)) from None

    @pytest.fixture(scope="session")
    @classmethod
    def browser_type_launch_args(
        cls,
        browser_type_launch_args: dict[str, Any],
        playwright: Playwright,
        browser_name: str,
        request: pytest.FixtureRequest,
    ) -> dict[str, Any]:
        """pytest-playwright's own; where Playwright has no such browser, the system's, as the command line does."""
        try:
            from runner.browser import launch_options
        except ImportError:  # the project has a package of this name, and so no test of ours
            return browser_type_launch_args
        pictures = any("expect_screenshot" in getattr(item, "fixturenames", ()) for item in request.session.items)
        return launch_options(browser_type_launch_args, playwright, browser_name, same_pixels=pictures)

    @pytest.fixture
    def context(self, request: pytest.FixtureRequest) -> BrowserContext:
        """pytest-playwright's own; in the test of a run the run's, of which nothing is recorded with its secrets."""
        if "performer" not in request.fixturenames:
            made: BrowserContext = request.getfixturevalue("new_context")()
            return made
        from runner.pytest_plugin import open_context

        return open_context(request)


@pytest.fixture
def expected_screenshots(request: pytest.FixtureRequest) -> Path:
    """The folder of the pictures that a test expects: beside its file, with the file's name."""
    return request.path.with_name(f"{request.path.stem}-screenshots")


@pytest.fixture
def expect_screenshot(request: pytest.FixtureRequest, expected_screenshots: Path, browser_name: str) -> Looks:
    """Expect a page, or an element, to look as a picture that is kept: `expect_screenshot("form", form)`."""
    from runner.pytest_plugin import Looks

    return Looks(request, expected_screenshots, f"{browser_name}-{sys.platform}")


# -- the sandbox --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def session_sandbox() -> Iterator[Sandbox]:
    """The sandbox of this worker, started when a test first needs it; ports are chosen by the system."""
    try:
        from fixtures.errors import Missing
        from fixtures.sandbox import Sandbox
    except ModuleNotFoundError as error:
        raise _refusal(f'the sandbox needs "{error.name}": pip install "guiderunner[testing]"') from None
    try:
        started = Sandbox()
    except Missing as missing:
        raise _refusal(str(missing)) from None
    with started:
        yield started


@pytest.fixture
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """The sandbox as if it had just been started, as the test's marks want it."""
    from fixtures.errors import Missing, SandboxError, WrongChoice
    from fixtures.wordpress_versions import find_core

    node = request.node
    faults, source, changes = _faults(node), _source(node), list(_behaviour(node))
    try:
        find_core(source.wordpress)
        sandbox: Sandbox = request.getfixturevalue("session_sandbox")
        sandbox.begin_with(*faults, source=source, behaviour=changes)
    except (Missing, SandboxError, WrongChoice) as error:
        raise _refusal(str(error)) from None
    node.stash[_SANDBOX] = True
    return sandbox


def _refusal(sentence: str) -> BaseException:
    """What ends a test that is wrong itself: with the sentence, and without the code of its fixtures."""
    return pytest.fail.Exception(sentence, pytrace=False)


def _marks(node: pytest.Item) -> list[pytest.Mark]:
    """The test's marks, those that are the closest to it last: they hold."""
    return list(reversed(list(node.iter_markers())))


def _only(marker: pytest.Mark) -> object:
    """The one argument of a mark."""
    if len(marker.args) != 1 or marker.kwargs:
        raise _refusal(f'{marker.name}: it takes one argument, such as {marker.name}("...")')
    return marker.args[0]


def _source(node: pytest.Item) -> SourceOptions:
    """How the existing site is, as the test's marks want it."""
    from fixtures.wordpress import SourceOptions

    options: dict[str, Any] = {}
    for marker in _marks(node):
        if marker.name == "source":
            options |= marker.kwargs
        elif marker.name == "wordpress":
            options["wordpress"] = str(_only(marker))
    known = [field.name for field in fields(SourceOptions)]
    if unknown := options.keys() - known:
        raise _refusal(f'source: there is no "{min(unknown)}"; there are: {", ".join(known)}')
    return SourceOptions(**options)


def _behaviour(node: pytest.Item) -> Iterator[Mapping[str, Any]]:
    """What the test's marks say of the stand-ins' behaviour, checked before anything is started."""
    from fixtures.world import Behaviour, WrongBehaviour

    for marker in _marks(node):
        if marker.name == "edition":
            change: Mapping[str, Any] = {"edition": str(_only(marker))}
        elif marker.name == "markup":
            change = {"markup": {**_families(marker.args), **marker.kwargs}}
        elif marker.name == "behaviour":
            change = marker.kwargs
        else:
            continue
        try:
            Behaviour().changed(dict(change))
        except WrongBehaviour as error:
            raise _refusal(f"{marker.name}: {error}") from None
        yield change


def _families(names: tuple[str, ...]) -> dict[str, str]:
    """The family of controls that each name belongs to: it is in one only."""
    from fixtures.world import Markup

    families = {name: family for family, known in get_type_hints(Markup).items() for name in get_args(known)}
    if unknown := [name for name in names if name not in families]:
        raise _refusal(f'markup: there is no "{unknown[0]}"; there are: {", ".join(families)}')
    found: dict[str, str] = {}
    for name in names:
        if other := found.get(families[name]):
            raise _refusal(f"markup: {other} and {name} are both kinds of {families[name]}: name one of them")
        found[families[name]] = name
    return found


def _faults(node: pytest.Item) -> list[Fault]:
    """The faults that a test's marks name, each with the step at whose beginning it comes about."""
    from fixtures.faults import UnknownFault, WrongMoment, find

    def named(name: str, step: object = None) -> Fault:
        if not isinstance(name, str):
            raise TypeError
        fault = find(name)
        return fault if step is None else fault.at(_number_in_sandbox(node, step))

    found = []
    for marker in _marks(node):
        if marker.name != "fault":
            continue
        try:
            found.append(named(*marker.args, **marker.kwargs))
        except (UnknownFault, WrongMoment) as error:
            raise _refusal(str(error)) from None
        except TypeError:
            raise _refusal('fault: it takes a name and perhaps a step: fault("session-ends", step=4)') from None
    return found


def _number_in_sandbox(node: pytest.Item, step: object) -> int:
    """The number of a step that a mark names as `migration.until` does, in the edition that the sandbox begins with."""
    from fixtures.world import Behaviour
    from runner.errors import WrongUsage
    from runner.flow import find_flow

    if isinstance(step, int) and not isinstance(step, bool):
        return step
    if not isinstance(step, str):
        raise _refusal(f"fault: {step!r} is no step: name its number, or words that the guide prints in bold in it")
    changes = [{"edition": Behaviour().edition}, *_behaviour(node)]
    edition = next(change["edition"] for change in reversed(changes) if "edition" in change)
    try:
        return find_flow("wordpress-migration", edition).number_of(step)
    except WrongUsage as error:
        raise _refusal(f"fault: {error}") from None


# -- the run ------------------------------------------------------------------------------------------------------


@pytest.fixture
def migration_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """The run's settings, by the names of environment variables: the sandbox's, with what the test's faults change.

    Override it to run tests elsewhere, such as with `runner.settings.environment()`.
    """
    sandbox: Sandbox = request.getfixturevalue("sandbox")
    return sandbox.settings()


@pytest.fixture
def performer(migration_settings: dict[str, str], request: pytest.FixtureRequest) -> Iterator[Performer[MigrationRun]]:
    """The run, before it has a browser; `context` opens it in one."""
    from runner.errors import GuiderunnerError
    from runner.flow import find_flow
    from runner.pytest_plugin import begin
    from runner.settings import environment
    from runner.sign_ins import kept_for

    node = request.node
    in_sandbox = node.stash.get(_SANDBOX, False)
    marker = node.get_closest_marker("edition")
    try:
        flow = find_flow("wordpress-migration", str(_only(marker)) if marker else None)
        faults = _check_faults(node, most=max(len(one.steps) for one in flow.editions), in_sandbox=in_sandbox)
        settings = flow.settings.load(migration_settings)
        signed_in = None if in_sandbox else kept_for(flow, settings, environment())
        node.stash[_BRINGER] = _Bringer(request, faults)
        run = begin(request, flow, settings, node.stash[_BRINGER].step_begins, signed_in)
        performer = next(run)
    except GuiderunnerError as error:
        raise _refusal(str(error)) from None
    yield performer
    next(run, None)


def _check_faults(node: pytest.Item, *, most: int, in_sandbox: bool) -> list[Fault]:
    """The test's faults, if they can come about."""
    faults = _faults(node)
    if faults and not in_sandbox:
        raise _refusal(f"fault: {faults[0].name} is the sandbox's, and the settings of this test are not its")
    for fault in faults:
        if fault.step is not None and not 1 <= fault.step <= most:
            raise _refusal(f"fault: {fault.name} at step {fault.step}: the guide has steps 1 to {most}")
    return faults


class _Bringer:
    """Brings faults about when a step begins: once, since a step is performed again after its failure."""

    def __init__(self, request: pytest.FixtureRequest, faults: list[Fault]) -> None:
        self._request = request
        self._later = [fault for fault in faults if fault.step is not None]
        self._step = 0

    def step_begins(self, number: int) -> None:
        """Bring about what is to happen at this step."""
        self._step = number
        for fault in [fault for fault in self._later if fault.step == number]:
            self._later.remove(fault)
            self._request.getfixturevalue("sandbox").cause(fault)

    def refuse_what_never_came(self) -> None:
        """Refuse that a test passes without what it says that it is about."""
        __tracebackhide__ = True
        if self._later:
            fault = self._later[0]
            ended = f"the run ended at step {self._step}" if self._step else "no step was performed"
            raise _refusal(f"fault: {fault.name} at step {fault.step} never came about: {ended}")


@pytest.fixture
def migration(performer: Performer[MigrationRun], page: Page) -> Performer[MigrationRun]:
    """A run of the migration in the test's own context; the test's `page` is its Pantheon tab.

    `migration.run()` performs it to the end, `migration.until(5)` up to a step, `migration.step(6)` one step.
    """
    from runner.errors import WrongUsage

    try:
        performer.attach(page)
    except WrongUsage as error:
        raise _refusal(str(error)) from None
    return performer


@pytest.fixture
def dashboard(migration: Performer[MigrationRun]) -> Dashboard:
    """The dashboard, signed in, at the workspace's home."""
    with _in_short():
        dashboard = migration.performed.dashboard
        dashboard.open()
    return dashboard


@pytest.fixture
def wp_admin(migration: Performer[MigrationRun]) -> WpAdmin:
    """The existing site's wp-admin, in the tab that the dashboard has opened, signed in."""
    from flows.wordpress_migration.acts import to_wp_admin

    with _in_short():
        migration.until(1)  # then the edition is known
        migration.until(_number(migration, to_wp_admin))
        wp_admin = migration.performed.wp_admin
        wp_admin.sign_in()
    return wp_admin


@pytest.fixture
def plugin_form(migration: Performer[MigrationRun]) -> MigrationForm:
    """The plugin's form, not filled in yet, with the plugin installed and a machine token made."""
    from flows.wordpress_migration.acts import migrate

    with _in_short():
        migration.until(1)
        migration.until(_number(migration, migrate.perform) - 1)
        wp_admin = migration.performed.wp_admin
        wp_admin.open_plugin_page()
    return wp_admin.migration_form


@contextmanager
def _in_short() -> Iterator[None]:
    """What a fixture did not get done, as a test's step says it: without the code in between."""
    from runner.errors import GuiderunnerError

    try:
        yield
    except GuiderunnerError as error:
        raise _refusal(str(error)) from None


def _number(migration: Performer[MigrationRun], act: object) -> int:
    """The number of the step that does this, in the edition that is performed."""
    steps: list[Step[MigrationRun]] = migration.flow.steps
    return next(step.number for step in steps if step.perform is act)
