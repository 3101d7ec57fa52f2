"""The commands `setup` and `doctor`: what a machine must have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from runner.cli.consoles import err, out
from runner.cli.options import BrowserOption, EnvFile
from runner.errors import Missing, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.machine import Need


OnlyBrowser = Annotated[bool, typer.Option("--only-browser", help="Leave out all but the browser.")]


def setup(
    *,
    browser: BrowserOption = "chromium",
    only_browser: OnlyBrowser = False,
    wordpress: Annotated[
        list[str] | None,
        typer.Option(help='Another version for the sandbox too, such as 6.4; again for more, or "all" (170 MB).'),
    ] = None,
    env_file: EnvFile = None,
) -> None:
    """Get what is missing on this machine: a browser, ffmpeg for videos, and for the sandbox PHP and WordPress."""
    console = out()
    if wordpress and only_browser:
        raise WrongUsage("--wordpress is for the sandbox: it does not go with --only-browser")
    more = needs_of_versions(wordpress) if wordpress else []
    for need in [*needs(browser, env_file, only_browser=only_browser), *more]:
        found = need.look()
        if found:
            console.print(f"{escape(need.name)}: {escape(found)}")
            continue
        err().print(f"{escape(need.name)}: getting it")
        try:
            console.print(f"{escape(need.name)}: {escape(need.get())}")
        except Missing as missing:
            if not need.only_for:
                raise
            err().print(f"{escape(need.name)}: {escape(str(missing))} It is only for {need.only_for}.")
            continue
        if need.look() is None:
            raise Missing(f"{need.name} is still missing after the installation. Get it by hand: {need.how}.")


def doctor(*, browser: BrowserOption = "chromium", only_browser: OnlyBrowser = False, env_file: EnvFile = None) -> None:
    """Say what is there and what is missing, and how to get it; changes nothing. Exit code 5 if anything is missing."""
    missing = []
    for need in needs(browser, env_file, only_browser=only_browser):
        found = need.look()
        lacking = f"MISSING, only for {need.only_for}" if need.only_for else "MISSING"
        out().print(f"{escape(need.name)}: {escape(found or lacking)}")
        if found is None and not need.only_for:
            missing.append(f"{need.name} is missing. To get it: {need.how}.")
    if missing:
        raise Missing("\n".join(missing))


def needs(browser: str, env_file: Path | None, *, only_browser: bool) -> list[Need]:
    """What this machine must have.

    Args:
        browser: The browser's name.
        env_file: Where BROWSER_EXECUTABLE may be set.
        only_browser: Leave out all but the browser.
    """
    from runner import machine
    from runner.browser import BrowserSettings
    from runner.settings import environment

    settings = BrowserSettings.load(environment(env_file))
    found = [machine.browser(browser, settings)]
    if browser == "chromium" and not (settings.executable or settings.endpoint):
        found.append(machine.headless_shell())
    if only_browser:
        return found
    try:
        from fixtures import php
        from fixtures.wordpress_versions import LATEST
    except ModuleNotFoundError as error:
        raise Missing(f'the sandbox needs the package "{error.name}": pip install "guiderunner[sandbox]"') from None

    def look_for_php() -> str | None:
        return None if php.missing_php() else php.version()

    return [
        *found,
        machine.video(),
        machine.Need(
            "PHP",
            look_for_php,
            lambda: machine.apt_install(php.DEBIAN_PACKAGES, what="PHP"),
            f'"guiderunner setup" as root, or "apt-get install {" ".join(php.DEBIAN_PACKAGES)}"',
        ),
        need_of_wordpress([LATEST], "WordPress", '"guiderunner setup"'),
    ]


def needs_of_versions(asked: Sequence[str]) -> list[Need]:
    """The versions of WordPress that the sandbox has beside its usual one.

    Args:
        asked: Some of them, or "all"; what cannot be had here may be missing of all.

    Raises:
        WrongUsage: There is no such version.
    """
    try:
        from fixtures.errors import WrongChoice
        from fixtures.wordpress_versions import LATEST, OF_DEBIAN, VERSIONS, check_version
    except ModuleNotFoundError as error:
        raise Missing(f'the sandbox needs the package "{error.name}": pip install "guiderunner[sandbox]"') from None

    try:
        for version in set(asked) - {"all"}:
            check_version(version)
    except WrongChoice as error:
        raise WrongUsage(f'{error} "all" stands for all of them.') from None
    wanted = [version for version in VERSIONS if version in asked or "all" in asked]
    found = []
    # Those of one package are fetched together.
    if together := [version for version in wanted if version not in (LATEST, OF_DEBIAN)]:
        found.append(need_of_wordpress(together, f"WordPress {', '.join(together)}", '"guiderunner setup --wordpress"'))
    if OF_DEBIAN in wanted:
        only_for = "" if OF_DEBIAN in asked else f"--wordpress {OF_DEBIAN}"
        name, how = f"WordPress {OF_DEBIAN}", f'"guiderunner setup --wordpress {OF_DEBIAN}"'
        found.append(need_of_wordpress([OF_DEBIAN], name, how, only_for))
    return found


def need_of_wordpress(versions: Sequence[str], name: str, how: str, only_for: str = "") -> Need:
    """Versions of WordPress as one thing that a machine must have.

    Args:
        versions: Which; they are got together.
        name: What they are called.
        how: How a person gets them.
        only_for: What cannot be done without them; nothing if they must be had.
    """
    from fixtures.errors import Missing as MissingForSandbox
    from fixtures.errors import SandboxError
    from fixtures.wordpress_versions import fetch_cores, find_core
    from runner import machine

    def look() -> str | None:
        try:
            return ", ".join(str(find_core(version).wordpress) for version in versions)
        except MissingForSandbox:
            return None

    def get() -> str:
        try:
            fetch_cores(versions, say=err().print)
        except SandboxError as error:
            raise Missing(str(error)) from None
        return look() or "fetched"

    return machine.Need(name, look, get, how, only_for)
