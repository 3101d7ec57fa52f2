"""Fleets on the sandbox: every site is migrated once, also when a machine is lost in the middle.

Both are part of `make chaos` (CHAOS=whole), which does twelve sites on PostgreSQL with two workers, one of
which is killed.
"""

from __future__ import annotations

import signal
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner.ledger import Ledger
from runner.roster import SILENT, Roster
from tests.command_line import Command, guiderunner
from tests.postgresql import PostgreSQL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.sandbox import Sandbox

pytestmark = [pytest.mark.sandbox, pytest.mark.chaos]

LIMIT = 3600
"""Seconds that a fleet may take."""

CONTENTION = ("--concurrency", "2", "--per-account", "2/s")


class Sites:
    """Existing sites of a sandbox, a CSV file with them, and commands that migrate them.

    Args:
        sandbox: The sandbox.
        number: How many sites.
        cwd: Where the file, the runs and the ledger go.
        url: Address of the ledger; nothing for the one in the folder of the runs.
    """

    def __init__(self, sandbox: Sandbox, number: int, cwd: Path, url: str = "") -> None:
        self.sandbox = sandbox
        self.cwd = cwd
        self.names = [f"Larkfield {number + 1}" for number in range(number)]
        self.ledger_url = url or f"sqlite:///{cwd / 'runs' / 'ledger.db'}"
        own = ("SOURCE_SITE_URL", "NEW_SITE_NAME", "WP_ADMIN_USERNAME", "WP_ADMIN_PASSWORD")
        self.variables = {name: value for name, value in sandbox.settings().items() if name not in own}
        if url:
            self.variables["LEDGER_URL"] = url
        rows = []
        for index, name in enumerate(self.names):
            source = sandbox.add_source()
            self.variables[f"WP_PASSWORD_{index}"] = source.admin_password
            rows.append(f"{source.url},{name},{source.admin_user},WP_PASSWORD_{index}\n")
        (cwd / "sites.csv").write_text(f"{','.join(own)}\n{''.join(rows)}")

    @contextmanager
    def command(self, *args: str, machine: str) -> Iterator[Command]:
        """A command on a machine of this name."""
        with (
            tempfile.TemporaryDirectory(prefix="fleet-") as temporary,
            Command(
                *args,
                cwd=self.cwd,
                temporary=Path(temporary),
                variables={**self.variables, "GUIDERUNNER_MACHINE": machine},
            ) as command,
        ):
            yield command

    def states(self) -> dict[str, tuple[str, str]]:
        """State and machine of each site."""
        return {entry.site: (entry.state, entry.machine) for entry in Roster(Ledger(self.ledger_url)).all()}

    def machines(self) -> dict[str, float]:
        """Seconds since each machine's last sign of life."""
        return Roster(Ledger(self.ledger_url)).machines()

    def were_done_once(self) -> None:
        """Assert what matters: each site created, migrated and confirmed once, no token left, no secret on the disk."""
        audit = self.sandbox.audit()
        slugs = sorted(name.lower().replace(" ", "-") for name in self.names)
        assert sorted(site["name"] for site in audit["sites_created"]) == slugs
        assert len(audit["migrations_started"]) == len(audit["migrations_completed"]) == len(slugs)
        assert sorted(audit["confirmed"]) == slugs
        assert [token.name for token in self.sandbox.world.tokens.values() if not token.revoked] == []
        secrets = [value for name, value in self.variables.items() if "PASSWORD" in name]
        stored = [path for path in self.cwd.rglob("*") if path.is_file()]
        assert [path for path in stored if any(secret.encode() in path.read_bytes() for secret in secrets)] == []

    def summary(self) -> str:
        """The page with all sites."""
        (page,) = self.cwd.glob("runs/fleet-sites-*/summary.html")
        return page.read_text()


@pytest.fixture
def sandbox(whole_sandbox: Sandbox) -> Sandbox:
    """A sandbox as new."""
    whole_sandbox.reset()
    return whole_sandbox


@pytest.mark.slow
def test_a_fleet_migrates_each_site_once(sandbox: Sandbox, tmp_path: Path) -> None:
    """On one machine with SQLite; a second start finds all of them done, and does nothing."""
    sites = Sites(sandbox, 2, tmp_path)
    with sites.command("fleet", "sites.csv", *CONTENTION, machine="one") as command:
        assert command.ends(LIMIT) == 0, command.err
        command.leaves_nothing()
    sites.were_done_once()
    assert "<caption>2 done</caption>" in sites.summary()
    again = guiderunner("fleet", "sites.csv", cwd=tmp_path, **sites.variables)
    assert (again.returncode, again.stdout.splitlines()[0]) == (0, "2 done")
    sites.were_done_once()


@pytest.mark.slow
def test_a_fleet_on_two_machines_survives_the_loss_of_one(sandbox: Sandbox, tmp_path: Path) -> None:
    """Twelve sites on PostgreSQL; a worker is killed in the middle and recovered from: all done, each once."""
    with PostgreSQL() as server:
        sites = Sites(sandbox, 12, tmp_path, server.new_database())
        with sites.command("worker", machine="one") as one:
            one.until("its beginning", lambda: "one" in sites.machines())
            with sites.command("fleet", "sites.csv", *CONTENTION, machine="two") as two:
                two.until(
                    "work of both",
                    lambda: (
                        list(sites.states().values()).count(("running", "one")) == 2
                        and "done" in dict(sites.states().values())
                    ),
                )
                one.process.send_signal(signal.SIGKILL)
                one.process.wait()
                one.leaves_no_process()
                two.until("its silence", lambda: sites.machines()["one"] > SILENT)
                recovered = guiderunner("fleet", "recover", "--machine", "one", cwd=tmp_path, **sites.variables)
                assert recovered.returncode == 0, recovered.stderr
                assert two.ends(LIMIT) == 0, two.err
        sites.were_done_once()
        assert "<caption>12 done</caption>" in sites.summary()
