"""The command `regenerate`: a guide's images, taken anew."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from runner.cli.consoles import err, out
from runner.cli.guides import candidates, find_guides
from runner.cli.options import AsJson, BrowserOption, EnvFile, Headed, NoPreflight, Runs, Trace
from runner.cli.performing import in_words, kept_sign_ins
from runner.cli.sandboxes import open_sandbox
from runner.errors import ImagesDiffer, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.regenerate import Decision


SANDBOX_CLOCK = datetime(2024, 6, 3, 9, 30)  # noqa: DTZ001 - each browser reads it in its own time zone
"""Where the sandbox's pages are, it is always this time: their images do not change with the day."""


def regenerate(
    guide: Annotated[
        Path | None,
        typer.Argument(
            help="The guide's Markdown file; without it all images of the flow.", show_default=False, dir_okay=False
        ),
    ] = None,
    *,
    flow: Annotated[
        str | None, typer.Option("--flow", help="The flow. Default: the one that fits the guide best.")
    ] = None,
    edition: Annotated[
        str | None,
        typer.Option("--edition", help="Its edition. Default: the one that fits the guide best; on the sandbox 2024."),
    ] = None,
    images_root: Annotated[
        Path | None,
        typer.Option(help="Folder that the guide's images lie below. Default: screenshots/FLOW", show_default=False),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit code 4 if images would change.")] = False,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Take them on the sandbox, with the sandbox's settings; needs no account.")
    ] = False,
    look_file: Annotated[
        Path | None,
        typer.Option(
            "--look", help="TOML file on top of the flow's own that says how images look.", show_default=False
        ),
    ] = None,
    accept_environment: Annotated[
        bool,
        typer.Option("--accept-environment", help="Compare also with images from another browser or other fonts."),
    ] = False,
    color_scheme: Annotated[
        list[str] | None, typer.Option(help="light or dark; again for both.", show_default=False)
    ] = None,
    locale: Annotated[list[str] | None, typer.Option(help="Such as de-DE; again for more.", show_default=False)] = None,
    viewport: Annotated[
        list[str] | None, typer.Option(help="Such as 390x844; again for more.", show_default=False)
    ] = None,
    scale: Annotated[
        list[str] | None, typer.Option(help="Device pixels for each CSS pixel; again for more.", show_default=False)
    ] = None,
    no_preflight: NoPreflight = False,
    again: Annotated[bool, typer.Option("--again", help="Begin although an earlier run for this is done.")] = False,
    env_file: EnvFile = None,
    headed: Headed = False,
    browser: BrowserOption = "chromium",
    trace: Trace = "off",
    runs: Runs = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Take a guide's images anew and replace, all or none, those in which a reader would see a change."""
    from runner.browser import SAME_PIXELS, BrowserSettings, open_browser, open_while_importing
    from runner.look import Look
    from runner.publish import held
    from runner.regenerate import Regeneration, may_show, sittings, wanted_images
    from runner.settings import environment
    from runner.studio import Studio

    if guide is None and edition is None and not sandbox:
        raise WrongUsage("it is not known which edition's images are wanted: name the guide, or --edition")
    read, found = (
        find_guides([guide], flow, edition, None)[0]
        if guide
        else (None, candidates(flow or "wordpress-migration", edition)[0])
    )
    images = wanted_images(found, read)
    look = Look.read(
        found.look,
        *([look_file] if look_file else []),
        images=[image for one in found.editions for step in one.steps for image in step.screenshots],
    )
    if sandbox and look.clock is None:
        look = replace(look, clock=SANDBOX_CLOCK)
    parts = sittings(look, forms(color_scheme, locale, viewport, scale))
    if len(parts) > 1 and not sandbox:
        raise WrongUsage(
            "each --locale and each --scale is a run of its own, and what a flow does it does once: give them one by "
            "one, with settings for another run"
        )
    env = environment(env_file)
    browser_settings = BrowserSettings.load(env)
    settings = None if sandbox else found.settings.load(env)
    signed_in = kept_sign_ins(found, settings, env) if settings else None
    target = images_root or Path("screenshots") / found.name
    with ExitStack() as stack:
        if not check:
            target = stack.enter_context(held(target))
        names = [variant.name(image) for _, variants in parts for variant in variants for image in images]
        may_lack = [variant.name(image) for _, variants in parts for variant in variants for image in may_show(found)]
        regeneration = Regeneration(
            target, names, may_lack=may_lack, accept=accept_environment, check=check, plain=images
        )
        box = stack.enter_context(open_sandbox(found.edition)) if sandbox else None
        browsers = stack.enter_context(
            open_while_importing(
                partial(
                    open_browser,
                    browser_settings,
                    name=browser,
                    headed=headed,
                    switches=SAME_PIXELS.get(browser, ()),
                ),
                *("runner.ledger", "runner.performance", "runner.progress", "runner.review"),
            )
        )
        from runner.ledger import Ledger, LedgerSettings, this_machine
        from runner.performance import Options, perform
        from runner.progress import Progress
        from runner.review import write_review

        progress = stack.enter_context(Progress(err()))
        for number, (part, variants) in enumerate(parts):
            if box and number:
                box.reset()
                box.fresh_source()
            performed = settings or found.settings.load(box.settings() if box else env)
            studio = Studio(part, performed.plain(), variants, developed=regeneration.decide, wanted=images)
            result = perform(
                found,
                performed,
                partial(regeneration.open_browser, browsers, studio, images),
                runs=runs,
                ledger=Ledger.beside(runs, LedgerSettings.load({} if sandbox else env)),
                reporter=progress,
                options=Options(
                    trace=trace,
                    preflight=not no_preflight,
                    again=again,
                    resumable=not sandbox,
                    signed_in=signed_in,
                    studio=studio,
                    machine=this_machine(env),
                    how=in_words(headed=headed),
                ),
                subject="" if sandbox else None,
            )
        progress.stop()
        decisions = regeneration.in_order()
        show(decisions, as_json=as_json)
        # Of several runs the last one's folder holds the review of all.
        for path in write_review(Path(result.folder), found, target, decisions, studio.secrets, check=check):
            err().print(f"review: {escape(str(path))}")
        changed = [each for each in decisions if each.state != "unchanged"]
        if check and changed:
            raise ImagesDiffer(f"{len(changed)} of {len(decisions)} images in {target} would change")
        if not check:
            regeneration.publish()


def forms(
    color_scheme: list[str] | None, locale: list[str] | None, viewport: list[str] | None, scale: list[str] | None
) -> dict[str, list[Any]]:
    """In which forms images are wanted, by the look's names."""
    return {
        "color_scheme": parsed("--color-scheme", color_scheme or [], as_scheme),
        "locale": parsed("--locale", locale or [], as_language),
        "viewport": parsed("--viewport", viewport or [], as_size),
        "scale": parsed("--scale", scale or [], as_scale),
    }


def parsed(option: str, values: list[str], read: Callable[[str], Any]) -> list[Any]:
    """Each value of an option, read.

    Raises:
        WrongUsage: One cannot be; names the option.
    """
    try:
        return [read(value) for value in values]
    except ValueError as error:
        raise WrongUsage(f"{option}: {error}") from None


def as_size(text: str) -> tuple[int, int]:
    """Width and height, as 390x844.

    Raises:
        ValueError: It is not written so.
    """
    from runner.look import size

    numbers = text.split("x")
    if len(numbers) != len(("width", "height")) or not all(number.isdecimal() for number in numbers):
        raise ValueError(f'"{text}" is not a width and a height, such as 390x844')
    return size(list(map(int, numbers)))


def as_language(text: str) -> str:
    """The tag of a language.

    Raises:
        ValueError: It does not look like one.
    """
    from runner.look import language

    return language(text)


def as_scale(text: str) -> float:
    """Device pixels for each CSS pixel.

    Raises:
        ValueError: It is no such number.
    """
    from runner.look import scale_factor

    return scale_factor(float(text) if text.replace(".", "", 1).isdecimal() else text)


def as_scheme(text: str) -> str:
    """A colour scheme.

    Raises:
        ValueError: There is no such one.
    """
    if text not in ("light", "dark"):
        raise ValueError(f'"{text}" is neither light nor dark')
    return text


def show(decisions: Sequence[Decision], *, as_json: bool) -> None:
    """Print what becomes of each image, and why."""
    if as_json:
        sys.stdout.write(json.dumps([each.as_json() for each in decisions], ensure_ascii=False) + "\n")
        return
    for each in decisions:
        out().print(escape(str(each)))
        for line in each.said:
            out().print(f"             {escape(line)}")
