"""`python -m tests.bench [ROW ...]`: measures, prints a table, and records it in `bench.json`."""

from __future__ import annotations

import argparse
import sys

from rich.console import Console

from tests.bench import record
from tests.bench.measure import ROUNDS
from tests.bench.processes import Bench, TheBrowser
from tests.bench.rows import ROWS


def main() -> int:
    """Measure what is asked for; the exit code, 1 when a figure does not hold its limit."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure how fast guiderunner is.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"all by default: {', '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"fewer than {ROUNDS} only try, and record nothing")
    parser.add_argument("--markdown", action="store_true", help="print what was recorded, and measure nothing")
    asked = parser.parse_args()
    if asked.markdown:
        titles = {name: (row.title, row.method, row.limits) for name, row in ROWS.items()}
        sys.stdout.write(record.markdown(titles, record.FILE))
        return 0
    if unknown := set(asked.rows) - set(ROWS):
        parser.error(f"there is no row {', '.join(sorted(unknown))}; there are: {', '.join(ROWS)}")
    console = Console()
    browser = TheBrowser.find()
    bench = Bench(asked.rounds, browser, lambda words: console.print(f"[dim]{words}[/]", highlight=False))
    broken = []
    for name in asked.rows or ROWS:
        row = ROWS[name].measure(bench)
        console.print(record.table(ROWS[name].title, row))
        for figure in row.figures:
            if figure.note:
                console.print(f"{figure.name}: {figure.note}", highlight=False)
            if figure.holds == "missed":
                broken.append(f"{figure.name}: {record.shown(figure.median, figure.unit)} does not hold its limit")
        for why in row.left_out:
            console.print(f"not measured: {why}", highlight=False)
        # Row by row: what was measured is not lost when a later one fails.
        if asked.rounds >= ROUNDS:
            record.write({name: row}, record.machine(browser), record.FILE)
    for sentence in broken:
        console.print(f"[bold]{sentence}[/]", highlight=False)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
