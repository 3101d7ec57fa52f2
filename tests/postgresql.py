"""A real PostgreSQL server for tests: on a free port, in a temporary folder, as an ordinary user."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

ORDINARY = ("postgres", "nobody")
"""Users as whom the server can run when we are root, which it refuses to run as."""


def find_programs() -> Path | None:
    """The folder with the server's programs; Debian keeps them outside the PATH."""
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


class PostgreSQL:
    """A server that is stopped at the end; its tests are skipped where it is not installed and cannot be."""

    def __enter__(self) -> Self:
        programs = find_programs()
        if programs is None and os.geteuid() == 0 and shutil.which("apt-get"):
            for command in (["apt-get", "update", "-q"], ["apt-get", "install", "-y", "-q", "postgresql"]):
                subprocess.run(command, check=False, capture_output=True)
            programs = find_programs()
        if programs is None:
            pytest.skip("PostgreSQL is not installed here: apt-get install postgresql")
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="guiderunner-postgresql-"))
        self._user = None
        if os.geteuid() == 0:
            known = {user.pw_name for user in pwd.getpwall()}
            self._user = next(user for user in ORDINARY if user in known)
            shutil.chown(self._folder, self._user)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._databases = 0
        self._run("initdb", "-D", str(self._data), "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync")
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "stop")
        shutil.rmtree(self._folder)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _run(self, program: str, *args: str) -> None:
        subprocess.run(
            [self._programs / program, *args],
            user=self._user,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )

    def _start(self) -> None:
        options = f"-h 127.0.0.1 -p {self._port} -k {self._folder} -c fsync=off"
        self._run("pg_ctl", "-D", str(self._data), "-l", str(self._folder / "log"), "-o", options, "-w", "start")

    @contextmanager
    def away(self) -> Iterator[None]:
        """Stop it at once, as when its machine fails; it is started again afterwards."""
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop")
        try:
            yield
        finally:
            self._start()

    def restart(self) -> None:
        """Stop it at once, and start it again."""
        with self.away():
            pass

    def new_database(self) -> str:
        """Create an empty database and return its address."""
        self._databases += 1
        name = f"ledger_{self._databases}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self._port), "-U", "tester", name)
        return f"postgresql://tester@127.0.0.1:{self._port}/{name}"
