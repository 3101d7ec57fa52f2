"""The row about fleets: real sites on the sandbox, and toys that wait by the thousand."""

from __future__ import annotations

import io
import os
import signal
import statistics
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from fixtures.sandbox import Sandbox
from runner.fleet import Fleets
from runner.ledger import Ledger
from runner.roster import Roster
from runner.summary import Board
from tests.bench.measure import Figure, Measured, stopwatch
from tests.bench.processes import GUIDERUNNER, QUICK, empty_folder, finished
from tests.runner.test_fleet import Toys, wait_all
from tests.test_fleet import Sites

if TYPE_CHECKING:
    from tests.bench.processes import Bench
    from tests.command_line import Command

SITES = 4
"""In each measurement of real sites: two for each of two workers, so that neither is idle at the end."""

WAITING = (10, 100, 1000)
POLLS = 25
"""Looks at the queue, of which the cost is the mean; the toys' worker takes five in a second."""

PATIENCE = 20
"""Seconds in which a worker has begun, at most."""

BUSY = 0.2
"""Seconds of CPU in one second that are more than looks at the queue."""

TICK = os.sysconf("SC_CLK_TCK")
KB, MB = 1024, 1024**2


def fleet(bench: Bench) -> Measured:
    """Real sites, the memory of one, and sites that wait."""
    return Measured([*real_sites(bench), *waiting_sites(bench)])


def real_sites(bench: Bench) -> list[Figure]:
    """Sites in an hour with one and with two browsers at once, and what a browser at work needs."""
    hourly: dict[int, list[float]] = {1: [], 2: []}
    busy: dict[int, list[float]] = {1: [], 2: []}
    peaks: list[float] = []
    cpu: list[float] = []
    for number in range(bench.rounds):
        for workers, rates in hourly.items():
            bench.say(f"a fleet of {SITES} real sites with {workers} at once, round {number + 1} of {bench.rounds}")
            with Sandbox(behaviour=QUICK) as sandbox, empty_folder() as folder:
                sites = Sites(sandbox, SITES, folder)
                command = [*GUIDERUNNER, "fleet", "sites.csv", "--per-account", "9/s", "--concurrency", str(workers)]
                before = worked()
                spent = finished(command, folder, bench.variables({**sites.variables, "GUIDERUNNER_MACHINE": "one"}))
                after = worked()
                sites.were_done_once()
            rates.append(SITES * 3600 / spent.wall)
            busy[workers].append((after[0] - before[0]) / (after[1] - before[1]))
            cpu.append(spent.cpu / SITES)
        peaks.append(memory_of_one(bench))
    cores = os.cpu_count() or 1
    shown = ", ".join(f"{100 * statistics.median(each):.0f} % with {at}" for at, each in busy.items())
    note = (
        f"a site costs {statistics.median(cpu):.1f} s of CPU without WordPress's PHP; of the {cores} cores there was "
        f"busy: {shown}"
    )
    return [
        Figure(name="sites in an hour, one at once", unit="/h", values=hourly[1], target=None, limit=None, more=True),
        Figure(name="sites in an hour, two at once", unit="/h", values=hourly[2], target=None, limit=None, more=True),
        Figure(
            name="two at once against one",
            unit="x",
            values=hourly[2],
            reference=hourly[1],
            target=1.7,
            limit=1.1,
            more=True,
            note=note,
        ),
        Figure(name="memory of an active site", unit="MB", values=peaks, target=None, limit=2000),
    ]


def worked() -> tuple[float, float]:
    """Seconds that all cores have worked since the machine was started, and seconds that they could have."""
    ticks = [int(part) for part in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / TICK, sum(ticks) / TICK


def memory_of_one(bench: Bench) -> float:
    """Megabytes that the processes of one site need at once, at most: its phase, Playwright's driver, Chromium."""
    bench.say("the memory of an active site")
    with Sandbox(behaviour=QUICK) as sandbox, empty_folder() as folder:
        sites = Sites(sandbox, 1, folder)
        sites.variables |= bench.variables({})
        with sites.command("fleet", "sites.csv", "--concurrency", "1", machine="one") as command:
            peak = 0.0
            while command.process.poll() is None:
                numbers = {number for number, _ in command.family.look()} - {command.process.pid}
                peak = max(peak, sum(map(memory, numbers)))
                time.sleep(0.25)  # between two looks
            code = command.ends()
        if code:
            raise RuntimeError(f"the fleet ended with exit code {code}: {command.err[-500:]}")
        return peak / MB


def memory(number: int) -> float:
    """Bytes that a process takes, of shared ones its part; 0 when it has just ended."""
    try:
        told = Path(f"/proc/{number}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return int(told.partition("\nPss:")[2].split()[0]) * KB


def waiting_sites(bench: Bench) -> list[Figure]:
    """Memory for each site that waits, and what a look at the queue costs."""
    peaks: dict[int, list[float]] = {number: [] for number in WAITING}
    costs: dict[int, list[float]] = {number: [] for number in WAITING}
    with ExitStack() as stack:
        toys = {}
        for number in WAITING:
            bench.say(f"{number} sites that wait")
            toys[number] = Toys(stack.enter_context(empty_folder()))
            wait_all(toys[number], [f"Toy-{at}" for at in range(number)])
        for at in range(bench.rounds):
            bench.say(f"looks at the queue, round {at + 1} of {bench.rounds}")
            for number, world in toys.items():
                with world.command("worker") as command:
                    ledger = Ledger(world.url)
                    command.until("its beginning", lambda ledger=ledger: Roster(ledger).machines())  # type: ignore[misc]
                    costs[number].append(cost_of_a_poll(command))
                    peaks[number].append(peak_of(command.process.pid))
                    command.process.send_signal(signal.SIGTERM)
                    command.ends()
        bench.say("looks of the command that shows them")
        looks = [cost_of_showing(toys[WAITING[-1]]) for _ in range(bench.rounds)]
    few, many = WAITING[0], WAITING[-1]
    each = [(large - small) / (many - few) / KB for large, small in zip(peaks[many], peaks[few], strict=True)]
    shown = ", ".join(f"{number}: {1000 * statistics.median(cost):.2f} ms" for number, cost in costs.items())
    return [
        Figure(name="memory of a waiting site", unit="KB", values=each, target=50, limit=80),
        Figure(
            name=f"a look at the queue with {many} waiting sites, against {few}",
            unit="x",
            values=costs[many],
            reference=costs[few],
            target=1.25,
            limit=3,
            note=f"CPU of a worker's look, heartbeat included, with {shown}",
        ),
        Figure(name=f"a look of the command that shows {many} sites", unit="s", values=looks, target=None, limit=0.5),
    ]


def cost_of_showing(toys: Toys) -> float:
    """Seconds of CPU that `guiderunner fleet` takes for a look at all of its sites, of which nothing is new."""
    ledger = Ledger(toys.url)
    fleets = Fleets(ledger)
    try:
        subjects = [entry.subject for entry in fleets.roster.all()]
        with Board(Console(file=io.StringIO()), ledger, fleets.roster) as board:
            board.show(fleets.roster.find(subjects))
            with stopwatch() as spent:
                fleets.fail_broken()
                board.show(fleets.roster.find(subjects))
    finally:
        fleets.close()
    return spent.cpu


def cost_of_a_poll(command: Command) -> float:
    """Seconds of CPU that the worker's process takes for a look at its queue."""
    settled = cpu_of(command.process.pid)
    # Its beginning is over when it takes no more than a look now and then.
    for _ in range(PATIENCE):
        time.sleep(1)
        before, settled = settled, cpu_of(command.process.pid)
        if settled - before < BUSY:
            break
    before = cpu_of(command.process.pid)
    time.sleep(POLLS / 5)  # what is measured is what it does meanwhile
    return (cpu_of(command.process.pid) - before) / POLLS


def cpu_of(number: int) -> float:
    """Seconds of CPU that a process has taken."""
    parts = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / TICK


def peak_of(number: int) -> float:
    """Bytes that a process has taken at most."""
    return int(Path(f"/proc/{number}/status").read_text().partition("VmHWM:")[2].split()[0]) * KB
