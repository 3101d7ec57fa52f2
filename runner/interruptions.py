"""What ends a run from outside, and what it is kept away from."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a request to end, and a terminal that has gone."""

AGAIN = 0.01
"""Seconds after which an interruption comes again that Python has dropped, or that came at a bad moment."""


_PLAYWRIGHTS = tuple(str(Path("playwright", "_impl", name)) for name in ("connection.py", "event_emitter.py"))
"""Where Playwright sends calls to its driver, and has listeners hear of what comes from there, our own among them."""


@contextmanager
def interruptible() -> Iterator[None]:
    """The first interruption raises KeyboardInterrupt, wherever the main thread is; after the block, none does."""
    for name in INTERRUPTIONS:
        if name != signal.SIGHUP or signal.getsignal(name) != signal.SIG_IGN:  # nohup wants it to go on
            signal.signal(name, _interrupt)
    sys.unraisablehook = _not_dropped
    try:
        yield
    finally:
        # While Python ends it would be told with an account of where that was, and an alarm would kill it.
        for name in INTERRUPTIONS:
            signal.signal(name, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 0)


def is_interruption(error: BaseException) -> bool:
    """Whether an interruption is what an exception comes from: a class body, for one, wraps what is raised in it."""
    behind: BaseException | None = error
    while behind and not isinstance(behind, KeyboardInterrupt):
        behind = behind.__cause__
    return behind is not None


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Interrupt what is going on, once: a second Ctrl-C must not break the cleaning up after the first."""
    for name in INTERRUPTIONS:
        signal.signal(name, signal.SIG_IGN)
    with suppress(OSError):  # the terminal may be gone; and sys.stderr may be in the middle of writing
        os.write(2, b"interrupted: stopping what was started\n")
    _raise(number, frame)


def _raise(number: int, frame: FrameType | None) -> None:
    # The import system's own code would leave its lock locked, and every other thread would import in vain for ever.
    # Playwright would send a call and not know of it when its answer comes, or lose its connection to the browser.
    if frame and (frame.f_code.co_filename.startswith("<frozen importlib") or _is_within(frame, _PLAYWRIGHTS)):
        _come_again()
    else:
        raise KeyboardInterrupt(number)


def _is_within(frame: FrameType, files: tuple[str, ...]) -> bool:
    """Whether a function of these files is at work in a frame, or has called what is."""
    at: FrameType | None = frame
    while at and not at.f_code.co_filename.endswith(files):
        at = at.f_back
    return at is not None


def _come_again() -> None:
    signal.signal(signal.SIGALRM, _raise)
    signal.setitimer(signal.ITIMER_REAL, AGAIN)


def _not_dropped(dropped: sys.UnraisableHookArgs) -> None:
    """Have an interruption come again that came in a destructor or in a weak reference's callback.

    Python drops whatever is raised there and goes on, and what is raised here too: a timer's signal comes after both.
    """
    if dropped.exc_value is None or not is_interruption(dropped.exc_value):
        sys.__unraisablehook__(dropped)
    else:
        _come_again()


@contextmanager
def uninterrupted() -> Iterator[None]:
    """An interruption comes when the block has ended: half a search would leave what nobody has looked at.

    To block the signals would not do: any other thread, such as a server's of the sandbox, could still take them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # interruptions come in the main thread only
        return
    came: list[int] = []
    kept_away = (*INTERRUPTIONS, signal.SIGALRM)
    before = {name: signal.signal(name, lambda number, _: came.append(number)) for name in kept_away}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
        for number in came:  # until one raises: a second Ctrl-C may be ignored already
            signal.raise_signal(number)
