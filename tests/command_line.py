"""Starts the real command line as a process of its own, and knows every process that comes of it."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from unittest import mock

from flows.wordpress_migration.flow import FLOW
from runner import cli
from runner.cli.guides import all_settings
from runner.interruptions import INTERRUPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PROGRAM = [sys.executable, "-m", "runner.cli"]

LIMIT = 300
"""Seconds that any command may take, on a machine that is busy with other tests."""

FAREWELL = 5
"""Seconds within which every process is gone after the command has ended."""

OURS = {about.name for settings in all_settings(FLOW) for _, about in settings.about()}


def environment(**more: str) -> dict[str, str]:
    """The environment without what would change a command: our settings, colours, a terminal's width."""
    changing = OURS | {"FORCE_COLOR", "NO_COLOR", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE"}
    return {name: value for name, value in os.environ.items() if name not in changing} | more


def guiderunner(*args: str | Path, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in a folder without .env.

    Args:
        args: What is typed after `guiderunner`.
        cwd: The folder.
        more: Environment variables.
    """
    return subprocess.run(
        [*PROGRAM, *map(str, args)],
        cwd=cwd,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )


def told_here(*args: str | Path, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in this process: what is said before anything is started needs no process of its own.

    Most of a second goes by before another Python has imported what this one knows already.

    Args:
        args: What is typed after `guiderunner`.
        cwd: The folder.
        more: Environment variables.
    """
    out, err = io.StringIO(), io.StringIO()
    handlers = {number: signal.getsignal(number) for number in INTERRUPTIONS}
    typed = ["guiderunner", *map(str, args)]
    with (
        mock.patch.dict(os.environ, environment(**more), clear=True),
        mock.patch.object(sys, "argv", typed),
        mock.patch.object(sys, "unraisablehook", sys.unraisablehook),
        chdir(cwd),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code: object = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    assert isinstance(code, int)
    return subprocess.CompletedProcess(typed, code, out.getvalue(), err.getvalue())


def until(what: str, happened: Callable[[], object], seconds: float = LIMIT) -> None:
    """Look again and again until something has happened.

    Args:
        what: What is waited for, for the message.
        happened: Says whether it has.
        seconds: How long it may take.
    """
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}"
        time.sleep(0.05)


@dataclass
class Family:
    """A command's processes, its descendants' descendants too: those that carry its mark and the children of those.

    The mark is an environment variable, so that a process is also known whose parent has gone.
    """

    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    met: dict[tuple[int, str], str] = field(default_factory=dict)

    def look(self) -> set[tuple[int, str]]:
        """Those that live now, by number and time of start; whoever is seen is remembered."""
        living: dict[int, tuple[str, int, str, bool]] = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                about, marked = (entry / "stat").read_text(), self.mark.encode() in (entry / "environ").read_bytes()
            except OSError:
                continue  # it has just ended
            name, _, rest = about.partition("(")[2].rpartition(")")
            state, parent, *others = rest.split()
            if state not in "ZX":
                living[int(entry.name)] = (name, int(parent), others[17], marked)
        family = {number for number, (_, _, _, marked) in living.items() if marked}
        family |= {number for number, started in self.met if number in living and living[number][2] == started}
        while children := {number for number, about in living.items() if about[1] in family} - family:
            family |= children
        found = {(number, living[number][2]) for number in family}
        self.met |= {(number, started): living[number][0] for number, started in found}
        return found

    def left(self) -> list[str]:
        """Names of those that still live."""
        return sorted(self.met[one] for one in self.look())


class Command:
    """A command that runs in the background, in a process group of its own, as a terminal starts one.

    Args:
        args: What is typed after `guiderunner`.
        cwd: Folder without .env, where the runs go.
        temporary: Its empty TMPDIR.
        stderr: Where its stderr goes; by default it is kept.
        variables: Environment variables.
        program: What starts it, before what is typed.
    """

    def __init__(
        self,
        *args: str,
        cwd: Path,
        temporary: Path,
        stderr: int = subprocess.PIPE,
        variables: Mapping[str, str] | None = None,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self.cwd = cwd
        self.temporary = temporary
        self.family = Family()
        self.out = self.err = ""
        self.process = subprocess.Popen(
            [*program, *args],
            cwd=cwd,
            env=environment(TMPDIR=str(temporary), PYTHONUNBUFFERED="1", FAMILY=self.family.mark, **variables or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for number, _started in self.family.look():
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()

    def until(self, what: str, happened: Callable[[], object]) -> None:
        """Wait, with an eye on the family, until something has happened while the command runs."""

        def happened_meanwhile() -> bool:
            self.family.look()
            if happened():
                return True
            assert self.process.poll() is None, f"it ended before {what}: {self.process.communicate()}"
            return False

        until(what, happened_meanwhile)

    def ends(self, seconds: float = LIMIT) -> int:
        """Wait for its end, with an eye on the family; its exit code."""
        deadline = time.monotonic() + seconds
        while True:
            self.family.look()
            try:
                self.out, self.err = self.process.communicate(timeout=0.2)
            except subprocess.TimeoutExpired:
                assert time.monotonic() < deadline, "it does not end"
            else:
                return self.process.returncode

    def press_ctrl_c(self) -> None:
        """What a terminal does: every process of the group gets the signal, Playwright's driver too."""
        os.killpg(self.process.pid, signal.SIGINT)

    @property
    def folder(self) -> Path:
        """The one run's folder."""
        (folder,) = (path.parent for path in self.cwd.glob("runs/*/ledger.jsonl"))
        return folder

    def ledger(self) -> list[dict[str, Any]]:
        """What the run has recorded; nothing before it began. A line that is being written does not count yet."""
        files = list(self.cwd.glob("runs/*/ledger.jsonl"))
        lines = files[0].read_text().splitlines(keepends=True) if files else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def result(self) -> dict[str, Any]:
        """The run's result.json."""
        result: dict[str, Any] = json.loads((self.folder / "result.json").read_text())
        return result

    def has_begun(self, step: int) -> bool:
        """Whether the run has begun a step."""
        return any(entry["event"] == "step started" and entry["step"] == step for entry in self.ledger())

    def leaves_no_process(self, *names: str) -> None:
        """Assert that these programs took part, and that no process is left of anything."""
        assert set(names) <= set(self.family.met.values())
        until(f"the end of {self.family.left()}", lambda: not self.family.left(), FAREWELL)

    def leaves_nothing(self, *names: str) -> None:
        """Assert the same, and that no temporary file is left either."""
        self.leaves_no_process(*names)
        assert [path.name for path in self.temporary.iterdir()] == []
