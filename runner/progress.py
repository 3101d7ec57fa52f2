"""Shows a run while it goes on: a live line on a terminal, a plain log elsewhere."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.text import Text

from runner.run import Reporter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.console import Console, RenderableType

    from runner.flow import Flow, Step
    from runner.run import Run


class Progress(Reporter):
    """Says each step, what it waits for, and how long it took.

    Args:
        console: Where to.
        at_step: Called with a step's number as it begins.
    """

    def __init__(self, console: Console, at_step: Callable[[int], None] = lambda _: None) -> None:
        self._console = console
        self._at_step = at_step
        self._began = time.monotonic()
        self._line = Text()
        self._live: Live | None = None
        self.folder: Path | None = None
        """Where the run leaves its evidence, once it has begun."""

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(get_renderable=self._render, console=self._console, refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the live line, so that what is printed next stands alone."""
        if self._live:
            with suppress(OSError):  # the terminal may have been closed
                self._live.stop()

    def _render(self) -> RenderableType:
        elapsed = f" {time.monotonic() - self._began:4.0f} s"
        return Spinner("dots", text=Text.assemble(self._line, (elapsed, "dim"))) if self._line else Text()

    def _print(self, text: str) -> None:
        if not self._live:
            text = f"[dim]{time.monotonic() - self._began:6.1f} s[/]  {text}"
        self._console.print(text, highlight=False, soft_wrap=True)

    def run_started(self, run: Run[Any], flow: Flow[Any]) -> None:
        """Say which run it is."""
        self._began = time.monotonic()
        self.folder = run.folder
        edition = f"edition {flow.edition}" if flow.edition else "the edition that it turns out to be"
        self._print(f"[bold]{escape(flow.name)}[/], {edition}, run {escape(run.id)}")

    def step_started(self, step: Step[Any]) -> None:
        """Say what the step does."""
        self._at_step(step.number)
        self._line = Text(f"{step.name.lower()}  {step.title}")
        if not self._live:
            self._print(f"{step.name.lower()}  {escape(step.title)}")

    def said(self, words: str) -> None:
        """Show what the step waits for or met."""
        if self._live:
            head = self._line.plain.partition(" · ")[0]
            self._line = Text(f"{head} · {words}")
        else:
            self._print(f"        {escape(words)}")

    def step_done(self, step: Step[Any], seconds: float) -> None:
        """Say how long the step took."""
        if self._live:
            self._print(f"[green]✓[/] {step.name.lower()}  {escape(step.title)} [dim]{seconds:.1f} s[/]")

    def step_again(self, step: Step[Any], sentence: str) -> None:
        """Say why an earlier step is performed again."""
        self._print(f"[yellow]again[/]  step {step.number}: {escape(sentence)}")

    def step_found_done(self, step: Step[Any]) -> None:
        """Say that an interrupted step had been done after all."""
        self._print(f"[green]✓[/] {step.name.lower()}  {escape(step.title)} [dim]was done already[/]")

    def run_waits(self, seconds: float) -> None:
        """Say when the next look is."""
        at = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%H:%M:%S")
        self.said(f"waiting without a browser; the next look is at {at} UTC")
