"""What all tests share: pytester, and one sandbox for each worker."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.sandbox import Sandbox


pytest_plugins = ["pytester"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long is part of `make chaos` only."""
    if os.environ.get("CHAOS") != "whole":
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="takes long: part of make chaos"))


@pytest.fixture(autouse=True)
def patience() -> None:
    """Playwright keeps one default for `expect` in the whole process: no test inherits another's."""
    expect.set_options(timeout=30_000)


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
