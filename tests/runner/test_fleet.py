"""Fleets of toys, with the real command line, real workers and real databases: each toy once, whatever ends whom."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sql
from dbos import DBOSClient
from markupsafe import escape

from runner import fleet
from runner.errors import WrongUsage
from runner.ledger import Ledger
from runner.phase import told
from runner.roster import Entry, Roster
from runner.sites import Site
from runner.summary import write_summary
from tests.command_line import Command, environment, until
from tests.postgresql import PostgreSQL
from tests.runner.test_notices import webhook
from tests.runner.toy_fleet import SILENT

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "tests.runner.toy_fleet"]
PASSWORDS = {"ANN_PASSWORD": "Heron-Basket-17-Quarry", "BOB_PASSWORD": "Saddle-Orchid-44-Tunnel"}
KILOBYTES = 1024
"""In a megabyte."""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    """A PostgreSQL server of this module's own."""
    with PostgreSQL() as running:
        yield running


class Toys:
    """A folder with a CSV file, a world in which toys are made, and commands that run there.

    Args:
        folder: The folder.
        url: Address of the ledger; nothing for the one in the folder of the runs.
    """

    def __init__(self, folder: Path, url: str = "") -> None:
        self.folder = folder
        self.url = url or f"sqlite:///{folder / 'runs' / 'ledger.db'}"
        self.world = folder / "world"
        self.world.mkdir()
        self.variables = {"PYTHONPATH": str(ROOT), "TOY_WORLD": str(self.world), **PASSWORDS}
        if url:
            self.variables["LEDGER_URL"] = url

    def write(self, *names: str, owner: str = "ann", file: str = "toys.csv", **behaviour: Any) -> str:
        """Write a CSV file with these toys, and how they behave."""
        rows = "".join(f"{name},{owner},{owner.upper()}_PASSWORD\n" for name in names)
        (self.folder / file).write_text(f"TOY_NAME,TOY_OWNER,TOY_PASSWORD\n{rows}")
        for name in names:
            (self.world / name).write_text(json.dumps(behaviour))
        return file

    @contextmanager
    def command(
        self, *args: str, machine: str = "here", stderr: int = subprocess.PIPE, **variables: str
    ) -> Iterator[Command]:
        """A command on a machine of this name."""
        with tempfile.TemporaryDirectory(prefix="fleet-") as temporary:
            more = {**self.variables, "GUIDERUNNER_MACHINE": machine, **variables}
            with Command(
                *args, cwd=self.folder, temporary=Path(temporary), variables=more, program=PROGRAM, stderr=stderr
            ) as command:
                yield command

    @contextmanager
    def fleet(self, *args: str, **more: Any) -> Iterator[Command]:
        """A fleet of the toys in toys.csv, or in the file that is named."""
        file = () if args and args[0].endswith(".csv") else ("toys.csv",)
        limits = () if "--per-account" in args else ("--per-account", "100/s")
        with self.command("fleet", *file, *args, *limits, "--flow", "toy", **more) as command:
            yield command

    def run(self, *args: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        with self.command(*args, **variables) as command:
            code = command.ends()
            return subprocess.CompletedProcess(args, code, command.out, command.err)

    def did(self, what: str) -> Counter[str]:
        """How often that was done to each toy."""
        file = self.world / "did"
        lines = [line.split() for line in file.read_text().splitlines()] if file.is_file() else []
        return Counter(name for done, name, _ in lines if done == what)

    def by(self, what: str) -> dict[str, str]:
        """Which machine did that to each toy last."""
        lines = [line.split() for line in (self.world / "did").read_text().splitlines()]
        return {name: machine for done, name, machine in lines if done == what}

    def status(self) -> dict[str, dict[str, Any]]:
        """What `fleet status` says of each toy."""
        said = self.run("fleet", "status", "--json")
        assert said.returncode == 0, said.stderr
        return {entry["site"]: entry for entry in map(json.loads, said.stdout.splitlines())}

    def states(self) -> dict[str, str]:
        """Each toy's state, from the roster itself."""
        return {entry.site: entry.state for entry in Roster(Ledger(self.url)).all()}

    def everything_stored(self) -> bytes:
        """All files, and all rows of all tables of the server's database."""
        stored = b"".join(path.read_bytes() for path in self.folder.rglob("*") if path.is_file())
        if self.url.startswith("postgresql"):
            engine = sql.create_engine(self.url.replace("postgresql:", "postgresql+psycopg:"))
            with engine.connect() as connection:
                tables = connection.execute(
                    sql.text(
                        "select format('%I.%I', schemaname, tablename) from pg_tables "
                        "where schemaname not in ('pg_catalog', 'information_schema')"
                    )
                ).scalars()
                for table in list(tables):
                    rows = connection.execute(sql.text(f"select t::text from {table} t")).scalars()  # noqa: S608 - our own tables
                    stored += "\n".join(rows).encode()
            engine.dispose()
        return stored


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def toys(request: pytest.FixtureRequest, tmp_path: Path) -> Toys:
    """Toys, with the ledger on each kind of database."""
    if request.param == "sqlite":
        return Toys(tmp_path)
    server: PostgreSQL = request.getfixturevalue("server")
    return Toys(tmp_path, server.new_database())


@pytest.fixture
def toys_on_server(server: PostgreSQL, tmp_path: Path) -> Toys:
    """Toys, with the ledger on PostgreSQL."""
    return Toys(tmp_path, server.new_database())


# -- what a fleet does ------------------------------------------------------------------------------------------------


def test_a_fleet_does_each_site_once_and_says_how_each_ended(toys: Toys) -> None:
    """One is done at once, one after waiting, one at the second try, one needs a person, one fails for good."""
    toys.write("Ball", "Kite", "Top", "Doll", "Boat")
    (toys.world / "Kite").write_text('{"looks": 2}')
    (toys.world / "Top").write_text('{"fails": 1}')
    (toys.world / "Doll").write_text('{"asks": true}')
    (toys.world / "Boat").write_text('{"fails": 99}')
    with toys.fleet() as command:
        assert command.ends() == 1
        command.leaves_nothing()
    assert "3 done" in command.out
    assert "2 of 5 sites are not done" in command.err
    assert "Boat: failed: Step 1: the toy [TOY_PASSWORD] does not come" in command.err
    assert "Doll: asks: Step 1: does it?" in command.err
    assert toys.did("make") == {"Ball": 1, "Kite": 1, "Top": 1}
    assert toys.did("play") == {"Ball": 1, "Kite": 1, "Top": 1}
    assert toys.did("look")["Kite"] == 3
    assert toys.did("begin") == {"Ball": 1, "Kite": 1, "Top": 2, "Doll": 1, "Boat": 3}
    status = toys.status()
    assert {name: about["state"] for name, about in status.items()} == {
        "Ball": "done",
        "Kite": "done",
        "Top": "done",
        "Doll": "asks",
        "Boat": "failed",
    }
    (summary,) = toys.folder.glob("runs/fleet-toys-*/summary.csv")
    rows = list(csv.DictReader(summary.read_text("utf-8-sig").splitlines()))
    assert {row["site"]: (row["state"], row["run"]) for row in rows} == {
        name: (about["state"], about["run"]) for name, about in status.items()
    }
    page = summary.with_suffix(".html").read_text()
    assert re.search(rf'<a href="../{status["Ball"]["run"]}(/report.html)?">Ball</a>', page)
    assert "<caption>1 asks, 3 done, 1 failed</caption>" in page
    assert page.count("<h3>Step 1: ") == 2
    anew = toys.run("report", "--fleet", "toys", "--junit", "ci.xml")
    assert anew.returncode == 0, anew.stderr
    assert "<caption>1 asks, 3 done, 1 failed</caption>" in (toys.folder / anew.stdout.strip()).read_text()
    (suite,) = ET.parse(toys.folder / "ci.xml").getroot()  # noqa: S314 - our own file
    assert {case.attrib["name"]: [each.tag for each in case] for case in suite} == {
        **{name: [] for name in ("Ball", "Kite", "Top")},
        **{name: ["failure"] for name in ("Doll", "Boat")},
    }
    stored = toys.everything_stored()
    assert b"Step 1: the toy [TOY_PASSWORD]" in stored
    assert [name for name, password in PASSWORDS.items() if password.encode() in stored] == []


def test_who_is_to_be_told_is_told_how_a_fleet_ended_and_not_again(toys: Toys) -> None:
    """One that needs a person is told by itself too; a start that finds all done, as from cron, is no news."""
    toys.write("Ball", "Doll")
    (toys.world / "Doll").write_text('{"asks": true}')
    with webhook(200) as hook:
        told = {"NOTIFY_WEBHOOK": hook.url}
        with toys.fleet(**told) as command:
            assert command.ends() == 1
        (summary,) = toys.folder.glob("runs/fleet-toys-*")
        assert [body["site"] for body in hook.bodies] == ["Doll", "the fleet toys"]
        assert hook.bodies[1]["text"] == (
            f"toy for the fleet toys: person needed\n1 asks, 1 done\n{summary.relative_to(toys.folder)}"
        )
        (toys.world / "Doll").write_text("{}")
        for _ in range(2):
            with toys.fleet(**told) as command:
                assert command.ends() == 0
    assert [(body["state"], body["sentence"]) for body in hook.bodies[2:]] == [("done", "2 done")]


def test_a_fleet_begins_nothing_where_nobody_could_be_told(toys: Toys) -> None:
    """The settings of notices are looked at with the others, and not when the first site asks."""
    toys.write("Ball")
    with toys.fleet(NOTIFY_EMAIL="me@example.com") as command:
        assert command.ends() == 2
    assert command.err.startswith("WrongSettings: missing: SMTP_HOST.")
    assert not (toys.world / "did").exists()


def test_a_sign_in_that_was_refused_is_not_tried_again(toys: Toys) -> None:
    """A third try could lock the account: somebody has to look first."""
    toys.write("Ball")
    (toys.world / "Ball").write_text('{"refused": true}')
    with toys.fleet() as command:
        assert command.ends() == 1
    assert "Ball: failed: Step 1: the password was refused" in command.err
    assert toys.did("begin") == {"Ball": 1}


def shops(toys: Toys, shop: str, *names: str, **behaviour: Any) -> None:
    """Write a CSV file in which these toys are from a shop."""
    toys.write(*names, **behaviour)
    rows = "".join(f"{name},{shop},ANN_PASSWORD\n" for name in names)
    (toys.folder / "toys.csv").write_text(f"TOY_NAME,TOY_SHOP,TOY_PASSWORD\n{rows}")


def test_a_row_that_is_corrected_before_anything_was_made_counts_as_corrected(toys: Toys) -> None:
    """A run keeps what it is about; of one that failed before it made anything nothing has to be kept."""
    shops(toys, "wrong", "Ball", fails=3)
    with toys.fleet() as first:
        assert first.ends() == 1
    shops(toys, "right", "Ball", fails=3)
    with toys.fleet() as second:
        assert second.ends() == 0, second.err
    assert (toys.did("from-wrong"), toys.did("from-right")) == ({}, {"Ball": 1})


def test_a_site_is_not_said_to_be_done_because_another_of_its_name_is(toys: Toys) -> None:
    """Nothing is started, and it is said which run has done what instead."""
    shops(toys, "first", "Ball")
    with toys.fleet() as first:
        assert first.ends() == 0, first.err
    shops(toys, "second", "Ball", "Kite")
    with toys.fleet() as second:
        assert second.ends() == 2
    (folder,) = toys.folder.glob("runs/*-toy-????")
    assert second.err == (
        "WrongUsage: toys: nothing was started.\n"
        f"Ball was done by run {folder.name}, with TOY_SHOP first instead of second. Correct the row; it is not done "
        "again\n"
    )
    assert toys.did("make") == {"Ball": 1}


def test_a_site_is_not_taken_up_as_another_of_its_name(toys: Toys) -> None:
    """What that one has begun is for somebody to look at; when it is given up the row counts."""
    shops(toys, "first", "Ball", needs="never")
    with toys.fleet() as first:
        first.until("made", lambda: toys.did("make") == {"Ball": 1})
        first.process.send_signal(signal.SIGINT)
        assert first.ends() == 130
    shops(toys, "second", "Ball")
    with toys.fleet() as second:
        assert second.ends() == 2
    (folder,) = toys.folder.glob("runs/*-toy-????")
    assert "with TOY_SHOP first instead of second. Correct the row, or look what that run has done" in second.err
    assert toys.run("runs", "give-up", folder.name).returncode == 0
    with toys.fleet() as third:
        assert third.ends() == 0, third.err
    assert toys.did("from-second") == {"Ball": 1}


def test_a_row_that_is_corrected_while_its_site_is_queued_counts_as_corrected(toys: Toys) -> None:
    """An interrupted fleet has queued the row as it was."""
    shops(toys, "wrong", "Ball", "Kite", needs="go")
    with toys.fleet("--concurrency", "1") as first:
        first.until("the first made", lambda: len(toys.did("make")) == 1)
        first.process.send_signal(signal.SIGINT)
        assert first.ends() == 130
    (begun,) = toys.did("make")
    (queued,) = {"Ball", "Kite"} - {begun}
    (toys.world / "go").touch()
    text = (toys.folder / "toys.csv").read_text()
    (toys.folder / "toys.csv").write_text(text.replace(f"{queued},wrong", f"{queued},right"))
    with toys.fleet() as second:
        assert second.ends() == 0, second.err
    assert (toys.did("from-wrong"), toys.did("from-right")) == ({begun: 1}, {queued: 1})


@pytest.mark.slow
def test_a_later_start_leaves_what_is_done_and_takes_up_the_rest(toys: Toys) -> None:
    """The exit code is 0 as soon as all are done, and nothing is made a second time."""
    toys.write("Ball", "Boat", "Doll")
    (toys.world / "Boat").write_text('{"fails": 3}')
    (toys.world / "Doll").write_text('{"asks": true}')
    with toys.fleet() as first:
        assert first.ends() == 1
    (toys.world / "Doll").write_text("{}")
    with toys.fleet() as second:
        assert second.ends() == 0
    assert toys.did("make") == {"Ball": 1, "Boat": 1, "Doll": 1}
    assert toys.did("begin") == {"Ball": 1, "Boat": 4, "Doll": 2}
    assert len(list(toys.folder.glob("runs/*-toy-*"))) == 3


@pytest.mark.slow
def test_the_same_file_started_twice_at_once_does_each_site_once(toys: Toys) -> None:
    """The second follows the first's sites and says the same."""
    toys.write("Ball", "Kite", needs="go")
    with toys.fleet() as first, toys.fleet() as second:
        until("both begun", lambda: len(toys.did("make")) == 2)
        (toys.world / "go").touch()
        assert (first.ends(), second.ends()) == (0, 0)
    assert first.out.splitlines()[0] == second.out.splitlines()[0] == "2 done"
    assert toys.did("begin") == {"Ball": 1, "Kite": 1}
    assert toys.did("make") == {"Ball": 1, "Kite": 1}


@pytest.mark.slow
def test_a_second_start_on_the_same_machine_goes_on_when_the_first_is_killed(toys: Toys) -> None:
    """What the first was doing is taken up, its browsers are gone, and nothing is done twice."""
    toys.write("Ball", "Kite", needs="go")
    with toys.fleet() as first:
        first.until("both begun", lambda: len(toys.did("make")) == 2)
        said = toys.folder / "said"
        with said.open("w") as stderr, toys.fleet(stderr=stderr.fileno()) as second:
            second.until("that it follows", lambda: "Ball: running" in said.read_text())
            first.process.send_signal(signal.SIGKILL)
            first.process.wait()
            first.leaves_no_process()
            (toys.world / "go").touch()
            assert second.ends() == 0
    assert toys.did("make") == {"Ball": 1, "Kite": 1}


@pytest.mark.slow
def test_an_interrupted_fleet_puts_back_what_it_was_doing(toys: Toys) -> None:
    """Ctrl-C ends every process; the same command goes on."""
    toys.write("Ball", needs="go")
    with toys.fleet() as first:
        first.until("its beginning", lambda: toys.did("make"))
        first.press_ctrl_c()
        assert first.ends() == 130
        first.leaves_nothing()
    assert toys.states() == {"Ball": "queued"}
    (toys.world / "go").touch()
    with toys.fleet() as second:
        assert second.ends() == 0
    assert toys.did("make") == {"Ball": 1}


@pytest.mark.slow
def test_a_browser_that_hangs_is_ended_and_the_site_fails(tmp_path: Path) -> None:
    """After PHASE_TIMEOUT, each time; no process of it is left."""
    toys = Toys(tmp_path)
    toys.write("Ball", hangs=True)
    with toys.fleet(PHASE_TIMEOUT="3s") as command:
        assert command.ends() == 1
        command.leaves_nothing()
    assert "at work for more than 3 seconds (PHASE_TIMEOUT), and was ended" in command.err


@pytest.mark.slow
def test_an_account_begins_no_more_often_than_it_may(tmp_path: Path) -> None:
    """The third of one account is still queued when all of another account are done."""
    toys = Toys(tmp_path)
    toys.write("Ball", "Kite", "Top")
    toys.write("Doll", "Boat", owner="bob", file="others.csv")
    with toys.fleet("--per-account", "2/hour") as first:
        first.until("two of the first account", lambda: list(toys.states().values()).count("done") == 2)
        with toys.fleet("others.csv", "--per-account", "2/hour") as second:
            assert second.ends() == 0
        assert Counter(toys.states().values()) == {"done": 4, "queued": 1}


@pytest.mark.slow
def test_a_worker_without_a_secret_says_which(toys_on_server: Toys) -> None:
    """The name of the variable has travelled, its value has not."""
    toys = toys_on_server
    toys.write("Ball")
    with toys.command("worker", machine="poor", ANN_PASSWORD="") as poor:
        poor.until("its beginning", lambda: Roster(Ledger(toys.url)).machines())
        with toys.fleet(machine="poor") as command:
            assert command.ends() == 1
    assert "Ball: failed: TOY_PASSWORD: this machine has no environment variable ANN_PASSWORD." in command.err


# -- several machines -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_lost_machine_is_recovered_from_and_not_before(toys_on_server: Toys) -> None:
    """Its sites are taken up by another machine once it has been silent, each done once."""
    toys = toys_on_server
    toys.write("Ball", "Kite", needs="go")
    with toys.command("worker", machine="one") as one:
        one.until("its beginning", lambda: "one" in Roster(Ledger(toys.url)).machines())
        with toys.fleet("--concurrency", "1", machine="two") as two:
            two.until("both begun", lambda: len(toys.did("make")) == 2)
            assert sorted(toys.by("make").values()) == ["one", "two"]
            one.process.send_signal(signal.SIGKILL)
            one.process.wait()
            one.leaves_no_process()
            refused = toys.run("fleet", "recover", "--machine", "one")
            assert (refused.returncode, refused.stdout) == (2, "")
            assert "machine one gave a sign of life" in refused.stderr
            two.until("its silence", lambda: Roster(Ledger(toys.url)).machines()["one"] > SILENT)
            shown = toys.run("fleet", "status").stdout.splitlines()
            assert shown[0].split()[:2] == ["site", "state"]
            assert [line.split()[:2] for line in shown[1:3]] == [["Ball", "running"], ["Kite", "running"]]
            assert "machine one gives no sign of life" in shown[-1]
            recovered = toys.run("fleet", "recover", "--machine", "one")
            assert (recovered.returncode, recovered.stdout) == (0, "1 sites of machine one are queued again\n")
            (toys.world / "go").touch()
            assert two.ends() == 0
    assert toys.did("make") == {"Ball": 1, "Kite": 1}
    assert set(toys.by("look").values()) == {"two"}
    again = toys.run("fleet", "recover", "--machine", "one")
    assert again.returncode == 2
    assert "machine one has nothing to recover" in again.stderr


@pytest.mark.slow
def test_an_interrupted_worker_leaves_its_sites_to_the_others(toys_on_server: Toys) -> None:
    """Nobody has to recover from a machine that took leave."""
    toys = toys_on_server
    toys.write("Ball", "Kite", needs="go")
    with toys.command("worker", machine="one") as one:
        one.until("its beginning", lambda: "one" in Roster(Ledger(toys.url)).machines())
        with toys.fleet("--concurrency", "1", machine="two") as two:
            two.until("both begun", lambda: len(toys.did("make")) == 2)
            one.process.send_signal(signal.SIGTERM)
            assert one.ends() == 130
            one.leaves_nothing()
            assert set(Roster(Ledger(toys.url)).machines()) == {"two"}
            (toys.world / "go").touch()
            assert two.ends() == 0
    assert toys.did("make") == {"Ball": 1, "Kite": 1}


@pytest.mark.slow
def test_a_second_worker_of_the_same_name_is_refused(toys_on_server: Toys) -> None:
    """Both would do the same sites."""
    toys = toys_on_server
    with toys.command("worker", machine="one") as one:
        one.until("its beginning", lambda: Roster(Ledger(toys.url)).machines())
        second = toys.run("worker", machine="one")
    assert second.returncode == 2
    assert "a worker of machine one is at work already" in second.stderr


@pytest.mark.slow
def test_a_fleet_survives_a_restart_of_its_database(server: PostgreSQL, toys_on_server: Toys) -> None:
    """In the middle of a browser's work, and again while the other waits."""
    toys = toys_on_server
    toys.write("Ball", needs="go")
    toys.write("Kite", looks=3, file="kite.csv")
    with toys.fleet() as first:
        first.until("its beginning", lambda: toys.did("make"))
        server.restart()
        (toys.world / "go").touch()
        assert first.ends() == 0
    with toys.fleet("kite.csv") as second:
        second.until("its first look", lambda: toys.did("look")["Kite"])
        server.restart()
        assert second.ends() == 0
    assert toys.did("make") == {"Ball": 1, "Kite": 1}
    assert toys.did("play") == {"Ball": 1, "Kite": 1}


@pytest.mark.slow
def test_a_thousand_sites_that_wait_need_no_browser_and_little_memory(tmp_path: Path) -> None:
    """One process, less than 200 MB."""
    toys = Toys(tmp_path)
    names = [f"Toy-{number}" for number in range(1000)]
    toys.write("Ball", file="ball.csv")
    toys.write(*names)
    wait_all(toys, names)
    with toys.fleet() as command:
        command.until("its work", lambda: Roster(Ledger(toys.url)).machines())
        with toys.fleet("ball.csv") as other:
            assert other.ends() == 0
        until("the end of the other's phase", lambda: len(command.family.look()) == 1)
        status = Path(f"/proc/{command.process.pid}/status").read_text()
    assert int(status.partition("VmHWM:")[2].split()[0]) < 200 * KILOBYTES
    assert Counter(toys.states().values()) == {"waiting": 1000, "done": 1}
    assert toys.did("begin") == {"Ball": 1}


def wait_all(toys: Toys, names: list[str]) -> None:
    """Have these toys wait for an hour, as after their first phase."""
    fleets = fleet.Fleets(Ledger(toys.url))
    for name in names:
        plain = {"TOY_NAME": name, "TOY_OWNER": "ann", "TOY_WORLD": str(toys.world)}
        site = Site("toy", name, name, "ann", plain, {"TOY_PASSWORD": "ANN_PASSWORD"})
        fleets.roster.put(site, "toys")
        fleets.roster.tell(name, 1, state="waiting")
        fleets.queue(site, 1, 1, pause=3600)
    fleets.close()


def test_a_site_whose_workflow_ended_with_an_error_is_taken_up_by_the_next_start(tmp_path: Path) -> None:
    """Nothing would ever happen with it by itself."""
    toys = Toys(tmp_path)
    toys.write("Ball", "Kite")
    wait_all(toys, ["Ball", "Kite"])
    client = DBOSClient(system_database_url=fleet.database(Ledger(toys.url)))
    client.cancel_workflow("Ball #1.1")
    client.set_workflow_delay("Kite #1.1", delay_seconds=0)
    client.destroy()
    with toys.fleet() as command:
        assert command.ends() == 0
    assert toys.did("make") == {"Ball": 1, "Kite": 1}
    assert {name: about["attempt"] for name, about in toys.status().items()} == {"Ball": 2, "Kite": 1}


# -- parts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "looks", "failures", "follows"),
    [
        ("done", 3, 1, ("done", None, 0, 1)),
        ("asks", 0, 0, ("asks", None, 0, 0)),
        ("interrupted", 2, 1, ("queued", 0.0, 2, 1)),
        ("waiting", 0, 0, ("waiting", 15.0, 1, 0)),
        ("busy", 2, 1, ("waiting", 33.75, 3, 1)),
        ("waiting", 40, 0, ("waiting", 600.0, 41, 0)),
        ("failed", 4, 0, ("waiting", 30.0, 0, 1)),
        ("failed", 0, 1, ("waiting", 120.0, 0, 2)),
        ("failed", 0, 2, ("failed", None, 0, 2)),
    ],
)
def test_what_follows_a_phase(state: str, looks: int, failures: int, follows: tuple[Any, ...]) -> None:
    """Pauses grow up to ten minutes; a failure that may pass is tried again twice, in all of a site."""
    assert fleet.what_follows(told(state, may_pass=True), looks, failures) == fleet.Next(*follows)


def test_a_failure_that_will_not_pass_is_not_tried_again() -> None:
    """Wrong settings are as wrong the second time."""
    assert fleet.what_follows(told("failed"), 0, 0) == fleet.Next("failed", None, 0, 0)


def test_a_rate_is_read_or_refused() -> None:
    """As it is written on the command line."""
    assert (fleet.Rate.of("3/min"), fleet.Rate.of("1/s"), fleet.Rate.of("100/hour")) == (
        fleet.Rate(3, 60),
        fleet.Rate(1, 1),
        fleet.Rate(100, 3600),
    )
    for wrong in ("3", "0/min", "3/day", "a/min"):
        with pytest.raises(WrongUsage, match="is no rate, such as 3/min"):
            fleet.Rate.of(wrong)


def test_a_summary_shows_what_pages_say_as_text(tmp_path: Path) -> None:
    """A sentence may hold whatever stood on a page."""
    said = '<script>alert("x")</script>'
    entry = Entry(subject="a", fleet="f", flow="toy", site=said, state="failed", sentence=said)
    write_summary(tmp_path, said, [entry], Ledger.beside(tmp_path))
    page = (tmp_path / "summary.html").read_text()
    # Twice the fleet's name, the site where it is listed and where it is among the failures, the sentence at both.
    assert page.count(str(escape(said))) == 6
    assert "<script" not in page


def test_an_old_sqlite_knows_what_the_engine_asks_of_it() -> None:
    """The engine takes for granted that a new Python has a new SQLite; without it a fleet would end at its first word."""
    with sql.create_engine("sqlite://").connect() as connection:
        connection.execute(sql.text("CREATE TABLE noted (at INTEGER NOT NULL DEFAULT (unixepoch('subsec') * 1000))"))
        connection.execute(sql.text("INSERT INTO noted DEFAULT VALUES"))
        at = connection.execute(sql.text("SELECT at FROM noted")).scalar_one()
    assert at / 1000 == pytest.approx(time.time(), abs=60)


def test_without_the_engine_a_fleet_says_how_to_get_it(tmp_path: Path) -> None:
    """Everything else works without it."""
    program = "import sys; sys.modules['dbos'] = None; from runner import cli; sys.argv[1:] = ['worker']; cli.main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 5
    assert 'fleets need the package "dbos": pip install "guiderunner[fleet]"' in done.stderr


def test_a_fleet_with_a_wrong_file_starts_nothing(tmp_path: Path) -> None:
    """Not even a ledger."""
    toys = Toys(tmp_path)
    (tmp_path / "toys.csv").write_text("TOY_NAME,TOY_PASSWORD\nBall,Heron-Basket\n")
    with toys.fleet() as command:
        assert command.ends() == 2
    assert "line 2: TOY_PASSWORD has to be the name of an environment variable" in command.err
    assert "Heron-Basket" not in command.err
    assert not os.path.lexists(tmp_path / "runs")
