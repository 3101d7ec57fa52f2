"""Where commands print: results on stdout, progress and errors on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from collections.abc import Sequence


def out() -> Console:
    """The console for results."""
    return Console(highlight=False, soft_wrap=True, emoji=False)


def err() -> Console:
    """The console for progress and errors."""
    return Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows, the first of them the columns' names, one below the other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        out().print(escape("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()))
