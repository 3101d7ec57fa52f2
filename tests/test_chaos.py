"""Whatever ends a run's process, browser or session, and whenever: the site is migrated exactly once.

The short form is part of all tests; `make chaos` (CHAOS=whole) does all of it, at every boundary and at thirty random
moments.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flows.wordpress_migration.flow import EDITIONS, FLOW
from tests.command_line import Command, guiderunner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fixtures.sandbox import Sandbox

pytestmark = [pytest.mark.sandbox, pytest.mark.chaos]

WHOLE = os.environ.get("CHAOS") == "whole"
SEED = int(os.environ.get("CHAOS_SEED", "20260101"))

SITE = "larkfield-pottery-studio"

Moment = tuple[str, int]
"""An event of the ledger and its step."""

SOME: list[Moment] = [("about to", 8)]
"""The moment that matters most: the migration begins."""

STEPS = len(next(edition for edition in EDITIONS if edition.edition == "2024").steps)
"""Of the edition that the sandbox has; one more follows, in which machine tokens are revoked."""

ACTS = (3, 8)
"""The steps that say what they are about to do outside: create the site, start its migration."""

ALL: list[Moment] = [
    (event, number)
    for number in range(STEPS + 2)
    for event in ("step started", "about to", "step done")
    if event != "about to" or number in ACTS
]

RESUMES_AT_MOST = 12
"""After the last kill; each may run into one question."""


class Victim:
    """One run on a sandbox of its own, in processes that are killed and taken up by others.

    Args:
        sandbox: What it runs on.
        cwd: Where its folder and the ledger go.
        settings: What differs from the sandbox's settings.
    """

    def __init__(self, sandbox: Sandbox, cwd: Path, **settings: str) -> None:
        self.sandbox = sandbox
        self.cwd = cwd
        self.variables = {**sandbox.settings(), "REVOKE_TOKEN": "1", **settings}

    @contextmanager
    def process(self, *more: str) -> Iterator[Command]:
        """The next process: it begins the run, or takes it up."""
        begun = list(self.cwd.glob("runs/*/ledger.jsonl"))
        more = more if WHOLE else (*more, "--trace", "off")  # a trace takes its time, and is looked at elsewhere
        args = ("resume", self.id) if begun else ("run", FLOW.name)
        with (
            tempfile.TemporaryDirectory(prefix="chaos-") as temporary,
            Command(*args, *more, cwd=self.cwd, temporary=Path(temporary), variables=self.variables) as command,
        ):
            yield command

    @property
    def id(self) -> str:
        """The one run's id."""
        (copy,) = self.cwd.glob("runs/*/ledger.jsonl")
        return copy.parent.name

    def count(self, moment: Moment) -> int:
        """How often the ledger has this event in this step."""
        copies = list(self.cwd.glob("runs/*/ledger.jsonl"))
        lines = copies[0].read_text().splitlines(keepends=True) if copies else []
        entries = [json.loads(line) for line in lines if line.endswith("\n")]
        return sum((entry["event"], entry.get("step")) == moment for entry in entries)

    def kill_at(self, moment: Moment) -> bool:
        """Have a process perform the run until this moment, and kill -9 it then; False when it ended before."""
        before = self.count(moment)
        with self.process() as command:
            happened = self.until(command, lambda: self.count(moment) > before)
            if happened:
                command.process.send_signal(signal.SIGKILL)
            command.process.wait(60)
            return happened

    def kill_after(self, seconds: float) -> bool:
        """The same after so many seconds."""
        with self.process() as command:
            try:
                command.process.wait(seconds)
            except subprocess.TimeoutExpired:
                command.process.send_signal(signal.SIGKILL)
                command.process.wait(60)
                return True
            return False

    @staticmethod
    def until(command: Command, happened: Callable[[], bool]) -> bool:
        """Wait until something has happened; False when the process has ended before."""
        while command.process.poll() is None:
            if happened():
                return True
            command.family.look()
        return happened() and command.process.returncode < 0

    def finish(self) -> None:
        """Take the run up until it is done, answering what it asks as a person would who looks."""
        answer: tuple[str, ...] = ()
        for _ in range(RESUMES_AT_MOST):
            with self.process("--json", *answer) as command:
                code = command.ends()
                if code == 0:
                    return
                result = json.loads(command.out)
                answer = ("--answer", self.look(result["failure"]["step"])) if result["state"] == "asks" else ()
        raise AssertionError(f"not done after {RESUMES_AT_MOST} processes: {command.err}")

    def look(self, step: int) -> str:
        """What a person sees who looks whether the site stands, or whether a migration has begun, and where."""
        world, service = self.sandbox.world, self.sandbox.service_url
        if step == ACTS[0]:
            made = [site for site in world.sites.values() if site.name == SITE]
            return f"{self.sandbox.dashboard_url}/migrate/{made[0].id}" if made else "no"
        begun = [each for each in world.migrations.values() if each.state != "handshake"]
        return f"{service}/migration/{begun[-1].location}" if begun else "no"

    def was_done_once(self, *, migrations: int = 1) -> None:
        """Assert what matters: one site, one migration, confirmed (which may be done again), no token left."""
        audit = self.sandbox.audit()
        assert [site["name"] for site in audit["sites_created"]] == [SITE]
        assert len(audit["migrations_started"]) == migrations
        assert len(audit["migrations_completed"]) == 1
        assert set(audit["confirmed"]) == {SITE}
        left = [token.name for token in self.sandbox.world.tokens.values() if not token.revoked]
        assert not left or self.variables["REVOKE_TOKEN"] == "0"
        listed = guiderunner("runs", "--json", cwd=self.cwd)
        assert [json.loads(line)["state"] for line in listed.stdout.splitlines()] == ["done"]


@pytest.fixture
def victim(whole_sandbox: Sandbox, tmp_path: Path) -> Victim:
    """A run that has not begun yet, on a sandbox as new."""
    whole_sandbox.reset()
    whole_sandbox.fresh_source()
    return Victim(whole_sandbox, tmp_path)


@pytest.fixture
def leaving_its_token(victim: Victim) -> Victim:
    """The same without revoking, for what is not about tokens."""
    victim.variables["REVOKE_TOKEN"] = "0"
    return victim


@pytest.mark.slow
def test_a_run_that_is_killed_at_a_boundary_migrates_once(victim: Victim) -> None:
    """Kill -9 as soon as an event is recorded, then the next process goes on, until all moments have been had."""
    victim.variables["REVOKE_TOKEN"] = "1" if WHOLE else "0"  # reading the list of tokens takes half of the time
    killed = [moment for moment in (ALL if WHOLE else SOME) if victim.kill_at(moment)]
    assert len(killed) >= (STEPS * 2 if WHOLE else len(SOME)), killed
    victim.finish()
    victim.was_done_once()


@pytest.mark.slow
@pytest.mark.parametrize("number", range(30))
def test_a_run_that_is_killed_at_random_migrates_once(victim: Victim, number: int) -> None:
    """Kill -9 at some moment inside it, up to three times."""
    moment = random.Random(SEED + number)  # noqa: S311 - a moment, not a secret
    for _ in range(3):
        if not victim.kill_after(moment.uniform(3, 30)):
            break
    victim.finish()
    victim.was_done_once()


@pytest.mark.slow
def test_a_run_whose_browser_is_killed_in_every_step_migrates_once(victim: Victim) -> None:
    """Each time another browser is opened, and the process goes on by itself."""
    steps = range(1, STEPS + 2)
    with victim.process("--json") as command:
        for number in steps:
            if not victim.until(command, lambda number=number: victim.count(("step started", number)) > 0):  # type: ignore[misc]
                break
            kill_browser(command)
        code = command.ends()
        assert command.err.count("going on in another browser") >= len(steps) - 1
    if code:
        victim.finish()
    victim.was_done_once()


def kill_browser(command: Command) -> None:
    """Kill -9 every process of the browser, as when memory runs out."""
    for number, started in command.family.look():
        if "chrom" in command.family.met[number, started]:
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                continue


@pytest.mark.slow
def test_a_run_whose_sessions_end_in_every_step_migrates_once(victim: Victim) -> None:
    """The dashboard's session ends as each step begins; the process signs in again by itself."""
    with victim.process("--json") as command:
        for number in range(1, STEPS + 2):
            if victim.until(command, lambda number=number: victim.count(("step started", number)) > 0):  # type: ignore[misc]
                victim.sandbox.world.end_sessions()
        code = command.ends()
    if code:
        victim.finish()
    victim.was_done_once()


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 3, 4, 8, 9])
def test_a_minute_in_which_nothing_answers_costs_nothing_but_time(victim: Victim, number: int) -> None:
    """Dashboard, sign-in and service answer 500 for a minute, from the beginning of a step: what failed is taken up."""
    with victim.process("--json") as command:
        assert victim.until(command, lambda: victim.count(("step started", number)) > 0)
        victim.sandbox.behave(outage=True)
        over = threading.Timer(60, victim.sandbox.behave, kwargs={"outage": False})
        over.start()
        code = command.ends()
    if code:
        victim.finish()
    over.join()
    victim.was_done_once()


@pytest.mark.slow
def test_a_migration_that_fails_is_started_again(leaving_its_token: Victim) -> None:
    """The service picks up where it left off: one site still, and one successful migration."""
    victim = leaving_its_token
    victim.sandbox.behave(migration="fails")
    with victim.process("--json") as command:
        assert command.ends() == 1
        assert "the migration failed" in command.err
    victim.sandbox.behave(migration="succeeds")
    victim.finish()
    victim.was_done_once(migrations=2)


@pytest.mark.slow
def test_two_that_begin_the_same_at_once_migrate_once(leaving_its_token: Victim) -> None:
    """The second is refused with its own exit code, whenever it comes, and names the first; the new site is as the old."""
    victim = leaving_its_token
    with victim.process("--json") as first:
        first.until("the first's beginning", lambda: victim.count(("step started", 1)))
        second = guiderunner("run", FLOW.name, "--trace", "off", cwd=victim.cwd, **victim.variables)
        assert (second.returncode, second.stdout) == (8, "")
        assert f"is under way in run {victim.id}" in second.stderr
        assert first.ends() == 0
    third = guiderunner("run", FLOW.name, cwd=victim.cwd, **victim.variables)
    assert third.returncode == 8
    assert f"was done by run {victim.id}" in third.stderr
    victim.was_done_once()
    verified = guiderunner("verify", victim.id, "--json", cwd=victim.cwd, **victim.variables)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert json.loads(verified.stdout)["pages"] > 5
