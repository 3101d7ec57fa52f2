"""The migration in pytest: a sandbox, a run in the test's own browser context, and its page objects.

Beside the command line the only module that knows the flow and the sandbox. Every fixture can be overridden: with
`migration_settings` the same tests run against another dashboard, and no sandbox is started.
"""

from __future__ import annotations

import importlib.util
from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from playwright.sync_api import Page

    from fixtures.faults import Fault
    from fixtures.sandbox import Sandbox
    from fixtures.wordpress import SourceOptions
    from flows.wordpress_migration.pages.dashboard import Dashboard
    from flows.wordpress_migration.pages.wp_admin import MigrationForm, WpAdmin
    from flows.wordpress_migration.run import MigrationRun
    from runner.flow import Step
    from runner.performer import Performer

# This module is loaded by every pytest that finds guiderunner: what is heavy is imported where it is used.

MARKERS = (
    "fault(name, step=None): bring a fault of the catalogue about (guiderunner faults), at this step's beginning",
    "wordpress(version): the version of the existing site's WordPress, such as 6.4",
    "markup(*names, **families): how the dashboard of the sandbox builds its controls, such as tiles, combobox",
    "edition(name): the edition of the guide that dashboard and run follow; else the run recognises it",
    "behaviour(**changes): how the sandbox's stand-ins behave (fixtures.world.Behaviour)",
    "source(**options): how the existing site is (fixtures.wordpress.SourceOptions)",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, where pytest-playwright is there to build upon."""
    if importlib.util.find_spec("pytest_playwright"):
        from runner.pytest_plugin import add_options  # noqa: PLC0415

        add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register marks and fixtures, where pytest-playwright is at work."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    if not config.pluginmanager.hasplugin("playwright"):
        return
    from runner.pytest_plugin import configure  # noqa: PLC0415

    configure(config)


# -- the sandbox --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def session_sandbox() -> Iterator[Sandbox]:
    """The sandbox of this worker, started when a test first needs it; ports are chosen by the system."""
    try:
        from fixtures.errors import Missing  # noqa: PLC0415
        from fixtures.sandbox import Sandbox  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise _refusal(f'the sandbox needs "{error.name}": pip install "guiderunner[testing]"') from None
    try:
        started = Sandbox()
    except Missing as missing:
        raise _refusal(f'{missing.what} "guiderunner setup" gets it.') from None
    with started:
        yield started


@pytest.fixture
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """The sandbox as if it had just been started, as the test's marks want it."""
    node = request.node
    faults, source, changes = _faults(node), _source(node), list(_behaviour(node))
    sandbox: Sandbox = request.getfixturevalue("session_sandbox")
    sandbox.begin_with(*faults, source=source)
    for change in changes:
        sandbox.behave(**change)
    return sandbox


def _refusal(sentence: str) -> BaseException:
    """What ends a test that is wrong itself: with the sentence, and without the code of its fixtures."""
    return pytest.fail.Exception(sentence, pytrace=False)


def _source(node: pytest.Item) -> SourceOptions:
    """How the existing site is, as the test's marks want it."""
    from fixtures.wordpress import SourceOptions  # noqa: PLC0415

    options: dict[str, Any] = {}
    for marker in node.iter_markers("source"):
        options |= marker.kwargs
    for marker in node.iter_markers("wordpress"):
        options["wordpress"] = str(*marker.args)
    known = [field.name for field in fields(SourceOptions)]
    if unknown := options.keys() - known:
        raise _refusal(f'source: there is no "{min(unknown)}"; there are: {", ".join(known)}')
    return SourceOptions(**options)


def _behaviour(node: pytest.Item) -> Iterator[Mapping[str, Any]]:
    """What the test's marks say of the stand-ins' behaviour, checked before anything is started."""
    from fixtures.world import Behaviour, WrongBehaviour  # noqa: PLC0415

    for marker in node.iter_markers():
        if marker.name == "edition":
            change: Mapping[str, Any] = {"edition": str(*marker.args)}
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
    from fixtures.world import Markup  # noqa: PLC0415

    families = {name: family for family, known in get_type_hints(Markup).items() for name in get_args(known)}
    if unknown := [name for name in names if name not in families]:
        raise _refusal(f'markup: there is no "{unknown[0]}"; there are: {", ".join(families)}')
    return {families[name]: name for name in names}


def _faults(node: pytest.Item) -> list[Fault]:
    """The faults that a test's marks name, each with the step at whose beginning it comes about."""
    from fixtures.faults import UnknownFault, WrongMoment, find  # noqa: PLC0415

    found = []
    for marker in node.iter_markers("fault"):
        try:
            fault = find(*marker.args)
            step = marker.kwargs.get("step")
            found.append(fault if step is None else fault.at(step))
        except (UnknownFault, WrongMoment) as error:
            raise _refusal(str(error)) from None
    return found


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
    from runner.errors import WrongSettings  # noqa: PLC0415
    from runner.flow import find_flow  # noqa: PLC0415
    from runner.pytest_plugin import begin  # noqa: PLC0415

    marker = request.node.get_closest_marker("edition")
    flow = find_flow("wordpress-migration", marker.args[0] if marker else None)
    later = [fault for fault in _faults(request.node) if fault.step is not None]

    def bring_about(number: int) -> None:
        for fault in later:
            if fault.step == number:
                request.getfixturevalue("sandbox").cause(fault)

    try:
        settings = flow.settings.load(migration_settings)
    except WrongSettings as wrong:
        raise _refusal(str(wrong)) from None
    yield from begin(request, flow, settings, bring_about)


@pytest.fixture
def migration(performer: Performer[MigrationRun], page: Page) -> Performer[MigrationRun]:
    """A run of the migration in the test's own context; the test's `page` is its Pantheon tab.

    `migration.run()` performs it to the end, `migration.until(5)` up to a step, `migration.step(6)` one step.
    """
    performer.attach(page)
    return performer


@pytest.fixture
def dashboard(migration: Performer[MigrationRun]) -> Dashboard:
    """The dashboard, signed in, at the workspace's home."""
    dashboard = migration.performed.dashboard
    dashboard.open()
    return dashboard


@pytest.fixture
def wp_admin(migration: Performer[MigrationRun]) -> WpAdmin:
    """The existing site's wp-admin, in the tab that the dashboard has opened, signed in."""
    from flows.wordpress_migration.acts import to_wp_admin  # noqa: PLC0415

    migration.until(1)  # then the edition is known
    migration.until(_number(migration, to_wp_admin))
    wp_admin = migration.performed.wp_admin
    wp_admin.sign_in()
    return wp_admin


@pytest.fixture
def plugin_form(migration: Performer[MigrationRun]) -> MigrationForm:
    """The plugin's form, not filled in yet, with the plugin installed and a machine token made."""
    from flows.wordpress_migration.acts import migrate  # noqa: PLC0415

    migration.until(1)
    migration.until(_number(migration, migrate.perform) - 1)
    wp_admin = migration.performed.wp_admin
    wp_admin.open_plugin_page()
    return wp_admin.migration_form


def _number(migration: Performer[MigrationRun], act: object) -> int:
    """The number of the step that does this, in the edition that is performed."""
    steps: list[Step[MigrationRun]] = migration.flow.steps
    return next(step.number for step in steps if step.perform is act)
