"""An interruption ends what is going on, wherever it comes, and waits for the end of what must not be interrupted."""

from __future__ import annotations

import importlib
import signal
import subprocess
import sys
import textwrap
import threading
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from runner import cli
from runner.cli import commands
from runner.interruptions import INTERRUPTIONS, interruptible, is_interruption, uninterrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def can_be_interrupted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Also where the tests run in the background, whose shell has made Ctrl-C nothing to them."""
    before = {number: signal.getsignal(number) for number in (*INTERRUPTIONS, signal.SIGALRM)}
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Finished:
    """What is done when nobody needs it any more, in Python's own time."""

    def __init__(self, done: Callable[[], object]) -> None:
        self._done = done

    def __del__(self) -> None:
        self._done()


def press_ctrl_c() -> None:
    """As a terminal does; what it raises, it raises here."""
    signal.raise_signal(signal.SIGINT)


def wait() -> None:
    """What would go on for long, were it not interrupted."""
    threading.Event().wait(20)


def in_a_destructor() -> None:
    """Ctrl-C comes while an object is done away with."""
    Finished(press_ctrl_c)


def in_a_callback() -> None:
    """Ctrl-C comes while a weak reference's callback hears of the end of what it meant."""
    gone = Finished(lambda: None)
    _kept = weakref.ref(gone, lambda _: press_ctrl_c())
    del gone


def in_two_destructors() -> None:
    """Ctrl-C comes in one, and again in the next."""
    Finished(press_ctrl_c)
    Finished(wait)


@pytest.mark.parametrize("come", [in_a_destructor, in_a_callback, in_two_destructors])
def test_an_interruption_is_not_lost_where_python_drops_it(
    come: Callable[[], None], capfd: pytest.CaptureFixture[str]
) -> None:
    """Python tells of an exception in a destructor and goes on: a run would, which no second Ctrl-C would stop."""

    def go_on() -> None:
        with interruptible():
            come()
            wait()

    with pytest.raises(KeyboardInterrupt):
        go_on()
    assert capfd.readouterr().err == "interrupted: stopping what was started\n"


def test_an_interruption_leaves_the_import_system_as_it_was() -> None:
    """Its code goes on until it has unlocked what it had locked: else a thread that imports would wait for ever."""
    code = "def imported():\n    signal.raise_signal(signal.SIGINT)\n    done.append('its lock is open')"
    done: list[str] = []
    within: dict[str, Any] = {"signal": signal, "done": done}
    # That is the name by which a frame of the import system is known.
    exec(compile(code, "<frozen importlib._bootstrap>", "exec"), within)  # noqa: S102

    def block() -> None:
        with interruptible():
            within["imported"]()
            wait()

    with pytest.raises(KeyboardInterrupt):
        block()
    assert done == ["its lock is open"]


def test_what_else_a_destructor_raises_is_told_as_python_does(capfd: pytest.CaptureFixture[str]) -> None:
    """It interrupts nothing."""
    with interruptible():
        Finished(lambda: 1 / 0)
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_what_python_dropped_comes_at_the_end_of_the_block() -> None:
    """And not in its midst, where a moment later would be."""
    done: list[str] = []

    def block() -> None:
        with interruptible():
            in_a_destructor()
            with uninterrupted():
                press_ctrl_c()
                threading.Event().wait(0.2)
                done.append("the block")

    with pytest.raises(KeyboardInterrupt):
        block()
    assert done == ["the block"]


AT_THE_END = """
import atexit, signal, time
from runner.interruptions import interruptible

class Finished:
    def __init__(self, *done):
        self.done = done

    def __del__(self):
        self.done[0](*self.done[1:])

with interruptible():
    BLOCK
AFTERWARDS
"""


@pytest.mark.parametrize(
    ("block", "afterwards", "told"),
    [
        (
            "Finished(signal.raise_signal, signal.SIGINT)",
            "left = Finished(time.sleep, 0.1)",
            "interrupted: stopping what was started\n",
        ),
        ("pass", "atexit.register(signal.raise_signal, signal.SIGINT)", ""),
    ],
    ids=["dropped just before", "just afterwards"],
)
def test_an_interruption_at_the_very_end_is_none(block: str, afterwards: str, told: str) -> None:
    """What was to be interrupted has ended: Python, which is ending, is not killed, nor tells where it was."""
    program = AT_THE_END.replace("BLOCK", block).replace("AFTERWARDS", afterwards)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, told)


def test_what_an_interruption_was_made_into_is_known_as_one() -> None:
    """Until Python 3.12, what `__set_name__` raises is wrapped: modules that are imported late have class bodies too."""

    class Field:
        def __set_name__(self, _: object, __: str) -> None:
            press_ctrl_c()

    with pytest.raises((KeyboardInterrupt, RuntimeError)) as raised:
        type("Form", (), {"field": Field()})
    assert is_interruption(raised.value)
    assert not is_interruption(RuntimeError("something else"))


@pytest.mark.parametrize("wrapped", [False, True], ids=["itself", "wrapped"])
def test_a_command_that_is_interrupted_ends_as_such(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], *, wrapped: bool
) -> None:
    """With 130 and its sentence, not with Python's account of where it was; also before Typer has begun."""

    def app() -> None:
        if not wrapped:
            press_ctrl_c()
        try:
            press_ctrl_c()
        except KeyboardInterrupt as interruption:
            raise RuntimeError("in a class body") from interruption

    monkeypatch.setattr(commands, "app", app)
    with pytest.raises(SystemExit, match="130"):
        cli.main()
    assert capfd.readouterr().err == "interrupted: stopping what was started\n"


def test_the_exit_code_is_ours_where_an_interruption_came_out_of_generated_code(tmp_path: Path) -> None:
    """Dataclasses are made by exec(): "python -m" would end by the signal, and a supervisor would read -2."""
    (tmp_path / "command.py").write_text(
        """
import signal, sys
from runner import cli
from runner.cli import commands

def app():
    try:
        exec("signal.raise_signal(signal.SIGINT)")
    except KeyboardInterrupt:
        sys.exit(130)

commands.app = app
cli.main()
"""
    )
    assert subprocess.run([sys.executable, "-m", "command"], cwd=tmp_path, check=False).returncode == 130


@pytest.mark.browser
@pytest.mark.parametrize(
    "come",
    [
        """
page.on("console", lambda _: signal.raise_signal(signal.SIGINT))
page.evaluate("() => new Promise(() => setTimeout(() => console.log(1), 50))")
""",
        """
connection = page._impl_obj._connection
send = connection.onmessage
connection.onmessage = lambda message: (send(message), signal.raise_signal(signal.SIGINT))
page.title()
threading.Event().wait(20)
""",
    ],
    ids=["in a listener", "in the midst of a call"],
)
def test_an_interruption_leaves_playwright_at_work(tmp_path: Path, come: str) -> None:
    """What the run has recorded can be kept, the browser be closed, and nobody sees Playwright's tracebacks."""
    (tmp_path / "interrupted.py").write_text(
        f"""
import signal, threading
from playwright.sync_api import sync_playwright
from runner.browser import BrowserSettings, find_browser
from runner.interruptions import interruptible

with sync_playwright() as playwright:
    program = find_browser(playwright, "chromium", BrowserSettings.load({{}}))
    page = playwright.chromium.launch(executable_path=program).new_page()
    try:
        with interruptible():{textwrap.indent(come, " " * 12)}
    except KeyboardInterrupt:
        print(page.evaluate("() => 6 * 7"))
    page.context.close()
"""
    )
    ended = subprocess.run(
        [sys.executable, "interrupted.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.stdout, ended.stderr) == ("42\n", "interrupted: stopping what was started\n")


def test_a_mistake_in_a_command_is_no_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps its own account."""
    monkeypatch.setattr(commands, "app", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cli.main()


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


@pytest.mark.parametrize("module", ["runner.errors", "runner.interruptions"])
def test_an_interruption_before_all_else_has_no_traceback_either(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """While what hears of interruptions is still imported, Python's own KeyboardInterrupt comes."""

    class Interrupted:
        """Finds a module so late that Ctrl-C is pressed before."""

        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            """Press it."""
            if name == module:
                press_ctrl_c()

    monkeypatch.setattr("runner.cli", cli)  # as it is found afterwards
    monkeypatch.delitem(sys.modules, "runner.cli")
    monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "meta_path", [Interrupted, *sys.meta_path])
    began = importlib.import_module("runner.cli")
    with pytest.raises(SystemExit) as ended:
        began.main()
    assert ended.value.code == 130
