"""All commands there are, in the order in which `--help` lists them."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from runner.cli.comparing import verify
from runner.cli.fleets import fleet_app, phase, worker
from runner.cli.guides import check, list_flows
from runner.cli.images import regenerate
from runner.cli.machines import doctor, setup
from runner.cli.performing import login, resume, run
from runner.cli.recorded import runs_app
from runner.cli.reporting import report
from runner.cli.sandboxes import faults, sandbox

app = typer.Typer(
    name="guiderunner",
    help="Performs a written guide in a real browser, step by step, and photographs each step.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"max_content_width": 100},
    pretty_exceptions_enable=False,
)


def say_version(asked: bool) -> None:
    """Say which versions these are, for a report of a mistake, and end; nothing if it was not asked."""
    if asked:
        import platform
        from importlib import metadata

        versions = [f"{name} {metadata.version(name)}" for name in ("guiderunner", "playwright")]
        sys.stdout.write(", ".join([*versions, f"Python {platform.python_version()}"]) + "\n")
        raise typer.Exit


@app.callback()
def before_any_command(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=say_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Performs a written guide in a real browser, step by step, and photographs each step."""


# Heavy modules (Playwright, Pillow, the stand-ins) are imported in the commands that use them: `--help` stays quick.
app.command()(run)
app.command()(resume)
app.command()(login)
app.command()(verify)
app.add_typer(runs_app)
app.command()(report)
app.add_typer(fleet_app)
app.command()(worker)
app.command(hidden=True)(phase)
app.command()(sandbox)
app.command()(faults)
app.command("list")(list_flows)
app.command()(check)
app.command()(regenerate)
app.command()(setup)
app.command()(doctor)
