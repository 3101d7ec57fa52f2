"""The commands `list` and `check`: flows, and guides beside them."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape

from runner.cli.consoles import err, out
from runner.cli.options import BrowserOption, EnvFile, Runs
from runner.cli.performing import run
from runner.errors import GuideDiffers, StepFailed, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from runner.drift import Comparison, Difference
    from runner.flow import Flow
    from runner.guide import Guide
    from runner.settings import Settings


def list_flows(
    *,
    env: Annotated[bool, typer.Option("--env", help="Show their settings instead, as a .env file to fill in.")] = False,
) -> None:
    """Show the flows in all their editions: steps, the guide's words and the images."""
    from runner.flow import load_flows
    from runner.settings import example

    for flow in load_flows().values():
        if env:
            sys.stdout.write(example(*all_settings(flow)))
            continue
        for one in flow.editions:
            list_steps(one)


def list_steps(flow: Flow[Any]) -> None:
    """Print the steps of one edition of a flow."""
    console = out()
    console.print(f"[bold]{escape(flow.name)}[/], edition {escape(flow.edition)}")
    for step in flow.steps:
        console.print(f"  {step.number}  {escape(step.title)}")
        if step.says:
            console.print(f"     says  {escape(step.words)}")
        for image in step.screenshots:
            about = "" if image in step.images else " (not in the guide)"
            about += " (in some cases)" if image in step.may_show else ""
            console.print(f"     shows {escape(image)}{about}")


def all_settings(flow: Flow[Any]) -> list[type[Settings]]:
    """The settings of a flow, and those that all flows have in common."""
    from runner.browser import BrowserSettings
    from runner.ledger import LedgerSettings
    from runner.notices import NoticeSettings
    from runner.roster import FleetSettings
    from runner.sign_ins import SignInSettings

    return [flow.settings, BrowserSettings, LedgerSettings, NoticeSettings, SignInSettings, FleetSettings]


def check(
    guides: Annotated[
        list[Path], typer.Argument(metavar="GUIDE", help="The guide's Markdown file, or a folder: the guides in it.")
    ],
    *,
    flow: Annotated[
        str | None, typer.Option("--flow", help="The flow that performs it. Default: the one that fits it best.")
    ] = None,
    edition: Annotated[
        str | None, typer.Option("--edition", help="Its edition. Default: the one that fits the guide best.")
    ] = None,
    images_root: Annotated[
        Path | None, typer.Option(help="The image folder; images that are neither there nor beside the guide differ.")
    ] = None,
    partials: Annotated[
        Path | None, typer.Option(help="Folder of what the guide includes. Default: a folder partials above it.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Count advice too: alt texts, and lists that were not compared.")
    ] = False,
    patch: Annotated[
        bool, typer.Option("--patch", help="Print the patch that makes the guide true instead, for git apply.")
    ] = False,
    form: Annotated[
        Literal["text", "json", "github"],
        typer.Option("--format", help="Lines, JSON, or annotations for GitHub's workflows."),
    ] = "text",
    live: Annotated[
        bool, typer.Option("--live", help="Perform the flow too, and compare the guide's words with the pages.")
    ] = False,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="With --live: perform it on the sandbox.")] = False,
    env_file: EnvFile = None,
    browser: BrowserOption = "chromium",
    runs: Runs = Path("runs"),
) -> None:
    """Compare guides with their flow: steps, bold words, images. Exit code 3 and a line for each difference."""
    from runner.drift import Comparison

    if patch and form != "text":
        raise WrongUsage("--patch is a format of its own: it does not go with --format")
    for option, folder in (("--images-root", images_root), ("--partials", partials)):
        if folder and not folder.is_dir():
            raise WrongUsage(f"{option}: {folder} is not a folder")
    if sandbox and not live:
        raise WrongUsage("--sandbox goes with --live only")
    found = find_guides(guides, flow, edition, partials)
    compared = [Comparison(guide, its, images_root=images_root, strict=strict) for guide, its in found]
    if live:
        if len(found) > 1:
            raise WrongUsage(f"--live performs the flow of one guide: name its file. Here are {len(found)} guides")
        perform = partial(
            run,
            found[0][1].name,
            edition=found[0][1].edition,
            sandbox=sandbox,
            env_file=env_file,
            browser=browser,
            runs=runs,
        )
        compared = [replace(compared[0], on_page=tuple(look_at_pages(*found[0], perform)))]
    if patch:
        print_patch(compared)
    else:
        print_findings(compared, form)


def look_at_pages(guide: Guide, flow: Flow[Any], perform: Callable[[], None]) -> list[Difference]:
    """Perform a guide's flow, and say which of the guide's words the pages do not have.

    Args:
        guide: The guide.
        flow: Its flow.
        perform: Performs it; what it prints goes to stderr.

    Raises:
        StepFailed: A step failed, and not because of the guide's words.
    """
    from runner.drift import differences_on_page

    try:
        with redirect_stdout(sys.stderr):
            perform()
    except StepFailed as failed:
        differences = differences_on_page(guide, flow, failed.failure)
        if not differences:
            raise
        err().print(escape(str(failed)))
        return differences
    return []


def each_once(some: Iterable[Difference]) -> list[Difference]:
    """Without what was found again because it stands in a file that several guides include."""
    return list({str(one): one for one in some}.values())


def counted_differences(some: Sequence[Difference]) -> str:
    """How many there are, in words."""
    return f"{len(some)} difference{'s' * (len(some) != 1)}"


def print_findings(compared: Sequence[Comparison], form: str) -> None:
    """Print in what guides and flows differ.

    Args:
        compared: The guides.
        form: text, json or github.

    Raises:
        GuideDiffers: They do differ.
    """
    findings = each_once(one for comparison in compared for one in comparison.findings)
    differences = each_once(one for comparison in compared for one in comparison.differences)
    if form == "json":
        sys.stdout.write(json.dumps([one.as_json() for one in findings], ensure_ascii=False) + "\n")
    elif form == "github":
        sys.stdout.writelines(f"{one.as_annotation()}\n" for one in findings)
    else:
        for one in findings:
            if one.severity == "advice":
                out().print(f"advice: {escape(str(one))}")
        for comparison in compared:
            if not comparison.differences:
                guide, its = escape(comparison.guide.name), comparison.flow
                which = f"{its.name}, edition {its.edition}," if len(its.editions) > 1 else its.name
                out().print(f"{guide} and {escape(which)} agree: {len(its.steps)} steps.")
    if differences:
        raise GuideDiffers([*map(str, differences)] if form == "text" else [counted_differences(differences)])


def print_patch(compared: Sequence[Comparison]) -> None:
    """Print the patch that makes guides true, and nothing else; on stderr what it leaves.

    Raises:
        GuideDiffers: Guides and flows differ.
    """
    from runner.drift import patched, unified_diff

    differences = each_once(one for comparison in compared for one in comparison.differences)
    left = each_once(one for comparison in compared for one in comparison.left_by_patch())
    sys.stdout.buffer.write(unified_diff(patched(differences)).encode())
    sys.stdout.flush()
    if left:
        corrected = max(0, len(differences) - len(left)) or "none"
        raise GuideDiffers(
            [f"{counted_differences(differences)}; the patch corrects {corrected}, and leaves:", *map(str, left)]
        )
    if differences:
        raise GuideDiffers([f"{counted_differences(differences)}; the patch corrects all"])


def candidates(flow: str | None, edition: str | None) -> list[Flow[Any]]:
    """The editions of flows that a user may mean.

    Args:
        flow: Name of the flow, if the user gives it.
        edition: The edition, if the user gives it.

    Raises:
        WrongUsage: There is no such flow, or no such edition of it.
    """
    from runner.flow import find_flow, load_flows

    flows = [find_flow(flow)] if flow else load_flows().values()
    editions = [one for each in flows for one in each.editions]
    found = [one for one in editions if edition in (None, one.edition)]
    if not found:
        there = ", ".join(f"{one.name} {one.edition}" for one in editions)
        raise WrongUsage(f'--edition: there is no edition "{edition}"; there are: {there}')
    return found


def find_guides(
    paths: Sequence[Path], flow: str | None, edition: str | None, partials: Path | None
) -> list[tuple[Guide, Flow[Any]]]:
    """The guides that a user names, and those in the folders that a user names, each with its flow.

    Args:
        paths: Files and folders.
        flow: Name of the flow, if the user gives it.
        edition: Its edition, if the user gives it; else the one that fits best.
        partials: Folder of what the guides include.
    """
    from runner.guide import closest, flow_of, guides_in, read_guide

    wanted = candidates(flow, edition)
    flows = candidates(None, edition)

    def passed_over(why: str) -> None:
        err().print(f"passed over: {escape(why)}")

    found: list[tuple[Guide, Flow[Any]]] = []
    for path in paths:
        if path.is_dir():
            found += guides_in(path, flows, named=flow, partials=partials, passed_over=passed_over)
        else:
            guide = read_guide(path, partials=partials)
            found.append((guide, closest(guide, wanted) if flow else flow_of(guide, wanted)))
    return list({guide.path.resolve(): (guide, its) for guide, its in found}.values())
