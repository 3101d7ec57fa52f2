"""The commands `sandbox` and `faults`, and the sandbox for those that perform a flow on it."""

from __future__ import annotations

import json
import signal
import sys
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape

from runner.cli.consoles import out
from runner.cli.options import AsJson, FlowOption, LanguageOption, WordPressOption
from runner.errors import GuiderunnerError, Missing, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fixtures.faults import Fault
    from fixtures.sandbox import Sandbox
    from runner.flow import Flow


def sandbox(
    *,
    edition: Annotated[
        str | None, typer.Option(help="Edition of the guide that its dashboard follows. Default: 2024.")
    ] = None,
    wordpress: WordPressOption = None,
    language: LanguageOption = None,
) -> None:
    """Start the sandbox, print its addresses and sign-ins, and keep it until Ctrl-C."""
    console = out()
    with open_sandbox(edition, wordpress, language) as box:
        console.print("The sandbox is running; Ctrl-C stops it. Settings for a run:")
        for name, value in box.settings().items():
            console.print(f"{name}={escape(value)}")
        console.print(f"what was done:   {box.dashboard_url}/audit")
        console.print(f"misbehaviour:    {box.dashboard_url}/behave (GET shows, POST changes, DELETE resets)")
        signal.pause()


def faults(
    name: Annotated[str | None, typer.Argument(help="One of them. Default: all.", show_default=False)] = None,
    *,
    flow: FlowOption = "wordpress-migration",
    as_json: AsJson = False,
    format_: Annotated[Literal["table", "markdown"], typer.Option("--format", help="How they are listed.")] = "table",
) -> None:
    """List what can go wrong outside, and for each what a run says then, what is left behind, if "resume" helps."""
    from fixtures.faults import CATALOGUE, UnknownFault, find
    from runner.flow import editions_of

    try:
        found = [find(name)] if name else list(CATALOGUE.values())
    except UnknownFault as error:
        raise WrongUsage(str(error)) from None
    path = editions_of(flow)[0].look.with_name("faults.json")
    if not path.is_file():
        raise WrongUsage(f"--flow: for {flow} nobody has recorded what can go wrong")
    outcomes: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    rows = [fault_as_row(fault, outcomes[fault.name]) for fault in found]
    if as_json:
        told = [{**asdict(fault), "outcome": outcomes[fault.name]} for fault in found]
        sys.stdout.write(json.dumps(told[0] if name else told, ensure_ascii=False) + "\n")
    elif format_ == "markdown":
        for cells in (list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)):
            sys.stdout.write(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n")
    else:
        for row in rows:
            first, *others = row.items()
            out().print(f"[bold]{escape(first[1])}[/]")
            for title, cell in others:
                out().print(f"  {title.lower() + ':':14}{escape(cell)}")


def fault_as_row(fault: Fault, outcome: dict[str, Any]) -> dict[str, str]:
    """A fault and how a run ends that meets it, as a row's cells by their titles.

    Args:
        fault: The fault.
        outcome: As it was recorded.
    """
    from fixtures.faults import GROUPS

    ends = {"done": "done", "failed": "stops", "asks": "asks"}[outcome["state"]]
    where = "in the preflight" if outcome["step"] == 0 else f"at step {outcome['step']}"
    moment = "" if fault.step is None else f" (at step {fault.step})"
    return {
        "Fault": fault.name,
        "Where": GROUPS[fault.group],
        "What happens": fault.says + moment,
        "The run": ends if outcome["step"] is None else f"{ends} {where}",
        "Exit code": str(outcome["exit_code"]),
        "What it says": outcome["sentence"] or "nothing of it",
        "Left behind": ", ".join(outcome["left"]) or ("nothing" if outcome["exit_code"] else "what the guide makes"),
        "Resume helps": outcome["resume"],
    }


@contextmanager
def open_sandbox(
    edition: str | None = None,
    wordpress: str | None = None,
    language: str | None = None,
    faults: Sequence[Fault] = (),
) -> Iterator[Sandbox]:
    """Start the sandbox, and stop it at the end.

    Args:
        edition: The edition of the guide that its dashboard follows; None for the one that it follows usually.
        wordpress: The version of its WordPress; None for the latest one that it has.
        language: That WordPress's language; None for English.
        faults: What goes wrong with it.

    Raises:
        Missing: Something that it needs is not on this machine.
        WrongUsage: Its dashboard does not know this edition, or it has no such WordPress.
    """
    try:
        from fixtures.errors import Missing as MissingForSandbox
        from fixtures.errors import SandboxError, WrongChoice
        from fixtures.sandbox import Sandbox
        from fixtures.wordpress import SourceOptions
        from fixtures.wordpress_versions import LATEST
        from fixtures.world import WrongBehaviour
    except ModuleNotFoundError as error:
        raise Missing(f'the sandbox needs the package "{error.name}": pip install "guiderunner[sandbox]"') from None
    try:
        source = SourceOptions(wordpress=wordpress or LATEST, language=language or "")
        box = Sandbox(source=source, behaviour={"edition": edition} if edition else None, faults=faults)
    except WrongBehaviour as error:
        raise WrongUsage(f"--edition: {error}") from None
    except WrongChoice as error:
        raise WrongUsage(str(error)) from None
    except MissingForSandbox as error:
        raise Missing(str(error)) from None
    except SandboxError as error:
        raise GuiderunnerError(f"the sandbox did not start: {error}") from None
    with box:
        yield box


def find_faults(names: Sequence[str], flow: Flow[Any], *, sandbox: bool) -> list[Fault]:
    """The faults of these names, each as NAME or NAME@STEP.

    Args:
        names: What was typed.
        flow: The flow whose steps they are to happen at.
        sandbox: It is performed on the sandbox.

    Raises:
        WrongUsage: There is no such fault, it cannot happen at that step, or there is no sandbox.
    """
    if not names:
        return []
    if not sandbox:
        raise WrongUsage("--fault: it is the sandbox that something goes wrong with: add --sandbox")
    from fixtures.faults import UnknownFault, WrongMoment, find

    try:
        faults = [find(name) for name in names]
    except (UnknownFault, WrongMoment) as error:
        raise WrongUsage(f"--fault: {error}") from None
    for fault in faults:
        if fault.step is not None and not 1 <= fault.step <= flow.most_steps:
            raise WrongUsage(f"--fault: {fault.name}@{fault.step}: {flow.name} has steps 1 to {flow.most_steps}")
    return faults


def bringer(box: Sandbox | None, faults: Sequence[Fault]) -> Callable[[int], None]:
    """What brings faults about when a step begins for the first time.

    Args:
        box: The sandbox; None where there is none, and no faults.
        faults: Those that have a step are brought about; the others are there from the start.
    """
    coming = [fault for fault in faults if fault.step is not None]

    def bring(step: int) -> None:
        for fault in [fault for fault in coming if fault.step == step]:
            coming.remove(fault)
            if box:
                box.cause(fault)

    return bring
