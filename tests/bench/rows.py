"""The rows of the benchmark: what each is about, how it is measured, and where its figures end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.beginnings import sandbox, start
from tests.bench.fleets import fleet
from tests.bench.on_sandbox import ending, images, overhead
from tests.bench.pictures import comparison

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.measure import Measured
    from tests.bench.processes import Bench


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        title: What it is about.
        method: How it is measured.
        limits: What its figures do not say.
        measure: Measures it.
    """

    title: str
    method: str
    limits: str
    measure: Callable[[Bench], Measured]


ROWS = {
    "overhead": Row(
        "Overhead",
        "The command line migrates the sandbox's site, and so does a bare Playwright script with the same clicks and "
        "the same ten screenshots, each as a process of its own, in turn, on the same running sandbox, which is made "
        "as new each time and answers without delay. The time is that from the start of the process to its end. Ours "
        "includes screenshots, ledger, report and the scan for secrets, and not the preflight, which the script does "
        "not have.",
        "The sandbox answers at once, and the migration itself takes no time: against a real dashboard and a real "
        "migration both wait for minutes, and what we do beside vanishes in that. Real Chromium and real WordPress "
        "share the cores with what is timed, so that what we do beside the flow is not free. A part of what is over the "
        "target is the trace, which is recorded by default (without a film strip), and to which Playwright adds a "
        "snapshot of the page for each look at it: what it costs a script is the third figure's measure. The stand-in's "
        "pages have some eighty elements; a real dashboard's have thousands, among which both look for what they press: "
        "that is the last figure's measure.",
        overhead,
    ),
    "start": Row(
        "Start",
        "The CPU that `guiderunner --help` takes. And the time from the start of the process to the moment at which a "
        "server in the benchmark has sent its first page: of `guiderunner run`, and of a script that only imports "
        "Playwright, launches the browser and goes to the address. Both are ended then.",
        "CPU seconds depend on the machine; the ratio does hardly. What is over the target is Python's import of what "
        "reads the command and its settings: Typer, and the flow itself. What records and performs a run is imported "
        "while the browser starts, and what reports, verifies and notifies when it is needed.",
        start,
    ),
    "images": Row(
        "Images",
        "`guiderunner regenerate` takes the guide's ten images into an empty folder, on the same running sandbox as "
        "the bare script takes its ten raw screenshots. Ours includes guards, covers over secrets, frames around "
        "controls, and making each file small, and not the preflight, which the script does not have. Then ten public pages of the sandbox's WordPress are "
        "taken with the same engine, with a bare Playwright script that does nothing but go there and take the raw "
        "screenshot, with shot-scraper and with Doc Detective, in turn. All drive the same Chromium: "
        "shot-scraper is given its path by a process that hands it to Playwright, as it has no option for that; Doc "
        "Detective by a file where it looks for its own.",
        "Ours looks whether anything is on the page that must not be, covers it, makes each file small without loss, "
        "and writes a report, which the others do not. What the bare script takes is Playwright's own time. "
        "Doc Detective has no setting for the scale, so its pictures have a quarter of the pixels.",
        images,
    ),
    "comparison": Row(
        "Comparison",
        "Two pictures are compared in this process, from the bytes of their files, as `regenerate` does it: the file "
        "that is published, and the page as it was taken. Unpacking the files is included. A page that looks as before "
        "is the same file as last time when it is taken, and the record beside the published images knows its hash: "
        "then nothing is unpacked.",
        "Seconds, so they depend on the machine. Where no record knows the file, as with pictures that tests expect, "
        "unpacking both files is nearly all of the time.",
        comparison,
    ),
    "fleet": Row(
        "Fleet",
        "`guiderunner fleet` migrates four sites of a sandbox of its own, with one and with two browsers at once, in "
        "turn; the time includes its start. The memory of an active site is the most that all processes of one take "
        "at once, of shared memory their part. For sites that wait, a worker of toys looks at a queue of 10, 100 and "
        "1,000: its CPU over 25 looks, and the most memory that its process ever had.",
        "The sandbox, its PHP and all browsers share the cores of one machine. With a real dashboard and a real "
        "existing site elsewhere, a machine has its cores for the browsers alone.",
        fleet,
    ),
    "sandbox": Row(
        "Sandbox",
        "From the start of a fresh Python process to the moment at which the sandbox's dashboard and the front page of "
        "its existing site have been sent, and from there until that of a second existing site has. WordPress is in "
        "the cache.",
        "Seconds, so they depend on the machine. The first start ever fetches WordPress.",
        sandbox,
    ),
    "ending": Row(
        "Report and scan",
        "The command line migrates the sandbox's site with `--trace on --video`, and notes how long writing the "
        "report and scanning the folder for secrets take at its end. The prints of the screenshots were made, and what "
        "writes the report was imported, beside the run. Then the report is written anew from the ledger and the files, as `guiderunner report` does.",
        "Seconds, so they depend on the machine.",
        ending,
    ),
}
"""By the names that the command takes."""
