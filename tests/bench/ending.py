"""The real command line, which also notes in `times.json` how long the parts of a run's end take, in seconds."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from runner import cli
from runner.gate import scan
from runner.performance import Performance

if TYPE_CHECKING:
    from collections.abc import Callable

times: dict[str, float] = {}


def timed(call: Callable[..., Any]) -> Callable[..., Any]:
    """The same call; how long it took is noted."""

    def run(*args: Any, **more: Any) -> Any:
        began = time.perf_counter()
        try:
            return call(*args, **more)
        finally:
            times[call.__name__.strip("_")] = time.perf_counter() - began

    return run


if __name__ == "__main__":
    with (
        patch.object(Performance, "_write_evidence", timed(Performance._write_evidence)),  # noqa: SLF001 - a part of `write`
        patch("runner.performance.scan", timed(scan)),
        patch.object(Performance, "write", timed(Performance.write)),
    ):
        try:
            cli.main()
        finally:
            Path("times.json").write_text(json.dumps(times))
