"""An interruption waits for the end of what must not be interrupted, whichever thread it reaches."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import pytest

from runner.interruptions import uninterrupted

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def can_be_interrupted() -> Iterator[None]:
    """Also where the tests run in the background, whose shell has made Ctrl-C nothing to them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("reached", ["this thread", "another thread"])
def test_an_interruption_comes_at_the_end_of_the_block(reached: str) -> None:
    """Ctrl-C breaks nothing off, and is not lost; a second one is none."""
    done: list[str] = []

    def interrupt() -> None:
        for _ in range(2):
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)

    def block() -> None:
        with uninterrupted():
            if reached == "this thread":
                interrupt()
            else:
                other = threading.Thread(target=interrupt)
                other.start()
                other.join()
            done.append("the block")

    with pytest.raises(KeyboardInterrupt):
        block()
    assert done == ["the block"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_nobody_interrupts_goes_on_as_before() -> None:
    """Also on a thread that no interruption reaches."""
    done: list[bool] = []

    def block() -> None:
        with uninterrupted():
            done.append(True)

    thread = threading.Thread(target=block)
    thread.start()
    thread.join()
    block()
    assert done == [True, True]
