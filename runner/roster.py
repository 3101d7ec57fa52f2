"""The roster: which sites fleets are to do, how far each is, and which machines work; beside the ledger's runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError

from runner.ledger import MACHINE, create_tables, now, this_machine
from runner.settings import Settings, seconds, setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    from runner.ledger import Ledger
    from runner.sites import Site

    T = TypeVar("T")

State = Literal["queued", "running", "waiting", "done", "asks", "failed"]
"""Where a site is; `waiting`: for something outside, without a browser, or for the next try; `asks`: for a person."""

OVER: tuple[State, ...] = ("done", "asks", "failed")
"""States in which nothing more happens by itself."""

BEAT = 10.0
"""Seconds between two signs of life of a machine."""

SILENT = 60.0
"""Seconds without a sign of life after which a machine counts as lost."""

_METADATA = sql.MetaData()

_SITES = sql.Table(
    "sites",
    _METADATA,
    sql.Column("subject", sql.String(500), primary_key=True),
    sql.Column("fleet", sql.Text, nullable=False),
    sql.Column("flow", sql.String(80), nullable=False),
    sql.Column("site", sql.Text, nullable=False),
    sql.Column("attempt", sql.Integer, nullable=False),
    sql.Column("phase", sql.Integer, nullable=False),
    sql.Column("state", sql.String(20), nullable=False),
    sql.Column("step", sql.Integer),
    sql.Column("run", sql.String(120), nullable=False),
    sql.Column("sentence", sql.Text, nullable=False),
    sql.Column("machine", sql.Text, nullable=False),
    sql.Column("since", sql.String(32), nullable=False),
)

_MACHINES = sql.Table(
    "machines",
    _METADATA,
    sql.Column("name", sql.String(255), primary_key=True),
    sql.Column("beat", sql.Float, nullable=False),
)


@dataclass(frozen=True, kw_only=True)
class FleetSettings(Settings):
    """How this machine takes part in fleets."""

    machine: str = setting(
        MACHINE,
        help="Name of this machine among those that work for the same ledger; unset, its host name",
        default="",
        example="worker-1",
        parse=lambda text: this_machine({MACHINE: text}),
    )
    phase_timeout: float = setting(
        "PHASE_TIMEOUT",
        help="How long one browser of a fleet may be at work before it counts as hung and is killed",
        default="45m",
        parse=seconds,
    )


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One site, as the roster knows it.

    Attributes:
        subject: What must not be done twice.
        fleet: Name of the fleet that put it here last.
        flow: What is performed for it.
        site: What it is about, for people.
        attempt: How often a fleet has taken it up.
        phase: How many browsers it has had in this attempt, the one that is due or open now included.
        state: Where it is.
        step: The step that its run is in, if it has one.
        run: Its run's id, once it is known.
        sentence: What there is to say, such as why it failed.
        machine: Which machine had its last browser.
        since: When it came into its state (UTC).
    """

    subject: str
    fleet: str
    flow: str
    site: str
    attempt: int = 1
    phase: int = 1
    state: State = "queued"
    step: int | None = None
    run: str = ""
    sentence: str = ""
    machine: str = ""
    since: str = ""


class Roster:
    """All sites that fleets are to do, and the machines that work on them.

    Args:
        ledger: In whose database they are.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._created = False

    def _ask(self, what: Callable[[sql.Connection], T]) -> T:
        if not self._created:
            self._ledger.ask(lambda connection: create_tables(connection, _SITES, _MACHINES))
            self._created = True
        return self._ledger.ask(what)

    def put(self, site: Site, fleet: str) -> Entry:
        """Have a site done, unless it is done or under way; one that failed or asked is taken up again."""
        entry = Entry(subject=site.subject, fleet=fleet, flow=site.flow, site=site.site, since=now())
        try:
            self._ask(lambda connection: connection.execute(_SITES.insert().values(vars(entry))))
        except IntegrityError:
            found = self.get(site.subject)
            return self.again(found, site, fleet) if found.state in ("failed", "asks") else found
        return entry

    def again(self, entry: Entry, site: Site, fleet: str) -> Entry:
        """Take a site up with a new attempt, unless somebody else has just done that."""
        values = {
            "attempt": entry.attempt + 1,
            "phase": 1,
            "state": "queued",
            "fleet": fleet,
            "site": site.site,
            "sentence": "",
            "since": now(),
        }
        query = _SITES.update().where(_SITES.c.subject == entry.subject, _SITES.c.attempt == entry.attempt)
        self._ask(lambda connection: connection.execute(query.values(values)))
        return self.get(entry.subject)

    def tell(self, subject: str, attempt: int, **changed: Any) -> None:  # noqa: ANN401 - the columns' values
        """Note what has become of a site; an attempt that another one has followed has nothing to say any more."""
        query = _SITES.update().where(_SITES.c.subject == subject, _SITES.c.attempt == attempt)
        self._ask(lambda connection: connection.execute(query.values(since=now(), **changed)))

    def get(self, subject: str) -> Entry:
        """A site that is here."""
        query = _SITES.select().where(_SITES.c.subject == subject)
        return Entry(**self._ask(lambda connection: connection.execute(query).mappings().one()))

    def find(self, subjects: Iterable[str]) -> list[Entry]:
        """These sites, in this order; those that are not here are left out."""
        wanted = list(subjects)
        found = {entry.subject: entry for entry in self.all()}
        return [found[subject] for subject in wanted if subject in found]

    def all(self, fleet: str = "") -> list[Entry]:
        """All sites, or those of one fleet."""
        query = _SITES.select().order_by(_SITES.c.fleet, _SITES.c.subject)
        if fleet:
            query = query.where(_SITES.c.fleet == fleet)
        rows = self._ask(lambda connection: connection.execute(query).mappings().all())
        return [Entry(**row) for row in rows]

    # -- machines ----------------------------------------------------------------------------------------------------

    def beat(self, machine: str) -> None:
        """Give a sign of life, by the database's clock."""

        def both(connection: sql.Connection) -> None:
            connection.execute(_MACHINES.delete().where(_MACHINES.c.name == machine))
            connection.execute(_MACHINES.insert().values(name=machine, beat=_clock()))

        self._ask(both)

    def leave(self, machine: str) -> None:
        """Take leave: what the machine was doing has been put back."""
        self._ask(lambda connection: connection.execute(_MACHINES.delete().where(_MACHINES.c.name == machine)))

    def machines(self) -> dict[str, float]:
        """The machines that have not taken leave, and the seconds since each one's last sign of life."""
        query = sql.select(_MACHINES.c.name, (_clock() - _MACHINES.c.beat).label("silent")).order_by(_MACHINES.c.name)
        rows = self._ask(lambda connection: connection.execute(query).all())
        return {name: float(silent) for name, silent in rows}


def _clock() -> sql.ColumnElement[float]:
    """Seconds by the clock that all machines share."""
    return sql.cast(sql.extract("epoch", sql.func.current_timestamp()), sql.Float)
