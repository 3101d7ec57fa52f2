"""The ledger keeps what runs record, lets one begin, and lets one process perform it, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import sqlite3
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from runner import ledger as ledger_module
from runner.errors import AlreadyBegun, LedgerFailed, Missing, WrongSettings, WrongUsage
from runner.ledger import Ledger, Record, RunLedger
from runner.secrets import Secret, Secrets
from tests.postgresql import PostgreSQL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runner.ledger import State

PASSWORD = "Heron-Basket-17-Quarry"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    """A PostgreSQL server of this module's own."""
    with PostgreSQL() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty ledger, on each kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    server: PostgreSQL = request.getfixturevalue("server")
    return server.new_database()


def record(name: str, subject: str = "widgets", **more: Any) -> Record:
    """A run that begins."""
    return Record(id=name, flow="toy", edition="1", subject=subject, site="Widgets", folder=more.pop("folder"), **more)


def set_state(ledger: Ledger, run: Record, state: State, *, begun: bool = False) -> None:
    """Have a run come into a state."""
    number = len(ledger.entries(run.id)) + 1
    entry = {"at": f"2026-01-01T00:00:{number:02}", "event": "test"}
    ledger.write(run.id, number, entry, {"state": state, "begun": begun, "step": 3})


def test_what_is_recorded_is_there_for_the_next_process(url: str, tmp_path: Path) -> None:
    """Entries in their order, with what they say of the run; the copy has a line for each."""
    ledger = Ledger(url)
    ledger.begin(record("one", folder=tmp_path, settings={"SITE": "https://example.com"}))
    of_run = RunLedger(ledger, "one", Secrets(), tmp_path / "ledger.jsonl")
    of_run.record("step started", run={"step": 1}, step=1)
    of_run.record("facts", run={"facts": {"page": "/here"}}, facts={"page": "/here"})
    of_run.record("run ended", run={"state": "waiting"}, state="waiting")
    ledger.close()
    other = Ledger(url)
    found = other.find("one")
    assert (found.state, found.step, found.facts) == ("waiting", 1, {"page": "/here"})
    assert (found.settings, found.folder) == ({"SITE": "https://example.com"}, tmp_path)
    assert [entry["event"] for entry in other.entries("one")] == ["step started", "facts", "run ended"]
    copied = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text().splitlines()]
    assert copied == other.entries("one")


def test_a_copy_that_was_cut_short_is_written_anew(tmp_path: Path) -> None:
    """The process ended between the database and the copy."""
    ledger, copy = Ledger.beside(tmp_path), tmp_path / "ledger.jsonl"
    ledger.begin(record("one", folder=tmp_path))
    RunLedger(ledger, "one", Secrets(), copy).record("step started", step=1)
    copy.write_text('{"at": "2026')
    RunLedger(ledger, "one", Secrets(), copy).record("step done", step=1)
    assert [json.loads(line)["event"] for line in copy.read_text().splitlines()] == ["step started", "step done"]


def test_no_secret_is_recorded(url: str, tmp_path: Path) -> None:
    """Neither in an entry nor among the facts, neither in the database nor in the copy."""
    secrets = Secrets()
    secrets.add(Secret(PASSWORD, "password"))
    ledger = Ledger(url)
    ledger.begin(record("one", folder=tmp_path))
    of_run = RunLedger(ledger, "one", secrets, tmp_path / "ledger.jsonl")
    of_run.record("said", run={"facts": {"oops": PASSWORD}}, words=f"it is {PASSWORD}")
    assert ledger.find("one").facts == {"oops": "[password]"}
    assert ledger.entries("one")[0]["words"] == "it is [password]"
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert PASSWORD.encode() not in files


@pytest.mark.parametrize("state", ["failed", "waiting", "asks", "interrupted", "stopped"])
def test_what_was_begun_is_taken_up_and_not_begun_again(url: str, tmp_path: Path, state: State) -> None:
    """The refusal names the run and the command; one that is given up makes way."""
    ledger = Ledger(url)
    first = record("one", folder=tmp_path)
    ledger.begin(first)
    set_state(ledger, first, state, begun=True)
    with pytest.raises(AlreadyBegun, match='"guiderunner resume one" goes on with it') as caught:
        ledger.begin(record("two", folder=tmp_path))
    assert caught.value.exit_code == 8
    ledger.begin(record("other", subject="gadgets", folder=tmp_path))
    ledger.give_up(ledger.find("one"))
    ledger.begin(record("three", folder=tmp_path))
    with pytest.raises(WrongUsage, match="given up already"):
        ledger.give_up(ledger.find("one"))


def test_what_is_done_is_done_again_only_when_asked_for(url: str, tmp_path: Path) -> None:
    """A site must not be migrated twice by accident."""
    ledger = Ledger(url)
    first = record("one", folder=tmp_path)
    ledger.begin(first)
    set_state(ledger, first, "done", begun=True)
    with pytest.raises(AlreadyBegun, match="was done by run one"):
        ledger.begin(record("two", folder=tmp_path))
    ledger.begin(record("two", folder=tmp_path), again=True)


def test_a_run_without_any_effect_makes_way_for_the_next(url: str, tmp_path: Path) -> None:
    """Its settings were wrong: nothing was created, so nothing has to be taken up."""
    ledger = Ledger(url)
    first = record("one", folder=tmp_path)
    ledger.begin(first)
    set_state(ledger, first, "failed")
    ledger.begin(record("two", folder=tmp_path))
    assert {one.id: one.state for one in ledger.runs()} == {"one": "given up", "two": "running"}


def hold(url: str, name: str, ready: Any) -> None:
    """Hold a run in a process of its own, until that is killed."""
    with Ledger(url).lock(name) as ours:
        ready.send(ours is not None)
        signal.pause()


def test_a_run_is_held_by_one_process_until_that_ends_however(url: str, tmp_path: Path) -> None:
    """Kill -9 gives it back at once; a run whose process has gone was interrupted."""
    ledger = Ledger(url)
    ledger.begin(record("one", folder=tmp_path))
    spawn = multiprocessing.get_context("spawn")
    ready, theirs = spawn.Pipe()
    other = spawn.Process(target=hold, args=(url, "one", theirs))
    other.start()
    assert ready.recv() is True
    assert ledger.is_held("one")
    assert ledger.state_of(ledger.find("one")) == "running"
    with pytest.raises(AlreadyBegun, match="is under way in run one"):
        ledger.begin(record("two", folder=tmp_path))
    with pytest.raises(AlreadyBegun, match="interrupt it first"):
        ledger.give_up(ledger.find("one"))
    assert other.pid
    os.kill(other.pid, signal.SIGKILL)
    other.join()
    with ledger.lock("one", wait=True) as ours:
        assert ours is not None
        assert ledger.is_held("one")
    assert not ledger.is_held("one")
    assert ledger.state_of(ledger.find("one")) == "interrupted"


def begin(url: str, name: str, folder: Path, go: Any, told: Any) -> None:
    """Begin a run at the same time as others."""
    ledger = Ledger(url)
    ledger.runs()
    go.wait()
    try:
        with ledger.lock(name):
            ledger.begin(record(name, folder=folder))
            told.put(name)
            go.wait()
    except AlreadyBegun:
        told.put("refused")
        go.wait()


def test_of_those_that_begin_at_once_one_does(url: str, tmp_path: Path) -> None:
    """Four processes for one site: the database decides, and three are told so."""
    spawn = multiprocessing.get_context("spawn")
    go, told = spawn.Barrier(4), spawn.Queue()
    names = ["a", "b", "c", "d"]
    starting = [spawn.Process(target=begin, args=(url, name, tmp_path, go, told)) for name in names]
    for one in starting:
        one.start()
    answers = [told.get(timeout=60) for _ in names]
    for one in starting:
        one.join()
    assert answers.count("refused") == 3
    assert [one.state for one in Ledger(url).runs()] == ["running"]


def test_two_processes_never_both_write_the_same_entry(url: str, tmp_path: Path) -> None:
    """Should a lock have been lost, the second to write is stopped before it acts."""
    ledger = Ledger(url)
    ledger.begin(record("one", folder=tmp_path))
    first = RunLedger(ledger, "one", Secrets(), tmp_path / "first.jsonl")
    second = RunLedger(ledger, "one", Secrets(), tmp_path / "second.jsonl")
    first.record("step started", step=1)
    with pytest.raises(LedgerFailed, match="another process has gone on with run one"):
        second.record("step started", step=1)


def test_a_run_is_found_by_how_it_begins_or_ends(tmp_path: Path) -> None:
    """One that is not there, or not the only one, is said."""
    ledger = Ledger.beside(tmp_path)
    for name in ("20260101-toy-a1b2", "20260101-toy-c3d4"):
        ledger.begin(record(name, subject=name, folder=tmp_path))
    assert ledger.find("c3d4").id == "20260101-toy-c3d4"
    with pytest.raises(WrongUsage, match='no run is named "e5f6"'):
        ledger.find("e5f6")
    with pytest.raises(WrongUsage, match='2 runs are named "2026"'):
        ledger.find("2026")


def test_no_name_names_no_run(tmp_path: Path) -> None:
    """A script's variable that is not set must not have the only run there is given up or resumed."""
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger.begin(Record(id="one", flow="toy", edition="1", subject="ball", site="ball", folder=tmp_path))
    with pytest.raises(WrongUsage, match='no run is named ""'):
        ledger.find("")


# -- what goes wrong ------------------------------------------------------------------------------------------------


def test_a_locked_database_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program writes for a while; after too long a sentence ends the run."""
    ledger = Ledger.beside(tmp_path)
    ledger.begin(record("one", folder=tmp_path))
    of_run = RunLedger(ledger, "one", Secrets(), tmp_path / "ledger.jsonl")
    monkeypatch.setattr(ledger_module, "BUSY", 0.3)
    quick = Ledger.beside(tmp_path)
    with sqlite3.connect(tmp_path / "ledger.db") as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LedgerFailed, match=r"database is locked\. Nothing was done") as caught:
            RunLedger(quick, "two", Secrets(), tmp_path / "other.jsonl").record("step started", step=1)
        assert caught.value.exit_code == 7
    of_run.record("step started", step=1)
    assert len(ledger.entries("one")) == 1


def test_a_full_disk_stops_the_run_before_it_acts(tmp_path: Path) -> None:
    """SQLite says so, and the entry is not there afterwards."""
    ledger = Ledger.beside(tmp_path)
    ledger.begin(record("one", folder=tmp_path))

    def fill(connection: Any) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    ledger.ask(fill)
    of_run = RunLedger(ledger, "one", Secrets(), tmp_path / "ledger.jsonl")
    with pytest.raises(LedgerFailed, match="full"):
        of_run.record("said", words="x" * 100_000)
    assert Ledger.beside(tmp_path).entries("one") == []


def test_a_server_that_is_restarted_is_waited_for(server: PostgreSQL, tmp_path: Path) -> None:
    """The run goes on when it is back, and still holds its name."""
    ledger = Ledger(server.new_database())
    ledger.begin(record("one", folder=tmp_path))
    with ledger.lock("one") as ours:
        assert ours
        of_run = RunLedger(ledger, "one", Secrets(), tmp_path / "ledger.jsonl", ours)
        of_run.record("step started", step=1)
        server.restart()
        of_run.record("step done", step=1)
        assert ledger.is_held("one")
    assert [entry["event"] for entry in ledger.entries("one")] == ["step started", "step done"]


def test_a_name_that_was_taken_while_the_server_was_away_is_lost(server: PostgreSQL, tmp_path: Path) -> None:
    """Another process was quicker: this one stops before it acts again."""
    url = server.new_database()
    ledger, other = Ledger(url), Ledger(url)
    ledger.begin(record("one", folder=tmp_path))
    with ledger.lock("one") as ours:
        assert ours
        of_run = RunLedger(ledger, "one", Secrets(), tmp_path / "ledger.jsonl", ours)
        server.restart()
        with other.lock("one") as theirs:
            assert theirs
            with pytest.raises(LedgerFailed, match="another process has taken one"):
                of_run.record("step started", step=1)
    assert ledger.entries("one") == []


def test_a_server_that_stays_away_is_a_failure_of_the_ledger(
    server: PostgreSQL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run ends with a sentence, also when what it held cannot be given back; nothing is held any more then."""
    monkeypatch.setattr("runner.ledger.BUSY", 0.0)
    ledger = Ledger(server.new_database())
    ledger.begin(record("one", folder=tmp_path))
    with ExitStack() as stack:
        ours = stack.enter_context(ledger.lock("one"))
        assert ours
        with server.away(), pytest.raises(LedgerFailed, match="cannot be used"):
            ours()
    assert not ledger.is_held("one")


def test_what_another_process_has_taken_is_not_held_at_the_next_look_either(server: PostgreSQL, tmp_path: Path) -> None:
    """Whoever is told so once, and asks again, is told the same; or has it again when it is free."""
    url = server.new_database()
    ledger, other = Ledger(url), Ledger(url)
    ledger.begin(record("one", folder=tmp_path))
    with ledger.lock("one") as ours:
        assert ours
        server.restart()
        with other.lock("one") as theirs:
            assert theirs
            for _ in range(2):
                with pytest.raises(LedgerFailed, match="another process has taken one"):
                    ours()
        ours()
        assert other.is_held("one")


def test_a_server_that_does_not_answer_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address is in the sentence, the password is not."""
    monkeypatch.setattr(ledger_module, "BUSY", 0.1)
    with pytest.raises(LedgerFailed, match=r"postgresql.*://me:\*\*\*@127\.0\.0\.1:1/x cannot be used") as caught:
        Ledger(f"postgresql://me:{PASSWORD}@127.0.0.1:1/x").runs()
    assert PASSWORD not in str(caught.value)


def test_a_server_that_takes_a_connection_and_says_nothing_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As behind a firewall, or in front of a server that hangs: a sentence says which ledger it is."""
    monkeypatch.setattr(ledger_module, "BUSY", 0.1)
    monkeypatch.setitem(ledger_module.PATIENCE, "connect_timeout", "2")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"127.0.0.1:{silent.getsockname()[1]}/x"
        with pytest.raises(LedgerFailed, match=rf"postgresql.*://me:\*\*\*@{place} cannot be used") as caught:
            Ledger(f"postgresql://me:{PASSWORD}@{place}").runs()
    assert PASSWORD not in str(caught.value)


def test_how_long_a_server_is_waited_for_can_be_said() -> None:
    """In the ledger's address, as everywhere with PostgreSQL; what else it says stays too."""
    address = Ledger("postgresql://127.0.0.1/x?connect_timeout=99&sslmode=require").beside_it("dbos.db")
    assert "connect_timeout=99" in address
    assert "sslmode=require" in address
    assert "connect_timeout=10" in Ledger("postgresql://127.0.0.1/x").beside_it("dbos.db")
    assert "connect_timeout" not in Ledger("sqlite:////tmp/x.db").beside_it("dbos.db")


@pytest.mark.parametrize("before", ["", "me@"], ids=["alone", "beside a user"])
def test_a_password_behind_the_address_is_not_named(before: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL takes it there too; what else the address says is named."""
    monkeypatch.setattr(ledger_module, "BUSY", 0.1)
    with pytest.raises(LedgerFailed, match=r"postgresql.*127\.0\.0\.1:1/x cannot be used") as caught:
        Ledger(f"postgresql://{before}127.0.0.1:1/x?user=me&password={PASSWORD}").runs()
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("wrong", ["postgresql://me:s3@cr3t@127.0.0.1:1/x", "postgresql://me:s3cr3t/x"])
def test_a_password_that_makes_it_no_address_is_not_shown(wrong: str) -> None:
    """An @ in it would be taken for the end of the password, and the rest for the server's name; or it for a port."""
    with pytest.raises(WrongSettings, match="LEDGER_URL: ") as caught:
        Ledger(wrong).runs()
    assert "cr3t" not in str(caught.value)


def test_an_address_that_cannot_be_used_is_said() -> None:
    """No address, no driver, nothing that lasts."""
    with pytest.raises(WrongSettings, match="LEDGER_URL: it is not an address"):
        Ledger("nonsense")
    with pytest.raises(
        Missing, match=r'there is no driver for postgresql\+nodriver.*pip install "postgresql\+nodriver"'
    ):
        Ledger("postgresql+nodriver://127.0.0.1/x")
    with pytest.raises(WrongSettings, match="LEDGER_URL: it is an address of mysql; a ledger is kept in SQLite or"):
        Ledger("mysql://127.0.0.1/x")
    with pytest.raises(WrongSettings, match="in memory would be lost"):
        Ledger("sqlite://")
