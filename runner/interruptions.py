"""What ends a run from outside, and what it is kept away from."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a request to end, and a terminal that has gone."""


@contextmanager
def uninterrupted() -> Iterator[None]:
    """An interruption comes when the block has ended: half a search would leave what nobody has looked at.

    To block the signals would not do: any other thread, such as a server's of the sandbox, could still take them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # interruptions come in the main thread only
        return
    came: list[int] = []
    before = {name: signal.signal(name, lambda number, _: came.append(number)) for name in INTERRUPTIONS}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
        for number in came[:1]:
            signal.raise_signal(number)
