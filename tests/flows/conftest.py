"""Performs the migration, or a part of it, on a sandbox that behaves as a test wants it."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from flows.wordpress_migration.flow import EDITIONS
from flows.wordpress_migration.run import MigrationRun
from runner.errors import GuiderunnerError
from runner.flow import Step, any_of
from runner.ledger import Ledger
from runner.performance import Options, perform
from runner.run import Reporter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser

    from fixtures.sandbox import Sandbox
    from runner.flow import Flow
    from runner.performance import Result
    from runner.run import Run

FLOWS = {**{flow.edition: flow for flow in EDITIONS}, "": any_of(EDITIONS)}
"""The flow by edition; without one it is recognised."""

ALL_STEPS = {edition: list(flow.steps) for edition, flow in FLOWS.items()}


@dataclass
class Outcome:
    """How a run ended and what the sandbox saw of it."""

    run: MigrationRun
    result: Result | None
    error: GuiderunnerError | None
    said: list[str]
    audit: dict[str, Any]

    @property
    def done(self) -> dict[str, int]:
        """How often each of the things that must not happen twice happened."""
        names = ("sites_created", "tokens_made", "migrations_started", "migrations_completed", "confirmed", "mails")
        counted = {name: self.audit[name] for name in names}
        return {name: value if isinstance(value, int) else len(value) for name, value in counted.items()}


class Listener(Reporter):
    """Keeps the run and what it says."""

    def __init__(self) -> None:
        self.run: MigrationRun | None = None
        self.said_so_far: list[str] = []

    def run_started(self, run: Run[Any], flow: Flow[Any]) -> None:
        """Keep the run, to look at what it knows."""
        assert isinstance(run, MigrationRun)
        self.run = run

    def said(self, words: str) -> None:
        """Keep what a user would read."""
        self.said_so_far.append(words)

    def step_again(self, step: Step[Any], sentence: str) -> None:
        """Keep that a step was performed again."""
        self.said_so_far.append(f"again: {sentence}")


@pytest.fixture
def sandbox(whole_sandbox: Sandbox) -> Sandbox:
    """The worker's sandbox as if it had just been started."""
    whole_sandbox.reset()
    return whole_sandbox


def in_the_second_tab(sandbox: Sandbox) -> Step[MigrationRun]:
    """What steps 1 to 5 leave behind, without performing them: for tests that are about WordPress and the service."""

    def stand(run: MigrationRun) -> None:
        """Stand in the second tab, with a site and a token made."""
        world = sandbox.world
        account = world.account
        site = world.create_site(account, run.settings.site_name, account.workspaces[0], sandbox.source_url)
        run.machine_token = run.keep_secret(world.make_token(account, "test").value, "machine token")
        run.facts["site_name"] = site.name
        run.page.goto(sandbox.dashboard_url)
        with run.page.context.expect_page() as opened:
            run.page.evaluate("url => void open(url)", f"{sandbox.source_url}/wp-admin/plugin-install.php")
        run.take_new_tab(opened.value).check_arrival()

    return Step(5, (), (), (), stand)


@pytest.fixture
def migrate(
    browser: Browser, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome]:
    """Perform the migration on the sandbox.

    The function takes the settings that differ, the behaviour of the stand-ins, the options of the existing site, the
    last step to perform, whether only the steps 6 to 8 are performed (6 and 7 of edition 2025), whether the preflight
    is, whether a report is written, and the edition.
    """

    def run(
        settings: dict[str, str] | None = None,
        behaviour: dict[str, Any] | None = None,
        source: dict[str, Any] | None = None,
        until: int | None = None,
        only_in_second_tab: bool = False,
        preflight: bool = False,
        report: bool = False,
        edition: str = "2024",
        **options: Any,
    ) -> Outcome:
        from fixtures.wordpress import SourceOptions  # noqa: PLC0415 - only where the sandbox is there

        # A run from the command line loads it; here each page would take twice as long.
        sandbox.fresh_source(SourceOptions(**{"command_palette": False, **(source or {})}))
        sandbox.behave(**(behaviour or {}))
        flow = FLOWS[edition]
        if only_in_second_tab:
            monkeypatch.setattr(flow, "steps", [in_the_second_tab(sandbox), *ALL_STEPS[edition][5:-1]])
            monkeypatch.setattr(flow, "last", None)
        given = {**sandbox.settings(), "PAGE_TIMEOUT": "20s", **(settings or {})}
        listener = Listener()
        result = error = None
        try:
            result = perform(
                flow,
                flow.settings.load({name: value for name, value in given.items() if value}),
                lambda: nullcontext(browser),
                runs=tmp_path / "runs",
                ledger=Ledger.beside(tmp_path / "runs"),
                reporter=listener,
                options=Options(until=until, preflight=preflight, report=report, **options),
            )
        except GuiderunnerError as caught:
            error = caught
        assert listener.run
        return Outcome(listener.run, result, error, listener.said_so_far, sandbox.audit())

    return run
