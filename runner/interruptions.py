"""What ends a run from outside, and what it is kept away from."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a request to end, and a terminal that has gone."""


@contextmanager
def uninterrupted() -> Iterator[None]:
    """An interruption comes when the block has ended: half a search would leave what nobody has looked at.

    Only this thread is kept from it: any other one has to be begun with `never_interrupted`.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTIONS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def never_interrupted() -> None:
    """Leave every interruption to other threads, from the beginning of this one."""
    signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTIONS)
