"""Rows that are measured on a running sandbox: a whole run, images, and the end of a run."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import httpx

from fixtures.sandbox import Sandbox
from runner.cli.reporting import report_run
from runner.ledger import Ledger
from tests.bench import doc_detective
from tests.bench.measure import Figure, Measured, in_turn, stopwatch, walls
from tests.bench.processes import GUIDERUNNER, QUICK, as_new, empty_folder, finished

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.bench.measure import Spent
    from tests.bench.processes import Bench

RUN = ["run", "wordpress-migration", "--no-preflight"]
PAGES = 10
CROWD = 150
"""Entries of ten elements each, which make the dashboard's pages as large as a real one's."""


def migrated(bench: Bench, sandbox: Sandbox, *command: str, **behaviour: object) -> Callable[[], Spent]:
    """A subject that migrates the sandbox's site; `FOLDER` in its command becomes an empty folder."""

    def migrate() -> Spent:
        as_new(sandbox, **behaviour)
        with empty_folder() as folder:
            typed = [part.replace("FOLDER", str(folder)) for part in command]
            return finished(typed, folder, bench.variables(sandbox.settings()))

    return migrate


BARE = [sys.executable, "-m", "tests.bench.bare", "FOLDER"]


def overhead(bench: Bench) -> Measured:
    """A whole run against the bare script."""
    bench.say("whole migrations: ours, ours without trace, bare, bare with a trace; ours and bare on large pages")
    with Sandbox(behaviour=QUICK) as sandbox:
        spent = in_turn(
            {
                "run": migrated(bench, sandbox, *GUIDERUNNER, *RUN),
                "no trace": migrated(bench, sandbox, *GUIDERUNNER, *RUN, "--trace", "off"),
                "bare": migrated(bench, sandbox, *BARE),
                "bare, traced": migrated(bench, sandbox, *BARE, "--trace"),
                "run, large": migrated(bench, sandbox, *GUIDERUNNER, *RUN, crowd=CROWD),
                "bare, large": migrated(bench, sandbox, *BARE, crowd=CROWD),
            },
            bench.rounds,
        )
    cpu = {name: min(each.cpu for each in rounds) for name, rounds in spent.items()}
    note = f"CPU, with that of the browser, its driver and the stand-ins: {cpu['run']:.1f} s, bare {cpu['bare']:.1f} s"
    reference = walls(spent["bare"])
    return Measured(
        [
            Figure(
                name="a run against the bare script",
                unit="x",
                values=walls(spent["run"]),
                reference=reference,
                target=1.05,
                limit=1.9,
                note=note,
            ),
            Figure(
                name="the same with --trace off",
                unit="x",
                values=walls(spent["no trace"]),
                reference=reference,
                target=1.05,
                limit=1.6,
                note=f"CPU {cpu['no trace']:.1f} s",
            ),
            Figure(
                name="a run against the bare script with the same trace",
                unit="x",
                values=walls(spent["run"]),
                reference=walls(spent["bare, traced"]),
                target=None,
                limit=1.8,
                note=f"CPU of the bare script with the trace {cpu['bare, traced']:.1f} s",
            ),
            Figure(
                name="a run against the bare script, on pages of 1,500 elements more",
                unit="x",
                values=walls(spent["run, large"]),
                reference=walls(spent["bare, large"]),
                target=None,
                limit=2.5,
                note=f"CPU {cpu['run, large']:.1f} s, bare {cpu['bare, large']:.1f} s",
            ),
        ]
    )


def images(bench: Bench) -> Measured:
    """A guide's images against raw screenshots, and ten pages against other tools."""
    bench.say("the guide's ten images: ours, bare")
    with Sandbox(behaviour=QUICK) as sandbox:
        regenerate = [
            *GUIDERUNNER,
            "regenerate",
            "--edition",
            "2024",
            "--no-preflight",
            "--images-root",
            "FOLDER/images",
        ]
        guide = in_turn(
            {
                "regenerate": migrated(bench, sandbox, *regenerate),
                "bare": migrated(bench, sandbox, *BARE),
            },
            bench.rounds,
        )
        as_new(sandbox)
        urls = public_pages(sandbox)
        subjects = {
            "ours": page_taker(bench, urls, lambda folder: [sys.executable, "-m", "tests.bench.pages", folder, *urls]),
            "the bare script": page_taker(bench, urls, lambda folder: [*BARE[:-1], folder, *urls]),
            "shot-scraper": page_taker(bench, urls, shot_scraper),
        }
        left_out = []
        try:
            theirs = doc_detective.tried(doc_detective.find(bench.browser, bench.say), urls[0])
        except doc_detective.NotHere as reason:
            left_out.append(f"Doc Detective: {reason}")
        else:
            subjects["Doc Detective"] = lambda: theirs.takes(urls)
        bench.say(f"ten pages: {', '.join(subjects)}")
        pages = in_turn(subjects, bench.rounds)
    ours = walls(pages["ours"])
    cpu = {name: min(each.cpu for each in rounds) for name, rounds in pages.items()}
    figures = [
        Figure(
            name="the guide's images against the bare script",
            unit="x",
            values=walls(guide["regenerate"]),
            reference=walls(guide["bare"]),
            target=1.1,
            limit=2.2,
        )
    ]
    others = (("the bare script", None, 0.45), ("shot-scraper", 1.5, 0.55), ("Doc Detective", 8.0, 5.0))
    for name, target, limit in others:
        if name in pages:
            figures.append(
                Figure(
                    name=f"ten pages: times as fast as {name}",
                    unit="x",
                    values=walls(pages[name]),
                    reference=ours,
                    target=target,
                    limit=limit,
                    more=True,
                    note=f"CPU {cpu['ours']:.1f} s, {name} {cpu[name]:.1f} s",
                )
            )
    return Measured(figures, left_out)


def public_pages(sandbox: Sandbox) -> list[str]:
    """Ten pages of the sandbox's existing site that anybody may see."""
    found = [f"{sandbox.source_url}/"]
    for kind in ("pages", "posts"):
        answer = httpx.get(sandbox.source_url, params={"rest_route": f"/wp/v2/{kind}", "per_page": "20"})
        found += [each["link"] for each in answer.raise_for_status().json() if each["link"] not in found]
    return found[:PAGES]


def page_taker(bench: Bench, urls: list[str], command: Callable[..., list[str | Path]]) -> Callable[[], Spent]:
    """A subject that takes these pages; refuses to be timed if it does not."""

    def take() -> Spent:
        with empty_folder() as folder:
            (folder / "shots.yml").write_text(
                "".join(
                    f"- {{url: {url}, output: {at}.png, width: 1280, height: 800}}\n" for at, url in enumerate(urls)
                )
            )
            spent = finished(command(folder), folder, bench.variables({}))
            if (number := sum("runs" not in path.parts for path in folder.rglob("*.png"))) != len(urls):
                raise RuntimeError(f"{number} images of {len(urls)} pages were taken")
        return spent

    return take


def shot_scraper(_: Path) -> list[str | Path]:
    """What has shot-scraper take the pages of `shots.yml`."""
    return [sys.executable, "-m", "tests.bench.shot", "multi", "--retina", "--silent", "shots.yml"]


def ending(bench: Bench) -> Measured:
    """What the end of a run with trace and video takes, and a report that is written anew."""
    bench.say("ends of runs with trace and video")
    ends: list[dict[str, float]] = []
    anew: list[float] = []
    with Sandbox(behaviour=QUICK) as sandbox:
        for _ in range(bench.rounds):
            as_new(sandbox)
            with empty_folder() as folder:
                command = [sys.executable, "-m", "tests.bench.ending", *RUN, "--trace", "on", "--video"]
                finished(command, folder, bench.variables(sandbox.settings()))
                ends.append(json.loads((folder / "times.json").read_text()))
                ledger = Ledger.beside(folder / "runs")
                with stopwatch() as spent:
                    report_run(ledger, ledger.runs()[0].id, None)
                anew.append(spent.wall)
    return Measured(
        [
            Figure(
                name="report and scan at a run's end",
                unit="s",
                values=[each["write_evidence"] + each["scan"] for each in ends],
                target=0.5,
                limit=0.8,
                note=f"the whole end, from the last step on: {min(each['write'] for each in ends):.2f} s",
            ),
            Figure(name="the report written anew", unit="s", values=anew, target=None, limit=6),
        ]
    )
