"""The ledger: what every run has recorded, in a database (SQLite, or PostgreSQL by address), and who holds a run.

"Started" is on the disk before a step acts and "done" after it, so that whoever takes a run up knows what may have
happened outside. A run is held by one process at a time, by a lock that ends with the process, however it ends.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import socket
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.exc import OperationalError as DatabaseTrouble
from sqlalchemy.schema import CreateIndex, CreateTable

from runner.errors import AlreadyBegun, LedgerFailed, Missing, WrongSettings, WrongUsage
from runner.settings import Settings, optional, setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from runner.secrets import Secrets

T = TypeVar("T")

State = Literal["running", "waiting", "done", "stopped", "failed", "asks", "interrupted", "given up"]
"""What a run is doing or how it ended. `asks`: a person has to answer; `given up`: another run took its place."""

OPEN: tuple[State, ...] = ("running", "waiting", "stopped", "failed", "asks", "interrupted")
"""States from which a run can be taken up again."""

MACHINE = "GUIDERUNNER_MACHINE"
"""Setting that names this machine."""

BUSY = 60.0
"""Seconds in which a ledger that is locked by another process, or restarting, is asked again."""

PATIENCE = {
    "connect_timeout": "10",
    "tcp_user_timeout": "60000",
    "keepalives_idle": "20",
    "keepalives_interval": "10",
    "keepalives_count": "4",
}
"""How long PostgreSQL's client waits for a server that does not answer, and how it finds out that one has gone silent.

Its own defaults are to wait for ever, and two hours. What stands in LEDGER_URL counts before these.
"""

ASK_AGAIN = 0.5
"""Seconds between two tries to reach a ledger that does not answer."""

_CREATING = 0x6775696465
"""Key of the server's lock under which tables are created."""

_METADATA = sql.MetaData()

_RUNS = sql.Table(
    "runs",
    _METADATA,
    sql.Column("id", sql.String(120), primary_key=True),
    sql.Column("flow", sql.String(80), nullable=False),
    sql.Column("edition", sql.String(40), nullable=False),
    sql.Column("subject", sql.Text, nullable=False),
    sql.Column("site", sql.Text, nullable=False),
    sql.Column("state", sql.String(20), nullable=False),
    sql.Column("step", sql.Integer),
    sql.Column("begun", sql.Boolean, nullable=False),
    sql.Column("settings", sql.Text, nullable=False),
    sql.Column("facts", sql.Text, nullable=False),
    sql.Column("folder", sql.Text, nullable=False),
    sql.Column("machine", sql.Text, nullable=False),
    sql.Column("started", sql.String(32), nullable=False),
    sql.Column("since", sql.String(32), nullable=False),
)

# Whatever two processes do at the same time, the database lets one of them begin.
_ONE_OPEN_RUN = sql.Index(
    "one_open_run",
    _RUNS.c.subject,
    unique=True,
    sqlite_where=_RUNS.c.state.in_(OPEN),
    postgresql_where=_RUNS.c.state.in_(OPEN),
)

_ENTRIES = sql.Table(
    "entries",
    _METADATA,
    sql.Column("run", sql.String(120), sql.ForeignKey("runs.id"), primary_key=True),
    sql.Column("number", sql.Integer, primary_key=True),
    sql.Column("at", sql.String(32), nullable=False),
    sql.Column("event", sql.String(40), nullable=False),
    sql.Column("step", sql.Integer),
    sql.Column("about", sql.Text, nullable=False),
)


@dataclass(frozen=True, kw_only=True)
class LedgerSettings(Settings):
    """Where the ledger is."""

    url: str | None = setting(
        "LEDGER_URL",
        help="Database with all runs; unset, the file ledger.db in the folder of the runs",
        default="",
        example="postgresql://guiderunner@127.0.0.1/guiderunner",
        parse=optional,
    )


def now() -> str:
    """The time (UTC), as the ledger has it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def this_machine(environment: Mapping[str, str] = os.environ) -> str:
    """What this machine is called: as `runner.roster.FleetSettings` says, or else by its host name.

    Args:
        environment: Where that is set; a container's host name is another one each time.
    """
    return environment.get(MACHINE) or socket.gethostname()


def from_here(folder: Path) -> Path:
    """The folder as a person here would type it."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


@dataclass(frozen=True)
class Record:
    """One run, as the ledger knows it.

    Attributes:
        id: The run's id.
        flow: Name of its flow.
        edition: The edition that it performs; empty as long as it is not recognised.
        subject: What must not be done twice, such as the new site's name at its dashboard.
        site: What it is about, for people.
        state: What it is doing, or how it ended.
        step: Number of the step it began last.
        begun: A step with an effect outside has been started: the run has to be taken up, not begun anew.
        settings: The settings it was begun with, by name; never a secret.
        facts: What its steps have learned.
        folder: Where its evidence lies.
        machine: Where it was begun or taken up last.
        started: When it was begun (UTC).
        since: When it came into its state (UTC).
    """

    id: str
    flow: str
    edition: str
    subject: str
    site: str
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    state: State = "running"
    step: int | None = None
    begun: bool = False
    facts: dict[str, str] = field(default_factory=dict)
    machine: str = field(default_factory=this_machine)
    started: str = field(default_factory=now)
    since: str = field(default_factory=now)

    def values(self) -> dict[str, Any]:
        """The record as the table's row."""
        return vars(self) | {
            "settings": json.dumps(self.settings),
            "facts": json.dumps(self.facts),
            "folder": str(self.folder),
        }

    @staticmethod
    def of(row: sql.RowMapping) -> Record:
        """The record of a row."""
        return Record(
            **{
                **row,
                "settings": json.loads(row["settings"]),
                "facts": json.loads(row["facts"]),
                "folder": Path(row["folder"]),
            }
        )


class Ledger:
    """All runs.

    Args:
        url: Address of the database, as SQLAlchemy has it: `sqlite:///runs/ledger.db`, `postgresql://…`.

    Raises:
        Missing: The database's driver is not installed.
        WrongSettings: The address cannot be understood.
    """

    def __init__(self, url: str) -> None:
        try:
            address = sql.make_url(url)
        except (SQLAlchemyError, ValueError):  # ValueError: its port is no number
            raise WrongSettings(wrong=["LEDGER_URL: it is not an address, such as sqlite:///runs/ledger.db."]) from None
        if "@" in (address.host or ""):
            raise WrongSettings(wrong=["LEDGER_URL: an @ in its password has to be written %40."])
        # Behind a question mark a password can stand too.
        self._place = address.set(query={}).render_as_string(hide_password=True)
        self._file = Path(address.database or "") if address.get_backend_name() == "sqlite" else None
        if address.get_backend_name() not in ("sqlite", "postgresql"):
            # Of any other one nothing is known of how two processes are kept from beginning the same.
            kept = "a ledger is kept in SQLite or PostgreSQL, such as postgresql://guiderunner@127.0.0.1/guiderunner"
            raise WrongSettings(wrong=[f"LEDGER_URL: it is an address of {address.get_backend_name()}; {kept}."])
        if address.drivername == "postgresql":
            address = address.set(drivername="postgresql+psycopg", query={**PATIENCE, **address.query})
        options: dict[str, Any] = {"pool_pre_ping": True}
        if self._file is not None:
            if not address.database or address.database == ":memory:":
                raise WrongSettings(wrong=["LEDGER_URL: a ledger in memory would be lost; name a file."])
            options = {"connect_args": {"timeout": BUSY}}
        try:
            self._engine = sql.create_engine(address, **options)
        except (ModuleNotFoundError, NoSuchModuleError):
            driver = "guiderunner[postgresql]" if address.drivername == "postgresql+psycopg" else address.drivername
            raise Missing(f'LEDGER_URL: there is no driver for {self._place}: pip install "{driver}"') from None
        if self._file is not None:
            sql.event.listen(self._engine, "connect", _set_up_sqlite)
        self._created = False

    @staticmethod
    def beside(runs: Path, settings: LedgerSettings | None = None) -> Ledger:
        """The ledger that is set, or else the one in the folder of the runs."""
        return Ledger((settings and settings.url) or f"sqlite:///{runs / 'ledger.db'}")

    @property
    def is_there(self) -> bool:
        """Whether there is one already; what is on a server says so itself."""
        return self._file is None or self._file.is_file()

    @contextmanager
    def failures(self) -> Iterator[None]:
        """What another library says whose tables are in the same place is a failure of the ledger.

        Raises:
            LedgerFailed: It could not use its database.
        """
        try:
            yield
        except SQLAlchemyError as error:
            raise LedgerFailed(self._place, _reason(error)) from None

    def beside_it(self, name: str) -> str:
        """Address of what another library keeps: in the same database on a server, else in a file of this name."""
        if self._file is None:
            return self._engine.url.render_as_string(hide_password=False)
        return f"sqlite:///{self._file.parent / name}"

    @staticmethod
    def _create(connection: sql.Connection) -> None:
        create_tables(connection, _RUNS, _ENTRIES)
        connection.execute(CreateIndex(_ONE_OPEN_RUN, if_not_exists=True))

    def ask(self, what: Callable[[sql.Connection], T]) -> T:
        """Do something in one transaction, again while the database is busy or away.

        Raises:
            LedgerFailed: It did not answer within `BUSY` seconds, is full, or cannot be written.
        """
        deadline = time.monotonic() + BUSY
        while True:
            try:
                if self._file is not None:
                    self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                if not self._created:
                    with self._engine.begin() as connection:
                        self._create(connection)
                    self._created = True
                with self._engine.begin() as connection:
                    return what(connection)
            except IntegrityError:
                raise
            except OSError as error:
                raise LedgerFailed(self._place, error.strerror or str(error)) from None
            except SQLAlchemyError as error:
                reason = _reason(error)
                if not _may_pass(error) or time.monotonic() > deadline:
                    raise LedgerFailed(self._place, reason) from None
            time.sleep(ASK_AGAIN)  # nothing tells when a database is there again: it has to be asked

    def begin(self, record: Record, *, again: bool = False) -> None:
        """Enter a new run, unless one for the same subject is under way, has to be taken up, or is done.

        An earlier one that had no effect outside yet is given up for it.

        Args:
            record: The run.
            again: Begin although an earlier run for the subject is done.

        Raises:
            AlreadyBegun: There is one; it names it and says what to do.
        """
        for earlier in self.runs(subject=record.subject):
            if earlier.state == "done" and not again:
                raise AlreadyBegun(
                    f"{earlier.site} was done by run {earlier.id} on {earlier.since[:16]}. "
                    "To do it all the same: --again."
                )
            if earlier.state in OPEN:
                self._make_way(earlier)
        try:
            self.ask(lambda connection: connection.execute(_RUNS.insert().values(record.values())))
        except IntegrityError:
            raise AlreadyBegun(f"{record.site} has just been begun by another run.") from None

    def _make_way(self, earlier: Record) -> None:
        """Give an earlier run up, if nobody performs it and it had no effect outside."""
        with self.lock(earlier.id) as ours:
            if ours is None:
                raise AlreadyBegun(f"{earlier.site} is under way in run {earlier.id} on {earlier.machine}.")
            earlier = self.find(earlier.id)  # it may have gone on until a moment ago
            if earlier.begun:
                raise AlreadyBegun(
                    f"{earlier.site} was begun by run {earlier.id}, which is in step {earlier.step}: "
                    f'"guiderunner resume {earlier.id}" goes on with it.'
                )
            self._set(earlier.id, {"state": "given up", "since": now()})

    def give_up(self, record: Record) -> Record:
        """Let another run begin what this one has begun.

        Raises:
            WrongUsage: It is done or given up already.
            AlreadyBegun: A process performs it now.
        """
        if record.state not in OPEN:
            raise WrongUsage(f"run {record.id} is {record.state} already")
        with self.lock(record.id) as ours:
            if ours is None:
                raise AlreadyBegun(
                    f"{record.site} is under way in run {record.id} on {record.machine}: interrupt it first."
                )
            self._set(record.id, {"state": "given up", "since": now()})
        return self.find(record.id)

    def _set(self, run: str, values: dict[str, Any]) -> None:
        self.ask(lambda connection: connection.execute(_RUNS.update().where(_RUNS.c.id == run).values(values)))

    def runs(
        self,
        *,
        subject: str | None = None,
        flow: str | None = None,
        edition: str | None = None,
        machine: str | None = None,
        state: State | None = None,
        before: Record | None = None,
        last: int | None = None,
    ) -> list[Record]:
        """All runs, or those with what is given, the latest first.

        Args:
            subject: What must not be done twice.
            flow: Name of their flow.
            edition: The edition that they perform.
            machine: Where they were begun or taken up last.
            state: What they are doing, or how they ended.
            before: Only those that began before this run.
            last: So many at most.
        """
        query = _RUNS.select().order_by(_RUNS.c.started.desc(), _RUNS.c.id.desc()).limit(last)
        wanted = {"subject": subject, "flow": flow, "edition": edition, "machine": machine, "state": state}
        for name, value in wanted.items():
            if value is not None:
                query = query.where(_RUNS.c[name] == value)
        if before is not None:
            query = query.where(sql.tuple_(_RUNS.c.started, _RUNS.c.id) < (before.started, before.id))
        rows = self.ask(lambda connection: connection.execute(query).mappings().all())
        return [Record.of(row) for row in rows]

    def find(self, named: str) -> Record:
        """The run with this id, or the only one whose id begins or ends like this.

        Raises:
            WrongUsage: There is none, or there are several.
        """
        # A script's variable that is not set would name any run, and the only one where there is one.
        there = self.runs() if named else []
        found = [record for record in there if record.id.startswith(named) or record.id.endswith(named)]
        exact = [record for record in found if record.id == named]
        if len(exact or found) != 1:
            how_many = f"{len(found)} runs are" if found else "no run is"
            raise WrongUsage(f'{how_many} named "{named}" in {self._place}; "guiderunner runs" lists them')
        return (exact or found)[0]

    def entries(self, run: str) -> list[dict[str, Any]]:
        """What a run has recorded, in order."""
        query = _ENTRIES.select().where(_ENTRIES.c.run == run).order_by(_ENTRIES.c.number)
        rows = self.ask(lambda connection: connection.execute(query).mappings().all())
        return [_entry(row["at"], row["event"], row["step"], json.loads(row["about"])) for row in rows]

    def write(self, run: str, number: int, entry: dict[str, Any], changed: dict[str, Any]) -> None:
        """Write one entry and what it changes about the run, both or neither.

        Args:
            run: The run's id.
            number: The entry's number, from 1.
            entry: When, what, in which step, and what is known about it.
            changed: New values of the run's row.
        """
        about = {name: value for name, value in entry.items() if name not in ("at", "event", "step")}
        row = {name: entry.get(name) for name in ("at", "event", "step")}

        def both(connection: sql.Connection) -> None:
            there = sql.select(_ENTRIES.c.at).where(_ENTRIES.c.run == run, _ENTRIES.c.number == number)
            if connection.execute(there).scalar() == entry["at"]:
                return  # written already; the answer was lost
            connection.execute(_ENTRIES.insert().values(run=run, number=number, about=json.dumps(about), **row))
            if changed:
                connection.execute(_RUNS.update().where(_RUNS.c.id == run).values(changed))

        try:
            self.ask(both)
        except IntegrityError:
            raise LedgerFailed(self._place, f"another process has gone on with run {run}") from None

    # -- who holds what --------------------------------------------------------------------------------------------

    @contextmanager
    def lock(self, name: str, *, wait: bool = False) -> Iterator[Callable[[], None] | None]:
        """Hold a name as the only process, on all machines of this ledger, until the block or the process ends.

        Args:
            name: What is held, such as a run's id.
            wait: Wait for it while another process holds it.

        Yields:
            A function that makes sure that it is still held, and raises LedgerFailed when another process has taken
            it meanwhile; None when another process holds it.
        """
        key = hashlib.sha256(name.encode())
        if self._file is None:
            with self._server_lock(name, int.from_bytes(key.digest()[:8], signed=True), wait=wait) as still_held:
                yield still_held
            return
        folder = self._file.parent / "locks"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = (folder / key.hexdigest()[:24]).open("w")
        except OSError as error:
            raise LedgerFailed(self._place, error.strerror or str(error)) from None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield None
            else:
                yield lambda: None  # the system keeps it for as long as the file is open

    @contextmanager
    def _server_lock(self, name: str, key: int, *, wait: bool) -> Iterator[Callable[[], None] | None]:
        """Hold a name in the database's server, which gives it back when our connection ends."""
        connection: sql.Connection | None = None

        def take(*, wait: bool) -> bool:
            nonlocal connection
            connection = self.ask(lambda _: self._engine.connect()).execution_options(isolation_level="AUTOCOMMIT")
            function = sql.func.pg_advisory_lock if wait else sql.func.pg_try_advisory_lock
            try:
                answer = connection.execute(sql.select(function(key))).scalar()
            except DatabaseTrouble as error:
                raise LedgerFailed(self._place, _reason(error)) from None
            if not (wait or answer):
                give_back()
            return connection is not None

        def give_back() -> None:
            nonlocal connection
            gone, connection = connection, None
            if gone is not None:
                gone.invalidate()  # not into the pool: the lock would live on with it
                gone.close()

        def still_held() -> None:
            with suppress(DatabaseTrouble):
                if connection is not None:
                    connection.execute(sql.select(1))
                    return
            # The server was restarted and has forgotten who held what.
            give_back()
            if not take(wait=False):
                raise LedgerFailed(self._place, f"another process has taken {name}")

        try:
            yield still_held if take(wait=wait) else None
        finally:
            give_back()

    def is_held(self, run: str) -> bool:
        """Whether a process is performing this run now."""
        with self.lock(run) as ours:
            return ours is None

    def state_of(self, record: Record) -> State:
        """What a run is doing; one whose process has gone without a word was interrupted."""
        return "interrupted" if record.state == "running" and not self.is_held(record.id) else record.state

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()


class RunLedger:
    """What one run records; every entry is redacted, and on the disk when `record` returns.

    Args:
        ledger: All runs.
        run: The run's id.
        secrets: What must not be written.
        copy: A readable copy, one JSON object a line.
        still_held: Makes sure that no other process has taken the run, see `Ledger.lock`.
    """

    def __init__(
        self, ledger: Ledger, run: str, secrets: Secrets, copy: Path, still_held: Callable[[], None] = lambda: None
    ) -> None:
        self._ledger = ledger
        self._run = run
        self._secrets = secrets
        self._still_held = still_held
        self.path = copy
        self.entries = ledger.entries(run)
        if self.entries:
            # The process before may have ended between the database and the copy.
            whole = "".join(f"{json.dumps(entry, ensure_ascii=False)}\n" for entry in self.entries)
            copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            copy.write_text(whole, encoding="utf-8")

    def record(self, event: str, *, run: dict[str, Any] | None = None, **about: object) -> None:
        """Write one entry: what happened, when (UTC), and what is known about it.

        Args:
            event: What happened.
            run: What it changes about the run: `state`, `step`, `begun`, `facts`, `machine`, `edition`.
            about: What is known about it; `step` is the number of the step.

        Raises:
            LedgerFailed: It could not be written.
        """
        plain: dict[str, Any] = json.loads(json.dumps(about, default=str))
        entry = {"at": now(), "event": event, **_redacted(plain, self._secrets)}
        changed = dict(run or {})
        if "facts" in changed:
            changed["facts"] = json.dumps(_redacted(changed["facts"], self._secrets))
        if "state" in changed:
            changed["since"] = entry["at"]
        self._still_held()
        try:
            self._ledger.write(self._run, len(self.entries) + 1, entry, changed)
        except BaseException:
            # An interruption may have come after the commit.
            with suppress(LedgerFailed):
                self.entries = self._ledger.entries(self._run)
            raise
        self.entries.append(entry)
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise LedgerFailed(str(self.path), error.strerror or str(error)) from None

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Wait until no other process holds this name, and hold it; see `Ledger.lock`."""
        with self._ledger.lock(name, wait=True):
            yield


def create_tables(connection: sql.Connection, *tables: sql.Table) -> None:
    """Create those tables that are not there; two processes may be the first at once."""
    if connection.dialect.name == "postgresql":
        # "If not exists" looks before it creates, and fails when another one has created it in between.
        connection.execute(sql.select(sql.func.pg_advisory_xact_lock(_CREATING)))
    for table in tables:
        connection.execute(CreateTable(table, if_not_exists=True))


def _redacted(value: Any, secrets: Secrets) -> Any:  # noqa: ANN401 - whatever JSON holds
    """The same without secrets in its texts; names stay, so that it can still be read."""
    if isinstance(value, str):
        return secrets.redact_deep(value)
    if isinstance(value, dict):
        return {name: _redacted(inner, secrets) for name, inner in value.items()}
    return [_redacted(inner, secrets) for inner in value] if isinstance(value, list) else value


def _entry(at: str, event: str, step: int | None, about: dict[str, Any]) -> dict[str, Any]:
    return {"at": at, "event": event, **({} if step is None else {"step": step}), **about}


def _set_up_sqlite(connection: Any, _: object) -> None:  # noqa: ANN401 - whatever driver SQLAlchemy has taken
    """Readers never wait for a writer, and what was committed survives a power cut."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _reason(error: SQLAlchemyError) -> str:
    """What the database said, without the statement and its values."""
    said = str(getattr(error, "orig", None) or error)
    return next((line.strip() for line in said.splitlines() if line.strip()), type(error).__name__)


def _may_pass(error: SQLAlchemyError) -> bool:
    """Whether the database may answer later: it is locked, or the server is away."""
    if not isinstance(error, sql.exc.DBAPIError):
        return False
    said = str(error.orig)
    if "database is locked" in said or error.connection_invalidated:
        return True
    away = ("connection", "starting up", "shutting down", "terminating")
    refused = ("authentication", "does not exist", "no pg_hba", "password")
    return any(word in said for word in away) and not any(word in said for word in refused)
