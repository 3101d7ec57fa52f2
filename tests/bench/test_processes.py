"""What is timed leaves nothing running beside what is timed next."""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING

import pytest

from tests.bench.processes import finished

if TYPE_CHECKING:
    from pathlib import Path


def test_what_a_command_leaves_running_is_ended(tmp_path: Path) -> None:
    """As Doc Detective does with its browsers."""
    os.mkfifo(tmp_path / "held")
    held = os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK)
    try:
        finished(["sh", "-c", "sleep 600 > held 2> /dev/null &"], tmp_path, {})
        # The system says so when nobody holds it any more.
        watched = select.poll()
        watched.register(held, select.POLLHUP)
        assert watched.poll(10_000)
    finally:
        os.close(held)


def test_what_failed_says_its_last_words(tmp_path: Path) -> None:
    """A subject that fails is not timed."""
    with pytest.raises(RuntimeError, match="exit code 3: no room"):
        finished(["sh", "-c", "echo no room >&2; exit 3"], tmp_path, {})
