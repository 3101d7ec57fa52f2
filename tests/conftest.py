"""What all tests share: pytester, and one sandbox for each worker."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from runner.browser import BrowserSettings, find_browser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Playwright

    from fixtures.sandbox import Sandbox


pytest_plugins = ["pytester"]

ROW = "row of the table"
"""The property with which a test has a row in the table at the end: its cells by the names of their columns."""

LONG = {"slow": "chaos", "matrix": "matrix"}
"""What takes long is part of a target of its own, by its mark; CHAOS or MATRIX, set to "whole", has it run."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long is part of `make chaos` or `make matrix` only."""
    for mark, target in LONG.items():
        if os.environ.get(target.upper()) != "whole":
            for item in items:
                if item.get_closest_marker(mark):
                    item.add_marker(pytest.mark.skip(reason=f"takes long: part of make {target}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of what was tried, and how each case ended."""
    reports = [report for kind in ("passed", "failed", "skipped") for report in terminalreporter.getreports(kind)]
    rows = {}
    for report in reports:
        if cells := dict(report.user_properties).get(ROW):
            rows[report.nodeid] = (*cells.values(), f"{report.duration:.0f} s", report.outcome)
            columns = (*cells, "time", "result")
    if rows:
        widths = [max(len(row[at]) for row in (columns, *rows.values())) for at in range(len(columns))]
        terminalreporter.section("matrix")
        for row in (columns, *(rows[name] for name in sorted(rows))):
            terminalreporter.write_line("  ".join(map(str.ljust, row, widths)).rstrip())


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any], playwright: Playwright, browser_name: str
) -> dict[str, Any]:
    """pytest-playwright's own options, with the browser that guiderunner would start."""
    return {
        **browser_type_launch_args,
        "executable_path": find_browser(
            playwright,
            browser_name,
            BrowserSettings.load({}),
            headed=browser_type_launch_args.get("headless") is False,
        ),
    }


@pytest.fixture(autouse=True)
def patience() -> None:
    """Playwright keeps one default for `expect` in the whole process: no test inherits another's."""
    expect.set_options(timeout=30_000)


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs in this process take pictures with a quarter of the pixels: a sharp screen's take four times as long."""
    monkeypatch.setattr("runner.screenshots.SCALE", 1)


@pytest.fixture(scope="session")
def whole_sandbox() -> Iterator[Sandbox]:
    """All stand-ins and a real WordPress, started once for this worker."""
    from fixtures.sandbox import Sandbox  # noqa: PLC0415 - unit tests run where PHP and the stand-ins' packages are missing

    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def has_ffmpeg() -> bool:
    """Whether Playwright has an ffmpeg to record videos with; "guiderunner setup" gets one."""
    from runner.machine import video  # noqa: PLC0415 - only tests of videos ask for it

    return video().look() is not None


@pytest.fixture
def ffmpeg(*, has_ffmpeg: bool) -> None:
    """Skips a test of videos where there is none."""
    if not has_ffmpeg:
        pytest.skip('Playwright has no ffmpeg here: "guiderunner setup" gets one')
