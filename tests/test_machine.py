"""What a machine has and lacks, tried with programs that only say what they were asked."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from runner import machine
from runner.browser import BrowserSettings, find_browser, find_shell
from runner.cli import machines
from runner.errors import Missing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from playwright.sync_api import Playwright

PACKAGES = ["php-cli", "php-gd"]


def playwright_with(chromium: Path) -> Playwright:
    """A Playwright whose own Chromium would be there, its other browsers nowhere."""
    places = {"chromium": chromium, "firefox": Path("/nowhere"), "webkit": Path("/nowhere")}
    browsers = {name: SimpleNamespace(name=name, executable_path=str(place)) for name, place in places.items()}
    return cast("Playwright", SimpleNamespace(**browsers))


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where Playwright's own Chromium would be."""
    place = tmp_path / "chromium-7/linux/chrome"
    monkeypatch.setattr(machine, "sync_playwright", lambda: nullcontext(playwright_with(place)))
    return place


@pytest.fixture(autouse=True)
def one_playwright(playwright: Playwright, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's Playwright is used again: a process can have only one."""
    monkeypatch.setattr(machine, "sync_playwright", lambda: nullcontext(playwright))


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH, empty; and we are root."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("DEBIAN_FRONTEND", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return folder


@pytest.fixture
def apt_get(programs: Path, tmp_path: Path) -> Callable[[str], Callable[[], list[str]]]:
    """Put an apt-get on PATH that notes its arguments and then does as the test says; returns what reads the notes."""

    def put(then: str) -> Callable[[], list[str]]:
        notes = tmp_path / "notes"
        program = programs / "apt-get"
        program.write_text(f'#!/bin/sh\necho "$DEBIAN_FRONTEND: $*" >>{notes}\n{then}\n')
        program.chmod(0o755)
        return lambda: notes.read_text().splitlines()

    return put


@pytest.fixture
def playwright_says(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], list[Sequence[str]]]:
    """Let Playwright's download end as the test says, and everything else run; returns what was asked of it."""
    really_run = machine._run  # noqa: SLF001 - a download from outside is the one thing that cannot be played on PATH
    asked: list[Sequence[str]] = []

    def let(answer: str | None) -> list[Sequence[str]]:
        def run(command: Sequence[str], environment: dict[str, str] | None = None) -> str | None:
            if "playwright" not in command:
                return really_run(command, environment)
            asked.append(command[1:])
            return answer

        monkeypatch.setattr(machine, "_run", run)
        return asked

    return let


INSTALL = "noninteractive: install -y -q --no-install-recommends php-cli php-gd"
UPDATE = "noninteractive: update -q"


def test_packages_are_installed_without_a_question(apt_get: Callable[[str], Callable[[], list[str]]]) -> None:
    """One call, when the package lists are good."""
    notes = apt_get("exit 0")
    assert machine.apt_install(PACKAGES, what="PHP") == "installed Debian's php-cli, php-gd"
    assert notes() == [INSTALL]


def test_old_package_lists_are_fetched_anew(apt_get: Callable[[str], Callable[[], list[str]]], tmp_path: Path) -> None:
    """The installation fails until the lists were updated."""
    updated = tmp_path / "updated"
    notes = apt_get(f'[ "$1" = update ] && : >{updated}\n[ -e {updated} ]')
    machine.apt_install(PACKAGES, what="PHP")
    assert notes() == [INSTALL, UPDATE, INSTALL]


@pytest.mark.parametrize(
    ("fails", "asked"),
    [("install", [INSTALL, UPDATE, INSTALL]), ("*", [INSTALL, UPDATE])],
    ids=["installation", "all"],
)
def test_an_installation_that_fails_is_told_with_its_last_words(
    apt_get: Callable[[str], Callable[[], list[str]]], fails: str, asked: list[str]
) -> None:
    """What to type by hand, and the end of what apt-get said, on one line."""
    notes = apt_get(f'case "$1" in {fails}) echo "long ago" >&2; echo "E: no\n  $1 today" >&2; exit 100;; esac')
    with pytest.raises(Missing) as caught:
        machine.apt_install(PACKAGES, what="PHP")
    last = "install" if fails == "install" else "update"
    assert str(caught.value) == (
        f'PHP is missing, and "apt-get install php-cli php-gd" failed: long ago E: no {last} today'
    )
    assert caught.value.exit_code == 5
    assert notes() == asked


def test_only_the_last_words_of_a_long_failure_are_told(apt_get: Callable[[str], Callable[[], list[str]]]) -> None:
    """The cause stands at the end of what a program says."""
    apt_get("i=0; while [ $i -lt 500 ]; do echo word$i >&2; i=$((i+1)); done; exit 1")
    with pytest.raises(Missing, match=r"word499$") as caught:
        machine.apt_install(PACKAGES, what="PHP")
    assert len(str(caught.value)) < 400


def test_a_program_that_cannot_be_started_is_a_failure_too(programs: Path) -> None:
    """An apt-get that this machine cannot execute is told, not stumbled over."""
    (programs / "apt-get").write_bytes(b"\x7fELF nonsense")
    (programs / "apt-get").chmod(0o755)
    with pytest.raises(Missing, match="Exec format error"):
        machine.apt_install(PACKAGES, what="PHP")


def test_a_program_that_takes_too_long_is_a_failure(
    apt_get: Callable[[str], Callable[[], list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installation that waits for ever ends with a sentence."""
    monkeypatch.setattr(machine, "DOWNLOAD", 0.2)
    apt_get("exec /bin/sleep 60")
    with pytest.raises(Missing, match=r"failed: it took more than 0\.2 seconds"):
        machine.apt_install(PACKAGES, what="PHP")


def test_without_apt_get_the_system_s_own_means_are_named(programs: Path) -> None:
    """Elsewhere than on Debian or Ubuntu nothing is guessed."""
    assert list(programs.iterdir()) == []
    with pytest.raises(Missing, match="PHP is missing, and there is no apt-get here: install it with the system's own"):
        machine.apt_install(PACKAGES, what="PHP")


def test_who_is_not_root_is_told_what_to_type(
    apt_get: Callable[[str], Callable[[], list[str]]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing is tried that only root may do."""
    apt_get("exit 0")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Missing, match='only root may install it: run "sudo apt-get install php-cli php-gd"'):
        machine.apt_install(PACKAGES, what="PHP")
    assert not (tmp_path / "notes").exists()


def place(program: Path) -> Path:
    """Put a program there."""
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program


def need(name: str = "chromium", **settings: str) -> machine.Need:
    """The need of a browser."""
    return machine.browser(name, BrowserSettings.load(settings))


def test_playwright_s_own_browser_is_preferred(
    playwright_says: Callable[[str | None], list[Sequence[str]]],
    apt_get: Callable[[str], Callable[[], list[str]]],
    tmp_path: Path,
) -> None:
    """Where the download succeeds, the system's packages are left alone."""
    asked = playwright_says(None)
    apt_get("exit 0")
    assert need().get() == "downloaded Playwright's own"
    assert asked == [["-m", "playwright", "install", "chromium"]]
    assert not (tmp_path / "notes").exists()


def test_where_it_cannot_be_downloaded_debian_s_chromium_is_installed(
    playwright_says: Callable[[str | None], list[Sequence[str]]], apt_get: Callable[[str], Callable[[], list[str]]]
) -> None:
    """What was done says why it is not Playwright's own."""
    playwright_says("no way out")
    notes = apt_get("exit 0")
    assert need().get() == "Playwright's own could not be downloaded here; installed Debian's chromium"
    assert notes() == ["noninteractive: install -y -q --no-install-recommends chromium"]


@pytest.mark.parametrize("name", ["firefox", "webkit"])
def test_another_browser_is_playwright_s_or_none(
    playwright_says: Callable[[str | None], list[Sequence[str]]],
    apt_get: Callable[[str], Callable[[], list[str]]],
    tmp_path: Path,
    name: str,
) -> None:
    """Playwright cannot drive a distribution's Firefox or WebKit, so none is installed."""
    playwright_says("no way out")
    apt_get("exit 0")
    with pytest.raises(Missing, match=f"Playwright's {name} could not be downloaded: no way out"):
        need(name).get()
    assert not (tmp_path / "notes").exists()


def test_a_program_that_is_set_and_is_none_is_not_replaced(
    playwright_says: Callable[[str | None], list[Sequence[str]]],
) -> None:
    """The setting is to be corrected: another browser would not be used."""
    asked = playwright_says(None)
    wrong = need(BROWSER_EXECUTABLE="/nowhere/chromium")
    assert wrong.look() is None
    with pytest.raises(Missing, match="BROWSER_EXECUTABLE: /nowhere/chromium is not a program"):
        wrong.get()
    assert asked == []


def test_a_program_that_is_set_is_found(programs: Path) -> None:
    """It comes before Playwright's own."""
    program = place(programs / "browser")
    program.chmod(0o644)
    assert need(BROWSER_EXECUTABLE=str(program)).look() is None
    program.chmod(0o755)
    assert need(BROWSER_EXECUTABLE=str(program)).look() == str(program)


def test_a_browser_to_connect_to_is_needed_nowhere_here() -> None:
    """With BROWSER_ENDPOINT nothing is looked for on this machine."""
    assert need(BROWSER_ENDPOINT="ws://browser.example/").look() == "the one at BROWSER_ENDPOINT ws://browser.example/"


@pytest.mark.usefixtures("own")
def test_a_browser_of_the_system_is_found_for_chromium_only(programs: Path) -> None:
    """Chromium before Chrome; nothing of the system's stands in for a Firefox of Playwright's."""
    assert need().look() is None
    for name in ("google-chrome", "chromium", "firefox"):
        place(programs / name)
    assert need().look() == str(programs / "chromium")
    assert need("firefox").look() is None


def test_a_chromium_without_windows_is_preferred_where_none_are_to_be_shown(programs: Path, own: Path) -> None:
    """Whoever wants windows gets a whole one, or is told that there is none."""
    playwright, settings = playwright_with(own), BrowserSettings.load({})
    shell = place(programs / "chromium-headless-shell")
    assert machine.headless_shell().look() == need().look() == str(shell)
    assert find_browser(playwright, "chromium", settings) == shell
    with pytest.raises(Missing, match='shows no windows, and --headed needs one that does: "playwright install'):
        find_browser(playwright, "chromium", settings, headed=True)
    whole = place(programs / "chromium")
    assert find_browser(playwright, "chromium", settings) == shell
    assert find_browser(playwright, "chromium", settings, headed=True) == whole


def test_playwright_s_own_chromium_without_windows_is_the_first_choice(
    programs: Path, own: Path, tmp_path: Path
) -> None:
    """It lies beside the whole one, with the same revision; Playwright's whole one comes before the system's."""
    playwright, settings = playwright_with(own), BrowserSettings.load({})
    of_the_system = place(programs / "chromium-headless-shell")
    place(tmp_path / "chromium_headless_shell-6/linux/chrome-headless-shell")
    assert find_shell(playwright) == of_the_system
    place(own)
    assert find_shell(playwright) is None
    assert find_browser(playwright, "chromium", settings) == own
    shell = place(tmp_path / "chromium_headless_shell-7/linux/chrome-headless-shell")
    assert find_browser(playwright, "chromium", settings) == shell
    assert find_browser(playwright, "chromium", settings, headed=True) == own
    own.unlink()
    assert find_browser(playwright, "chromium", settings) == shell


def test_it_lies_where_playwright_says(playwright: Playwright, tmp_path: Path) -> None:
    """The folder that Playwright itself would download it to, with Playwright's own whole one in another place."""
    asked = subprocess.run(
        [sys.executable, "-m", "playwright", "install", "--dry-run", "chromium-headless-shell"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (said,) = re.findall(r"Install location: +(\S*chromium_headless_shell-\S+)", asked)
    folder, whole = Path(said), Path(playwright.chromium.executable_path)
    shell = place(tmp_path / folder.name / "chrome-headless-shell-linux64/chrome-headless-shell")
    assert find_shell(playwright_with(tmp_path / whole.relative_to(folder.parent))) == shell


def test_a_chromium_without_windows_is_got_as_the_whole_one_is(
    playwright_says: Callable[[str | None], list[Sequence[str]]], apt_get: Callable[[str], Callable[[], list[str]]]
) -> None:
    """Playwright's own, or Debian's where that cannot be downloaded; it may stay missing."""
    asked = playwright_says(None)
    notes = apt_get("exit 0")
    assert machine.headless_shell().get() == "downloaded Playwright's own"
    assert asked == [["-m", "playwright", "install", "chromium-headless-shell"]]
    playwright_says("no way out")
    done = "Playwright's own could not be downloaded here; installed Debian's chromium-headless-shell"
    assert machine.headless_shell().get() == done
    assert notes() == ["noninteractive: install -y -q --no-install-recommends chromium-headless-shell"]
    assert machine.headless_shell().only_for


@pytest.mark.parametrize(
    ("name", "set_", "listed"),
    [
        ("chromium", {}, ["browser (chromium)", "headless shell (chromium)"]),
        ("firefox", {}, ["browser (firefox)"]),
        ("chromium", {"BROWSER_EXECUTABLE": "/usr/bin/true"}, ["browser (chromium)"]),
        ("chromium", {"BROWSER_ENDPOINT": "ws://browser.example/"}, ["browser (chromium)"]),
    ],
)
def test_a_shell_is_looked_for_where_it_would_be_used(
    monkeypatch: pytest.MonkeyPatch, name: str, set_: dict[str, str], listed: list[str]
) -> None:
    """Not for another browser, nor beside one that is set."""
    for variable in ("BROWSER_EXECUTABLE", "BROWSER_ENDPOINT"):
        monkeypatch.setenv(variable, set_.get(variable, ""))
    assert [each.name for each in machines.needs(name, None, only_browser=True)] == listed


def test_what_only_videos_need_may_stay_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Setting up goes on without it and says what it is needed for; what all runs need ends it."""

    def refused() -> str:
        raise Missing("it cannot be had here.")

    optional = machine.Need("videos", lambda: None, refused, "by hand", only_for="--video")
    needed = machine.Need("PHP", lambda: None, refused, "by hand")
    monkeypatch.setattr(machines, "needs", lambda *_, **__: [optional])
    machines.setup()
    assert "videos: it cannot be had here. It is only for --video." in capsys.readouterr().err
    machines.doctor()
    assert "videos: MISSING, only for --video" in capsys.readouterr().out
    monkeypatch.setattr(machines, "needs", lambda *_, **__: [optional, needed])
    with pytest.raises(Missing, match="it cannot be had here"):
        machines.setup()


def test_all_versions_of_wordpress_are_got_in_as_few_downloads_as_they_take() -> None:
    """Those of one package together; Debian's, which is not to be had everywhere, may be missing of all only."""
    assert [(need.name, need.only_for) for need in machines.needs_of_versions(["all"])] == [
        ("WordPress 6.2, 6.3, 6.4, 6.5, 6.6", ""),
        ("WordPress 6.1", "--wordpress 6.1"),
    ]
    assert [(need.name, need.only_for) for need in machines.needs_of_versions(["6.4", "6.1", "7.1"])] == [
        ("WordPress 6.4", ""),
        ("WordPress 6.1", ""),
    ]
    assert machines.needs_of_versions(["7.1"]) == []
