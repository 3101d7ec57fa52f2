"""Fleets: many runs on one or more machines, as DBOS workflows; the only module that knows DBOS.

A workflow is one phase of a site: it starts a process that opens one browser (`runner.phase`), notes how that ended,
and has the next phase queued for when there is something to look at again. So nothing of a site that waits is in memory
anywhere, and any machine takes its next phase; only what a machine was at when it was lost has to be put back by
`recover`. The queue is partitioned by account, to limit how often each one signs in.

What DBOS stores is JSON, never a secret: which environment variables hold those, and how each phase ended.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import sqlite3
import subprocess
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sql
from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, StepOptions

from runner.errors import LedgerFailed, WrongUsage
from runner.performance import FIRST_PAUSE, LONGER, LONGEST_PAUSE
from runner.phase import another, counts, said_otherwise, told
from runner.roster import BEAT, OVER, SILENT, Entry, Roster
from runner.sites import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dbos import EnqueueOptions

    from runner.ledger import Ledger, Record
    from runner.roster import FleetSettings

# What it says about itself, its database and its vendor is nothing to a user; its errors reach us as exceptions.
logging.getLogger("dbos").setLevel(logging.CRITICAL)

SUBSECONDS = (3, 42)
"""SQLite's first version whose `unixepoch()` has fractions of a second (https://sqlite.org/releaselog/3_42_0.html)."""


def know_subseconds(connection: object, _: object) -> None:
    """Give an older SQLite what DBOS 3.4 asks of it where Python is 3.12 or later (`_migration.py`).

    Python has its own SQLite, or the system's: that of Debian 12, and so of many images, is 3.40.
    """
    if isinstance(connection, sqlite3.Connection):
        connection.create_function("unixepoch", 1, lambda asked: round(time.time(), 3) if asked == "subsec" else None)


if sqlite3.sqlite_version_info < SUBSECONDS:
    sql.event.listen(sql.Engine, "connect", know_subseconds)

APPLICATION = "guiderunner"
VERSION = "1"
"""Which workflows a worker understands; changes only when what they store changes."""

QUEUE = "phases"
PHASE = "phase"

BEGIN, GO_ON = 2, 1
"""Priorities in the queue: what has begun is finished first."""

RETRY_PAUSES = (30.0, 120.0)
"""Seconds before a phase that failed is tried again; after these it has failed for good."""

POLL = 1.0
"""Seconds between two looks at the queue, and at the roster."""

FAREWELL = 60
"""Seconds in which the phases of a worker that is interrupted end by themselves."""

WATCH = 0.2
"""Seconds between two looks whether a phase has to be interrupted."""


@dataclass(frozen=True)
class Rate:
    """How often something may begin.

    Args:
        number: How often.
        period: In so many seconds.
    """

    number: int
    period: float

    @staticmethod
    def of(text: str) -> Rate:
        """Read a rate such as 3/min.

        Raises:
            WrongUsage: It is none.
        """
        units = {"s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "hour": 3600.0}
        found = re.fullmatch(r"(\d+)/([a-z]+)", text.strip().lower())
        if not found or found[2] not in units or int(found[1]) == 0:
            raise WrongUsage(f'--per-account: "{text}" is no rate, such as 3/min, 1/s or 100/hour')
        return Rate(int(found[1]), units[found[2]])


# -- what happens to a site ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Next:
    """What follows a phase.

    Attributes:
        state: The site's state from now on.
        pause: Seconds until the next phase; None when there is none.
        looks: How many phases in a row have found nothing new.
        failures: How many phases of this attempt have failed.
    """

    state: str
    pause: float | None
    looks: int
    failures: int


def what_follows(outcome: dict[str, Any], looks: int, failures: int) -> Next:
    """What follows a phase that ended like this.

    Args:
        outcome: See `runner.phase.told`.
        looks: How many phases in a row had found nothing new before.
        failures: How many had failed before.
    """
    match outcome["state"]:
        case "done" | "asks" as state:
            return Next(state, None, 0, failures)
        case "interrupted":
            return Next("queued", 0.0, looks, failures)
        case "waiting" | "busy":
            return Next("waiting", min(FIRST_PAUSE * LONGER**looks, LONGEST_PAUSE), looks + 1, failures)
        case _ if outcome["may_pass"] and failures < len(RETRY_PAUSES):
            return Next("waiting", RETRY_PAUSES[failures], 0, failures + 1)
        case _:
            return Next("failed", None, 0, failures)


_PATIENTLY: StepOptions = {"retries_allowed": True, "max_attempts": 10, "interval_seconds": 5.0}
"""How a step is done whose database may be away; a workflow that ended with an error would not go on by itself."""


@DBOS.workflow(name=PHASE)
def phase(site: dict[str, Any], attempt: int, number: int, looks: int, failures: int) -> str:
    """Perform one phase of a site, note how it ended, and have the next one queued.

    Whatever of this is not recorded as done when the worker ends is done again; that does no harm to any of it.
    """
    worker = Worker.here()
    outcome = DBOS.run_step({"name": "browser", **_PATIENTLY}, worker.perform, site, attempt, number)
    following = what_follows(outcome, looks, failures)
    changed = {name: outcome[name] for name in ("step", "run", "sentence") if outcome[name] or name == "sentence"}
    changed["state"] = following.state
    DBOS.run_step({"name": "note", **_PATIENTLY}, worker.note, site["subject"], attempt, changed)
    if following.pause is not None:
        options = _options(site["subject"], site["account"], attempt, number + 1, following.pause)
        DBOS.enqueue_workflow_with_options(options, site, attempt, number + 1, following.looks, following.failures)
    return following.state


def _options(subject: str, account: str, attempt: int, number: int, pause: float = 0.0) -> EnqueueOptions:
    options: EnqueueOptions = {
        "workflow_name": PHASE,
        "queue_name": QUEUE,
        "workflow_id": _workflow_id(subject, attempt, number),
        "app_version": VERSION,
        "queue_partition_key": account or "-",
        "priority": BEGIN if number == 1 else GO_ON,
    }
    if pause:
        options["delay_seconds"] = pause
    return options


def _is_another(queued: Site, site: Site) -> bool:
    """Whether what is queued would do something else than the row says now; how patient it is changes nothing."""
    return queued.secrets != site.secrets or bool(said_otherwise(queued.plain, site))


def _workflow_id(subject: str, attempt: int, number: int) -> str:
    """One for all that would do the same: whoever queues it a second time changes nothing."""
    return f"{subject} #{attempt}.{number}"


# -- a machine that works -----------------------------------------------------------------------------------------


@dataclass(eq=False)
class Worker:
    """This machine's part.

    Args:
        ledger: All runs.
        settings: Its name and its patience.
        command: What starts a phase.
    """

    ledger: Ledger
    settings: FleetSettings
    command: Sequence[str]
    roster: Roster = field(init=False)
    stopping: threading.Event = field(init=False, default_factory=threading.Event)
    problem: LedgerFailed | None = field(init=False, default=None)

    # DBOS finds a workflow by its name in the module, so the workflow has to find what it works with by itself.
    _here: ClassVar[Worker | None] = None

    def __post_init__(self) -> None:
        self.roster = Roster(self.ledger)

    @classmethod
    def here(cls) -> Worker:
        """The one of this process."""
        if cls._here is None:
            raise RuntimeError("this process does not work on fleets")
        return cls._here

    @contextmanager
    def working(self) -> Iterator[bool]:
        """Work on what is queued until the block ends; False when another process of this machine works already.

        Raises:
            LedgerFailed: Its database cannot be used.
        """
        machine = self.settings.machine
        with self.ledger.lock(_lock(machine)) as still_held:
            if still_held is None:
                yield False
                return
            self.roster.beat(machine)
            alive = threading.Thread(target=self._give_signs_of_life, args=(still_held,), daemon=True)
            config: DBOSConfig = {
                "name": APPLICATION,
                "system_database_url": database(self.ledger),
                "executor_id": machine,
                "application_version": VERSION,
                "log_level": "CRITICAL",
                "serializer": DBOSPortableJSONSerializer(),
            }
            Worker._here = self
            try:
                with self.ledger.failures():
                    DBOS(config=config)
                    DBOS.launch()
                    _register_queue(DBOS, on_conflict="never_update")
                alive.start()
                yield True
            finally:
                self.stopping.set()
                DBOS.destroy(workflow_completion_timeout_sec=FAREWELL)
                Worker._here = None
                if not self.problem:
                    self.roster.leave(machine)

    def wait(self, pause: float | None = None) -> None:
        """Let it work for so many seconds, or until it ends.

        Raises:
            LedgerFailed: It had to end: the ledger has gone, or another process has this machine's name.
        """
        self.stopping.wait(pause)
        if self.problem:
            raise self.problem

    def _give_signs_of_life(self, still_held: Callable[[], None]) -> None:
        while not self.stopping.wait(BEAT):
            try:
                still_held()
                self.roster.beat(self.settings.machine)
            except LedgerFailed as error:
                self.problem = error
                self.stopping.set()

    def note(self, subject: str, attempt: int, changed: dict[str, Any]) -> None:
        """Note in the roster what has become of a site."""
        self.roster.tell(subject, attempt, **changed)

    def perform(self, site: dict[str, Any], attempt: int, number: int) -> dict[str, Any]:
        """Start the process that is the site's next phase, and wait for its end; see `runner.phase.told`.

        One that takes too long is killed, and its run can be taken up.
        """
        if self.stopping.is_set():
            return told("interrupted")
        machine = self.settings.machine
        self.roster.tell(site["subject"], attempt, state="running", phase=number, machine=machine, sentence="")
        with subprocess.Popen(
            self.command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            try:
                hung = self._watch(process, json.dumps(site))
            finally:
                killed = _kill(process)
            said = process.stdout.readline() if process.stdout else b""
        if hung:
            limit = f"{self.settings.phase_timeout:g} seconds (PHASE_TIMEOUT)"
            sentence = f"its browser was at work for more than {limit}, and was ended"
            return told("failed", sentence=sentence, may_pass=True)
        if said.endswith(b"\n"):
            outcome: dict[str, Any] = json.loads(said)
            return outcome
        if killed or self.stopping.is_set():
            return told("interrupted")
        sentence = f"the process of its phase ended without a word, with exit code {process.returncode}"
        return told("failed", sentence=sentence, may_pass=True)

    def _watch(self, process: subprocess.Popen[bytes], order: str) -> bool:
        """Wait until the phase has ended, or has to; whether it has taken too long."""
        if process.stdin is None:
            raise RuntimeError("the phase has no stdin")
        with suppress(BrokenPipeError):  # it has ended already
            process.stdin.write(f"{order}\n".encode())
        deadline = time.monotonic() + self.settings.phase_timeout
        hung = False
        while process.poll() is None and not hung and not self.stopping.is_set():
            with suppress(subprocess.TimeoutExpired):
                process.wait(WATCH)
            hung = process.poll() is None and time.monotonic() > deadline
        process.stdin.close()  # which interrupts it
        with suppress(subprocess.TimeoutExpired):
            process.wait(FAREWELL / 2)
        return hung


def _kill(process: subprocess.Popen[bytes]) -> bool:
    """End what is left of a phase, so that nothing of it acts any more when the next one begins.

    Returns:
        Whether the phase itself had to be killed.
    """
    running = process.poll() is None
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return running


def _lock(machine: str) -> str:
    return f"worker {machine}"


def database(ledger: Ledger) -> str:
    """Where DBOS has its tables: in the ledger's database on a server, else in a file beside the ledger's."""
    return ledger.beside_it("dbos.db")


def _register_queue(registrar: Any, **options: Any) -> None:  # noqa: ANN401 - DBOS itself, or a client
    defaults = {"worker_concurrency": 2, "partition_limiter": {"limit": 6, "period": 60.0}}
    registrar.register_queue(QUEUE, polling_interval_sec=POLL, **(defaults | options))


# -- fleets -------------------------------------------------------------------------------------------------------


class Fleets:
    """What can be done with fleets from any machine.

    Args:
        ledger: All runs.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.roster = Roster(ledger)
        self.roster.all()  # makes the ledger if there is none
        with ledger.failures():
            DBOS.migrate(database(ledger))
            self._client = DBOSClient(
                system_database_url=database(ledger),
                serializer=DBOSPortableJSONSerializer(),
                application_name=APPLICATION,
            )

    def close(self) -> None:
        """Give back every connection."""
        self._client.destroy()

    def begin(self, sites: Sequence[Site], fleet: str, *, concurrency: int, per_account: Rate) -> None:
        """Have these sites done; those that are done or under way already are left as they are.

        Args:
            sites: The sites.
            fleet: The fleet's name.
            concurrency: Browsers at once on each machine.
            per_account: How often an account's browsers may be opened.

        Raises:
            WrongUsage: What counts for one of them was about something else; nothing was changed.
        """
        self._refuse_others(sites, fleet)
        _register_queue(
            self._client,
            worker_concurrency=concurrency,
            partition_limiter={"limit": per_account.number, "period": per_account.period},
            on_conflict="always_update",
        )
        if self.roster.machines():
            time.sleep(2 * POLL)  # a worker looks once more with the limits that it has read before
        self.fail_broken()
        queued = self._queued()
        for site in sites:
            entry = self.roster.put(site, fleet)
            due = _workflow_id(site.subject, entry.attempt, entry.phase)
            due = due if due in queued else _workflow_id(site.subject, entry.attempt, entry.phase + 1)
            if due in queued and _is_another(queued[due], site):
                # What is queued has the row as it was; so has whoever has taken it a moment ago.
                entry = self.roster.again(entry, site, fleet)
                self.queue(site, entry.attempt, 1)
                self._client.cancel_workflow(due)
            elif entry.state == "queued":
                self.queue(site, entry.attempt, 1)

    def _refuse_others(self, sites: Sequence[Site], fleet: str) -> None:
        """See that no site would be taken for another one that has its subject.

        Raises:
            WrongUsage: One would.
        """
        counting: dict[str, Record] = {}
        for record in filter(counts, self.ledger.runs()):  # the latest first
            counting.setdefault(record.subject, record)
        wrong = [another(counting[site.subject], site) for site in sites if site.subject in counting]
        if any(wrong):
            raise WrongUsage("\n".join([f"{fleet}: nothing was started.", *filter(None, wrong)]))

    def _queued(self) -> dict[str, Site]:
        """The sites that nobody is at now, as they were queued, by their workflow's id."""
        found = self._client.list_workflows(status=["ENQUEUED", "DELAYED"], name=PHASE, load_output=False)
        return {each.workflow_id: Site.of(each.input["args"][0]) for each in found if each.input}

    def queue(self, site: Site, attempt: int, number: int, *, pause: float = 0.0) -> None:
        """Have a phase of a site queued, unless it is already; `pause` is in seconds."""
        options = _options(site.subject, site.account, attempt, number, pause)
        self._client.enqueue(options, site.values(), attempt, number, 0, 0)

    def fail_broken(self) -> None:
        """Have the sites failed with which nothing happens any more because their workflow has ended with an error."""
        ended = self._client.list_workflows(
            status=["ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"],
            name=PHASE,
            load_input=False,
            load_output=False,
        )
        ids = {workflow.workflow_id for workflow in ended}
        for entry in self.roster.all() if ids else ():
            theirs = {_workflow_id(entry.subject, entry.attempt, number) for number in (entry.phase, entry.phase + 1)}
            if entry.state not in OVER and ids & theirs:
                said = "a mistake of ours, please report it; to go on, start the fleet again"
                self.roster.tell(entry.subject, entry.attempt, state="failed", sentence=said)

    def recover(self, machine: str) -> int:
        """Put back what a lost machine was doing; the number of sites.

        Raises:
            WrongUsage: It still gives signs of life, or there is nothing of it.
        """
        with self.ledger.lock("recover", wait=True):
            silent = self.roster.machines()
            if silent.get(machine, SILENT) < SILENT:
                raise WrongUsage(
                    f"machine {machine} gave a sign of life {silent[machine]:.0f} seconds ago: interrupt its worker, "
                    f"or wait until it has been silent for {SILENT:.0f} seconds"
                )
            theirs = self._client.list_workflows(
                status="PENDING", executor_id=machine, queue_name=QUEUE, load_input=False, load_output=False
            )
            if machine not in silent and not theirs:
                known = ", ".join(sorted(silent)) or "none"
                raise WrongUsage(
                    f"machine {machine} has nothing to recover; machines that have not taken leave: {known}"
                )
            self._client.resume_workflows([each.workflow_id for each in theirs], queue_name=QUEUE)
            for entry in self.roster.all():
                if entry.machine == machine and entry.state == "running":
                    said = f"machine {machine} was lost; another one takes it up"
                    self.roster.tell(entry.subject, entry.attempt, state="queued", sentence=said)
            self.roster.leave(machine)
        return len(theirs)


def follow(fleets: Fleets, subjects: Sequence[str], worker: Worker, show: Callable[[list[Entry]], None]) -> list[Entry]:
    """Work on what is queued, or leave that to another process of this machine, until these sites are over.

    Args:
        fleets: What is to be done.
        subjects: The sites.
        worker: This machine's part.
        show: Shown all sites, again and again.

    Returns:
        How they ended.
    """
    with ExitStack() as stack:
        works = stack.enter_context(worker.working())
        while True:
            fleets.fail_broken()
            entries = fleets.roster.find(subjects)
            show(entries)
            if all(entry.state in OVER for entry in entries):
                return entries
            if not works and not fleets.ledger.is_held(_lock(worker.settings.machine)):
                works = stack.enter_context(worker.working())  # the other process has ended
            worker.wait(POLL)
