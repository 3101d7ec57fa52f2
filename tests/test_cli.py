"""The command line, as its users meet it: real processes, what they print, their exit codes, what they leave behind."""

from __future__ import annotations

import errno
import json
import os
import pty
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest

from flows.wordpress_migration.flow import EDITIONS, FLOW
from runner.cli import guides
from runner.cli.performing import tell_all
from runner.errors import Failure, GuideDiffers, StepFailed
from runner.flow import Flow
from runner.notices import NoticeSettings
from runner.run import Run
from runner.settings import Settings
from tests.command_line import LIMIT, PROGRAM, Command, environment, guiderunner, told_here
from tests.runner.test_comparison import Runs, asked
from tests.runner.test_comparison import step as recorded
from tests.runner.test_notices import webhook
from tests.runs import new_run

if TYPE_CHECKING:
    from collections.abc import Iterator


SETTINGS = {
    "PANTHEON_DASHBOARD_URL": "http://127.0.0.1:1",
    "PANTHEON_EMAIL": "rowan@example.com",
    "PANTHEON_PASSWORD": "Heron-Basket-17-Quarry",
    "SOURCE_SITE_URL": "https://www.example.com",
    "WP_ADMIN_USERNAME": "admin",
    "WP_ADMIN_PASSWORD": "Saddle-Orchid-44-Tunnel",
    "NEW_SITE_NAME": "Example",
}
RUN = ("run", FLOW.name)
PUBLISHED = str(Path(__file__).parents[1] / "screenshots" / FLOW.name)
ON_SANDBOX = (*RUN, "--sandbox")
AT_ONCE = (*ON_SANDBOX, "--no-preflight")
ESCAPE = "\x1b"


@pytest.fixture
def temporary() -> Iterator[Path]:
    """An empty TMPDIR, its path short enough for the sockets of a browser."""
    with tempfile.TemporaryDirectory(prefix="cli-") as directory:
        yield Path(directory)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where nothing answers, and where nothing else can begin to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


# -- wrong usage and settings ---------------------------------------------------------------------------------------


def test_help_lists_all_commands(tmp_path: Path) -> None:
    """Whoever types --help finds every command, and so does whoever types nothing (which is wrong usage)."""
    shown, nothing = guiderunner("--help", cwd=tmp_path), guiderunner(cwd=tmp_path)
    assert (shown.returncode, nothing.returncode) == (0, 2)
    listed = re.findall(r"^  (\w+) {2,}\S", shown.stdout.partition("Commands:")[2], re.MULTILINE)
    assert listed == [
        *(
            "run",
            "resume",
            "login",
            "verify",
            "report",
            "worker",
            "sandbox",
            "faults",
            "list",
            "check",
            "regenerate",
            "setup",
            "doctor",
            "runs",
            "fleet",
        )
    ]
    assert "Commands:" in nothing.stdout + nothing.stderr


def test_version_says_what_a_report_of_a_mistake_needs(tmp_path: Path) -> None:
    """The versions that are installed, in one line."""
    shown = guiderunner("--version", cwd=tmp_path)
    own, playwright = metadata.version("guiderunner"), metadata.version("playwright")
    python = ".".join(map(str, sys.version_info[:3]))
    assert (shown.returncode, shown.stdout) == (0, f"guiderunner {own}, playwright {playwright}, Python {python}\n")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("perform",), "No such command 'perform'"),
        (RUN[:1], "Missing argument"),
        ((*RUN, "--colour"), "No such option: --colour"),
        ((*RUN, "--browser", "lynx"), "'lynx' is not one of 'chromium', 'firefox', 'webkit'"),
        ((*RUN, "--until", "0"), "Invalid value for '--until'"),
        ((*RUN, "--until", "99"), "--until: there is no step 99; wordpress-migration has steps 1 to 9"),
        (("run", "wordpress-migraine"), 'there is no flow "wordpress-migraine"; there is: wordpress-migration'),
        (
            (*RUN, "--dry-run", "--until", "3"),
            "--dry-run is the preflight: it goes with none of --until, --no-wait, --verify, --no-preflight",
        ),
        ((*RUN, "--wordpress", "6.4"), "--wordpress is about the sandbox: it goes with --sandbox only"),
        ((*RUN, "--language", "ar"), "--language is about the sandbox: it goes with --sandbox only"),
        ((*RUN, "--sandbox", "--wordpress", "5.9"), "The sandbox has no WordPress 5.9: it has 6.1, 6.2"),
        (
            ("setup", "--wordpress", "5.9"),
            'The sandbox has no WordPress 5.9: it has 6.1, 6.2, 6.3, 6.4, 6.5, 6.6, 7.1. "all"',
        ),
        (("setup", "--only-browser", "--wordpress", "all"), "--wordpress is for the sandbox: it does not go with"),
        ((*RUN, "--edition", "2023"), '--edition: wordpress-migration has no edition "2023"; there are: 2024, 2025'),
        ((*RUN, "--fault", "maintenance"), "--fault: it is the sandbox that something goes wrong with: add --sandbox"),
        ((*ON_SANDBOX, "--fault", "outrage"), '--fault: there is no fault "outrage"; the closest are: outage'),
        ((*ON_SANDBOX, "--fault", "outage@x"), '--fault: "outage@x": after @ comes the number of a step, such as'),
        ((*ON_SANDBOX, "--fault", "outage@12"), "--fault: outage@12: wordpress-migration has steps 1 to 9"),
        (
            (*ON_SANDBOX, "--fault", "maintenance@3"),
            "--fault: the fault maintenance is one of the existing site, which is so from the start: name it without",
        ),
        (("faults", "outrage"), 'there is no fault "outrage"; the closest are: outage'),
        (("runs",), "there are no runs in runs: begin one, or name their folder with --runs"),
        (("runs", "show", "a1b2"), "there are no runs in runs"),
        (("report", "a1b2"), "there are no runs in runs"),
        (("resume", "a1b2"), "there are no runs in runs"),
        (("report",), "name a run, or --fleet NAME, or --schema"),
        (("report", "a1b2", "--fleet", "sites"), "name a run, or --fleet NAME, or --schema"),
        (("report", "--schema", "--open"), "--schema goes with neither --open nor --junit"),
        (("check", "."), ". has no guide of wordpress-migration: no Markdown file in it has the steps of one"),
        (("check", ".", "--images-root", "nowhere"), "--images-root: nowhere is not a folder"),
        (("check", ".", "--partials", "nowhere"), "--partials: nowhere is not a folder"),
        (("check", ".", "--patch", "--format", "json"), "--patch is a format of its own"),
        (("check", ".", "--sandbox"), "--sandbox goes with --live only"),
        (("check", "no-such-guide.md"), "no-such-guide.md cannot be read: No such file or directory"),
        (("regenerate", "--sandbox", "--color-scheme", "blue"), '--color-scheme: "blue" is neither light nor dark'),
        (("regenerate", "--sandbox", "--viewport", "wide"), '--viewport: "wide" is not a width and a height, such as'),
        (
            ("regenerate", "--sandbox", "--viewport", "390"),
            '--viewport: "390" is not a width and a height, such as 390x844',
        ),
        (("regenerate", "--sandbox", "--viewport", "390x0"), "--viewport: a number in it is not from 1 to 5000"),
        (
            ("regenerate", "--sandbox", "--locale", "de_DE"),
            '--locale: "de_DE" is not the tag of a language, such as de',
        ),
        (("regenerate", "--sandbox", "--scale", "9"), "--scale: it is not a number from 1 to 4"),
        (
            ("regenerate", "--edition", "2024", "--locale", "en-US", "--locale", "de-DE"),
            "each --locale and each --scale is a run of its own",
        ),
        (("regenerate", "--sandbox", "--look", "mine.toml"), "mine.toml cannot be read: No such file or directory"),
        (("regenerate",), "it is not known which edition's images are wanted: name the guide, or --edition"),
        (
            ("regenerate", "--edition", "1999"),
            '--edition: there is no edition "1999"; there are: wordpress-migration 2024',
        ),
        (("regenerate", "guide.md"), "guide.md cannot be read: No such file or directory"),
        (
            ("regenerate", "--sandbox", "--check", "--images-root", "sources/images"),
            "--check: there is nothing to compare with, as none of the 10 images is below sources/images. Name their",
        ),
        (
            ("regenerate", "--sandbox", "--check", "--images-root", PUBLISHED, "--locale", "zh-Hant-TW"),
            "has been taken in this form yet, such as dashboard/new-dashboard/2024/migrate-site-button.zh-hant-tw.png. Leave",
        ),
        ((*RUN, "--env-file", "other.env"), 'other.env is not there. "guiderunner list --env > other'),
    ],
)
def test_wrong_usage_is_said_and_ends_with_2(tmp_path: Path, args: tuple[str, ...], said: str) -> None:
    """Nothing is started or written for a command that cannot be understood."""
    done = told_here(*args, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_look_of_an_image_that_the_flow_does_not_take_is_refused(tmp_path: Path) -> None:
    """Before anything is started: what it says would never be seen."""
    (tmp_path / "mine.toml").write_text('[images."migrate-site-cms.pgn"]\nmark = "none"')
    done = told_here("regenerate", "--sandbox", "--look", "mine.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert 'mine.toml: images."migrate-site-cms.pgn": there is no such image; the closest is' in done.stderr


@pytest.mark.parametrize("args", [("runs",), ("runs", "show", "a1b2"), ("fleet", "status"), ("resume", "a1b2")])
def test_a_mistyped_address_of_a_ledger_is_not_a_new_ledger(tmp_path: Path, args: tuple[str, ...]) -> None:
    """What only looks, or takes up what is there, makes no file: an empty ledger would say that there are no runs."""
    done = told_here(*args, cwd=tmp_path, LEDGER_URL=f"sqlite:///{tmp_path / 'legder.db'}")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "WrongUsage: LEDGER_URL: there is no such file: correct it, or begin a run\n"
    assert list(tmp_path.iterdir()) == []


def test_a_flow_of_ones_own_is_not_asked_for_what_it_does_not_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing to verify, no place to log in to, no faults: all of it is said at once, and nothing is performed first."""
    toy: Flow[Any] = Flow("toy", edition="1", run=Run, settings=Settings)

    @toy.step(1)
    def open_toy(_: Run[Settings]) -> None:
        """Open the toy."""
        pytest.fail("it was performed")

    monkeypatch.setattr("runner.flow.load_flows", lambda: {"toy": toy})
    for args, sentence in (
        (("run", "toy", "--verify"), "--verify: toy has nothing to verify"),
        (("login", "dashboard", "--flow", "toy"), 'there is no "dashboard" to log in to; there are: none'),
        (("faults", "--flow", "toy"), "--flow: for toy nobody has recorded what can go wrong"),
    ):
        said = told_here(*args, cwd=tmp_path)
        assert (said.returncode, said.stdout, said.stderr) == (2, "", f"WrongUsage: {sentence}\n")


def test_all_missing_settings_are_named_at_once(tmp_path: Path) -> None:
    """One message is enough to fill in a .env file."""
    done = guiderunner(*RUN, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    names = [about.name for _, about in FLOW.settings.about() if about.required]
    assert names == [name for name in SETTINGS if name != "PANTHEON_DASHBOARD_URL"]
    assert done.stderr == (
        f"WrongSettings: missing: {', '.join(names)}. Set them in the environment or in .env; "
        '"guiderunner list --env" shows all of them.\n'
    )
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_names_settings_that_the_run_itself_would_refuse(tmp_path: Path) -> None:
    """It is there to find them; nobody is told of it, so those of notices would be passed over."""
    said = told_here(*RUN, "--dry-run", cwd=tmp_path, **SETTINGS, NOTIFY_EMAIL="me@example.com")
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith("WrongSettings: missing: SMTP_HOST.")


def test_the_environment_comes_before_the_file_and_the_file_fills_the_rest(tmp_path: Path) -> None:
    """What .env holds is not missing; what the environment says instead counts."""
    (tmp_path / ".env").write_text("PANTHEON_EMAIL=rowan@example.com\nSOURCE_SITE_URL=https://www.example.com\n")
    done = told_here(*RUN, cwd=tmp_path, SOURCE_SITE_URL="ftp://example.com")
    assert done.returncode == 2
    assert 'SOURCE_SITE_URL: "ftp://example.com" is not a web address' in done.stderr
    missing = done.stderr.partition("missing: ")[2]
    assert "PANTHEON_PASSWORD" in missing
    assert "PANTHEON_EMAIL" not in missing


def test_malformed_settings_are_named_with_the_missing_ones_and_without_a_secret(tmp_path: Path) -> None:
    """Each value that cannot be used has its sentence; a secret's value is in none of them."""
    wrong = {"MIGRATION_TIMEOUT": "soon", "SOURCE_BASIC_AUTH": "no-colon-here", "NEW_SITE_NAME": ""}
    done = told_here(*RUN, cwd=tmp_path, **SETTINGS | wrong)
    assert (done.returncode, done.stdout) == (2, "")
    assert 'MIGRATION_TIMEOUT: "soon" is not a duration, such as 90, 30s, 15m or 6h.' in done.stderr
    assert "SOURCE_BASIC_AUTH: it is not written user:password." in done.stderr
    assert "missing: NEW_SITE_NAME." in done.stderr
    assert "no-colon-here" not in done.stderr


# -- list and check -------------------------------------------------------------------------------------------------


def test_list_shows_every_step_with_its_words_and_images(tmp_path: Path) -> None:
    """Each edition, numbers, the guide's bold words and each image, in the flow's order."""
    done = guiderunner("list", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"^\S.*", done.stdout, re.MULTILINE) == [f"{one.name}, edition {one.edition}" for one in EDITIONS]
    steps = [step for one in EDITIONS for step in one.steps]
    assert re.findall(r"^  (\d)  ", done.stdout, re.MULTILINE) == [str(step.number) for step in steps]
    assert re.findall(r"says  (.+)", done.stdout) == [step.words for step in steps if step.says]
    assert re.findall(r"shows (\S+)", done.stdout) == [name for step in steps for name in step.screenshots]
    assert "migrate-site-confirm.png (not in the guide)" in done.stdout
    assert "confirm-workspace-prompt.png (in some cases)" in done.stdout


def guide(flow: Flow[Any] = FLOW) -> str:
    """A guide that the flow performs: front matter, a heading, its steps with their bold words and images."""
    lines = ["---", "title: Migrate", "---", "", "# Migrate", ""]
    for step in flow.steps:
        says = ", then ".join(f"**{words}**" for words in step.says) or "the plugin"
        lines += [f"{step.number}. Take care of {says}.", ""]
        lines += [line for image in step.images for line in (f"   ![{image}](../../../images/{image})", "")]
    return "\n".join(lines)


def line_of(text: str) -> int:
    """The guide's line where a text stands."""
    return next(number for number, line in enumerate(guide().splitlines(), 1) if text in line)


@pytest.mark.parametrize("flow", EDITIONS, ids=lambda flow: flow.edition)
def test_a_guide_that_the_flow_performs_is_agreed_to(tmp_path: Path, flow: Flow[Any]) -> None:
    """Edition and number of steps are said, so that a guide that was read wrongly is noticed."""
    (tmp_path / "guide.md").write_text(guide(flow))
    done = told_here("check", "guide.md", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    steps = len(flow.steps)
    assert done.stdout == f"guide.md and wordpress-migration, edition {flow.edition}, agree: {steps} steps.\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "**Create Site**",
            "**Make Site**",
            [f'guide.md:{line_of("Create Site")} step 3 says "Make Site", the flow says "Create Site"'],
        ),
        (
            "migrate-site-wp-install.png)",
            "wp-install.png)",
            [
                f'guide.md:{line_of("wp-install.png")} step 5 shows "wp-install.png", the flow shows "migrate-site-wp-in',
            ],
        ),
        (
            "9. Take care of **Confirm migration progress**.",
            "",
            [f'guide.md:{line_of("8. ")} step 9: the flow goes on with "Confirm migration progress"'],
        ),
        (
            "**WordPress**, then **Continue**",
            "**Continue**, then **WordPress**",
            [f'guide.md:{line_of("Continue")} step 2 says "Continue", "WordPress" in another order than the flow'],
        ),
    ],
    ids=["word", "image", "step", "order"],
)
def test_a_changed_guide_is_told_by_line_and_step(tmp_path: Path, old: str, new: str, said: list[str]) -> None:
    """One line for each difference on stderr, exit code 3."""
    changed = guide().replace(old, new)
    assert changed != guide()
    (tmp_path / "guide.md").write_text(changed)
    done = told_here("check", "guide.md", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    lines = done.stderr.removeprefix("GuideDiffers: ").splitlines()
    assert len(lines) == len(said)
    assert all(line.startswith(expected) for line, expected in zip(lines, said, strict=True))


def a_tree(folder: Path) -> None:
    """Two guides that differ, of which one has an image without an alt text, and one that agrees."""
    (folder / "docs").mkdir()
    (folder / "docs" / "a.md").write_text(guide())
    (folder / "docs" / "b.md").write_text(guide().replace("**Create Site**", "**Make Site**"))
    lost = guide().replace("![migrate-site-cms.png]", "![]").replace("1. Take care of **Migrate Existing Site**.", "")
    (folder / "docs" / "c.md").write_text(lost)


def test_all_guides_of_a_tree_are_compared(tmp_path: Path) -> None:
    """Those that agree are said on stdout with what is advice, the differences of all on stderr."""
    a_tree(tmp_path)
    done = told_here("check", "docs", "docs/a.md", cwd=tmp_path)
    assert done.returncode == 3
    advice, agrees = done.stdout.splitlines()
    assert re.fullmatch(r'advice: docs/c\.md:\d+ step 1 shows "migrate-site-cms\.png" without an alt text', advice)
    assert agrees == "docs/a.md and wordpress-migration, edition 2024, agree: 9 steps."
    renamed, lost = done.stderr.removeprefix("GuideDiffers: ").splitlines()
    assert renamed.endswith(' step 3 says "Make Site", the flow says "Create Site"')
    assert lost.endswith(' step 1: before it the flow has a step "Migrate Existing Site", the guide has not')


def test_differences_are_told_to_programs_and_to_github(tmp_path: Path) -> None:
    """The same differences as JSON, and as annotations; stderr says how many."""
    a_tree(tmp_path)
    as_json, github = (told_here("check", "docs", "--format", form, cwd=tmp_path) for form in ("json", "github"))
    assert (as_json.returncode, github.returncode) == (3, 3)
    assert as_json.stderr == github.stderr == "GuideDiffers: 2 differences\n"
    told = json.loads(as_json.stdout)
    assert [(one["file"], one["step"], one["kind"], one["severity"]) for one in told] == [
        ("docs/b.md", 3, "says", "difference"),
        ("docs/c.md", 1, "step", "difference"),
        ("docs/c.md", 1, "alt", "advice"),
    ]
    assert [line.split(",")[0] for line in github.stdout.splitlines()] == [
        "::error file=docs/b.md",
        "::error file=docs/c.md",
        "::notice file=docs/c.md",
    ]


@pytest.mark.parametrize(("encoding", "shown"), [("ascii", "Gr\\u00fc\\u00dfe \\ud83d\\ude80"), ("utf-8", "Grüße 🚀")])
def test_what_the_outputs_encoding_does_not_have_is_shown_all_the_same(
    tmp_path: Path, encoding: str, shown: str
) -> None:
    """A name of a file or of a site, where cron or a terminal knows fewer letters; JSON says the same in both."""
    folder = tmp_path / "Grüße 🚀"
    folder.mkdir()
    (folder / "guide.md").write_text(guide().replace("**Create Site**", "**Make Site**"))
    form = ("check", "Grüße 🚀/guide.md", "--format")
    said = guiderunner(*form, "github", cwd=tmp_path, PYTHONIOENCODING=encoding)
    assert (said.returncode, "Traceback" in said.stderr) == (3, False)
    assert said.stdout.startswith(f"::error file={shown}/guide.md,line=")
    (difference, *_) = json.loads(guiderunner(*form, "json", cwd=tmp_path, PYTHONIOENCODING=encoding).stdout)
    assert difference["file"] == "Grüße 🚀/guide.md"


@pytest.mark.parametrize("encoding", ["ascii", "ascii:surrogateescape", "utf-8"])
def test_a_files_name_that_is_no_text_is_printed_as_it_is(tmp_path: Path, encoding: str) -> None:
    """Its bytes come out as they were typed, as they do of other programs."""
    name = b"gr\xfc\xdfe.md"
    (tmp_path / os.fsdecode(name)).write_text(guide().replace("**Create Site**", "**Make Site**"))
    said = subprocess.run(
        [*PROGRAM, "check", name, "--format", "github"],
        cwd=tmp_path,
        env=environment(PYTHONIOENCODING=encoding),
        capture_output=True,
        timeout=LIMIT,
        check=False,
    )
    assert (said.returncode, b"Traceback" in said.stderr) == (3, False)
    assert said.stdout.startswith(b"::error file=" + name + b",line=")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_changes_nothing_else(tmp_path: Path, closed: str) -> None:
    """Some supervisors close what they do not read; a run that is done must not end as one that has failed."""
    command = f"{shlex.join([*PROGRAM, 'faults', '--json'])} {closed}"
    said = subprocess.run(
        ["sh", "-c", command],  # noqa: S607 - the system's own
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert (said.returncode, said.stderr) == (0, "")
    assert bool(said.stdout) == (">&-" not in closed.split())


def test_who_is_to_be_told_is_told_also_where_nothing_can_be_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log on a full disk is no reason to leave people in the dark."""
    result = {"id": "one", "flow": "toy", "site": "ball", "state": "done", "steps_done": 1, "seconds": 1.0, "facts": {}}
    result |= {"failure": None, "folder": str(tmp_path), "trace": None, "videos": [], "screenshots": []}
    (tmp_path / "result.json").write_text(json.dumps(result))
    with webhook(200) as hook:
        notices = NoticeSettings.load({"NOTIFY_WEBHOOK": hook.url})
        full = MagicMock(write=MagicMock(side_effect=OSError(errno.ENOSPC, "No space left on device")))
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", full)
            with pytest.raises(OSError, match="No space left"):
                tell_all(notices, tmp_path, None, as_json=True)
    assert [body["state"] for body in hook.bodies] == ["done"]


@pytest.mark.parametrize("args", [("list",), ("list", "--env")])
def test_a_log_on_a_full_disk_is_said_in_a_sentence(tmp_path: Path, args: tuple[str, ...]) -> None:
    """What is printed at once, and what waits until the end."""
    with Path("/dev/full").open("w") as full:
        said = subprocess.run(
            [*PROGRAM, *args],
            cwd=tmp_path,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=LIMIT,
            check=False,
        )
    assert said.returncode == 1
    assert said.stderr == (
        'No space left on device: not all was printed that was to be. Make room; "guiderunner runs" says what is done '
        "and what to resume.\n"
    )


def test_what_else_fails_of_a_file_is_no_full_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A mistake of ours keeps its traceback, by which it can be found."""

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("runner.settings.example", fail)
    with pytest.raises(OSError, match="Input/output error"):
        told_here("list", "--env", cwd=tmp_path)


def test_advice_counts_where_that_is_asked(tmp_path: Path) -> None:
    """--strict makes it a difference; a flow that is named is not guessed."""
    (tmp_path / "guide.md").write_text(guide().replace("![migrate-site-cms.png]", "![]"))
    strict = told_here("check", "guide.md", "--strict", "--flow", FLOW.name, cwd=tmp_path)
    assert (strict.returncode, strict.stdout) == (3, "")
    assert strict.stderr.endswith('step 2 shows "migrate-site-cms.png" without an alt text\n')
    assert told_here("check", "guide.md", cwd=tmp_path).returncode == 0


def test_the_patch_on_stdout_can_be_applied_from_the_same_folder(tmp_path: Path) -> None:
    """Also below a repository's own folder; what it cannot make true is said on stderr."""
    (tmp_path / "docs").mkdir()
    begin, apply = ["git", "init", "-q"], ["git", "apply", "-"]
    subprocess.run(begin, cwd=tmp_path, check=True)
    path = tmp_path / "docs" / "guide.md"
    path.write_text(guide().replace("**Create Site**", "**Make Site**"))
    done = guiderunner("check", "guide.md", "--patch", cwd=path.parent)
    assert (done.returncode, done.stderr) == (3, "GuideDiffers: 1 difference; the patch corrects all\n")
    subprocess.run(apply, input=done.stdout.encode(), cwd=path.parent, check=True)
    assert path.read_text() == guide()
    lacks = guide().replace("**Continue**", "Continue")
    for text, corrects in (
        (lacks, "1 difference; the patch corrects none"),
        (lacks.replace("**Create Site**", "**Make Site**"), "2 differences; the patch corrects 1"),
    ):
        path.write_text(text)
        left = guiderunner("check", "guide.md", "--patch", cwd=path.parent)
        assert (left.returncode, left.stdout.count("+++ ")) == (3, corrects.count(" 1"))
        assert re.fullmatch(
            rf'GuideDiffers: {corrects}, and leaves:\nguide\.md:\d+ step 2 does not say "Continue", the flow does\n',
            left.stderr,
        )
    path.write_text(guide())
    assert guiderunner("check", "guide.md", "--patch", cwd=path.parent).returncode == 0


def test_a_live_check_needs_settings_and_one_guide(tmp_path: Path) -> None:
    """It performs the flow as "run" does."""
    a_tree(tmp_path)
    done = told_here("check", "docs/a.md", "--live", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("WrongSettings: missing: PANTHEON_EMAIL, ")
    done = told_here("check", "docs", "--live", cwd=tmp_path)
    assert done.returncode == 2
    assert "--live performs the flow of one guide: name its file. Here are 3 guides" in done.stderr


@pytest.mark.parametrize(("looked_for", "error"), [('the control "Create Site"', GuideDiffers), ("", StepFailed)])
def test_a_live_check_says_what_the_page_has_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], looked_for: str, error: type
) -> None:
    """A step that failed for want of the guide's words is a difference; one that failed otherwise is a failure."""
    path = tmp_path / "guide.md"
    path.write_text(guide())

    def run(name: str, **options: Any) -> None:
        sys.stdout.write(f"{name} {options['sandbox']}\n")
        raise StepFailed(
            Failure(name, "Step 3", 3, "", "nothing", looked_for=looked_for, controls=['button "Make Site"'])
        )

    monkeypatch.setattr(guides, "run", run)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error) as caught:
        guides.check([Path("guide.md")], live=True, sandbox=True)
    assert capsys.readouterr().out == ""
    if error is GuideDiffers:
        assert str(caught.value) == (
            f'guide.md:{line_of("Create Site")} step 3 says "Create Site", the page has the button "Make Site"'
        )


# -- what is missing on this machine --------------------------------------------------------------------------------


def test_a_browser_executable_that_is_no_program_is_named(tmp_path: Path) -> None:
    """The sentence says which setting to correct; no run is begun."""
    done = guiderunner(*RUN, cwd=tmp_path, BROWSER_EXECUTABLE="/nowhere/chromium", **SETTINGS)
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr == "Missing: BROWSER_EXECUTABLE: /nowhere/chromium is not a program. Correct it or unset it.\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scheme", ["ws", "http"])
def test_a_browser_endpoint_that_does_not_answer_is_named(tmp_path: Path, silent_port: int, scheme: str) -> None:
    """A Playwright server or a DevTools address where nothing listens."""
    endpoint = f"{scheme}://127.0.0.1:{silent_port}/"
    done = guiderunner(*RUN, cwd=tmp_path, BROWSER_ENDPOINT=endpoint, **SETTINGS)
    assert (done.returncode, done.stdout) == (5, "")
    assert f"Missing: BROWSER_ENDPOINT {endpoint} does not answer: " in done.stderr
    assert "ECONNREFUSED" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_doctor_says_what_is_missing_and_how_to_get_it(tmp_path: Path) -> None:
    """On a machine with nothing: what is missing, how to get each, exit code 5, and nothing is changed."""
    empty = tmp_path / "empty"
    empty.mkdir()
    bare = {
        "PATH": str(empty),
        "XDG_CACHE_HOME": str(empty),
        "GUIDERUNNER_CACHE": str(empty),
        "PLAYWRIGHT_BROWSERS_PATH": str(empty),
    }
    done = guiderunner("doctor", cwd=tmp_path, **bare)
    assert done.returncode == 5
    assert done.stdout.splitlines() == [
        "browser (chromium): MISSING",
        "headless shell (chromium): MISSING, only for quicker runs",
        "videos (ffmpeg): MISSING, only for --video",
        "PHP: MISSING",
        "WordPress: MISSING",
    ]
    browser, php, wordpress = done.stderr.removeprefix("Missing: ").splitlines()
    assert browser == (
        'browser (chromium) is missing. To get it: "guiderunner setup", or set BROWSER_EXECUTABLE, '
        'or "playwright install chromium".'
    )
    assert php.startswith('PHP is missing. To get it: "guiderunner setup" as root, or "apt-get install php-cli ')
    assert wordpress == 'WordPress is missing. To get it: "guiderunner setup".'
    only = guiderunner("doctor", "--only-browser", cwd=tmp_path, **bare)
    assert only.returncode == 5
    assert only.stdout.splitlines() == done.stdout.splitlines()[:2]
    assert list(empty.iterdir()) == []


def test_a_wordpress_that_was_not_fetched_is_named_with_what_gets_it(tmp_path: Path) -> None:
    """Its version is part of the command; nothing is begun."""
    empty = tmp_path / "empty"
    latest = empty / "wp-studio-1.22.0"
    latest.mkdir(parents=True)
    (latest / "unpacked.json").write_text('{"files": 0, "bytes": 0}')
    done = guiderunner(*RUN, "--sandbox", "--wordpress", "6.4", cwd=tmp_path, GUIDERUNNER_CACHE=str(empty))
    assert (done.returncode, done.stdout) == (5, "")
    assert "WordPress 6.4 is not in " in done.stderr
    assert "Run `guiderunner setup --wordpress 6.4` to fetch it." in done.stderr
    assert not list(tmp_path.glob("runs/*wordpress-migration*"))


@pytest.mark.sandbox
@pytest.mark.parametrize("command", ["doctor", "setup"])
def test_doctor_and_setup_are_content_when_all_is_there(tmp_path: Path, command: str) -> None:
    """Both say what was found, and get nothing; what only videos need may be missing."""
    done = guiderunner(command, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    found = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert list(found) == ["browser (chromium)", "headless shell (chromium)", "videos (ffmpeg)", "PHP", "WordPress"]
    assert os.access(found["browser (chromium)"], os.X_OK)
    assert found["videos (ffmpeg)"] == "MISSING, only for --video" or os.access(found["videos (ffmpeg)"], os.X_OK)
    assert found["PHP"].startswith("PHP 8.")
    assert Path(found["WordPress"], "wp-load.php").is_file()


# -- a run ----------------------------------------------------------------------------------------------------------


@contextmanager
def a_run(*args: str, stderr: int = subprocess.PIPE) -> Iterator[Command]:
    """A command in new folders of its own, all of which is gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="cli-") as cwd,
        tempfile.TemporaryDirectory(prefix="cli-") as temporary,
        Command(*args, cwd=Path(cwd), temporary=Path(temporary), stderr=stderr) as command,
    ):
        yield command


@pytest.fixture(scope="module")
def whole_run() -> Iterator[Command]:
    """The whole guide, performed once on the sandbox by the real command with --json; it has ended."""
    with a_run(*ON_SANDBOX, "--json", "--runs", "runs", "--trace", "off") as command:
        command.ends()
        yield command


@pytest.mark.sandbox
def test_the_whole_guide_is_performed_with_one_json_object_on_stdout(whole_run: Command) -> None:
    """Exit code 0; the object is what result.json says, and what the sandbox saw."""
    assert whole_run.process.returncode == 0, whole_run.err
    assert whole_run.out.count("\n") == 1
    told = json.loads(whole_run.out)
    del told["sandbox"]
    assert told == whole_run.result()
    assert (told["state"], told["steps_done"], told["failure"]) == ("done", 9, None)
    assert Path(whole_run.cwd, told["folder"]) == whole_run.folder


@pytest.mark.sandbox
def test_the_whole_guide_leaves_ten_pictures(whole_run: Command) -> None:
    """Nine of the guide, under its paths, and step 9's; each is a PNG."""
    names = [name for step in FLOW.steps for name in step.screenshots]
    assert len(names) == 10
    assert whole_run.result()["screenshots"] == names
    pictures = whole_run.folder / "screenshots"
    assert sorted(path.relative_to(pictures).as_posix() for path in pictures.rglob("*.png")) == sorted(names)
    assert all((pictures / name).read_bytes().startswith(b"\x89PNG") for name in names)


@pytest.mark.sandbox
def test_the_whole_guide_makes_one_of_everything(whole_run: Command) -> None:
    """One site, one token, one migration, one confirmation, one e-mail; nothing was tried twice."""
    audit = json.loads(whole_run.out)["sandbox"]
    for name in ("sites_created", "tokens_made", "migrations_started", "migrations_completed", "confirmed"):
        assert len(audit[name]) == 1, name
    for name in ("tokens_revoked", "migrations_failed", "migrations_refused", "confirmed_too_early"):
        assert audit[name] == [], name
    assert (audit["mails"], audit["sign_ins"], audit["wrong_password"]) == (1, 1, 0)


@pytest.mark.sandbox
def test_the_log_of_the_whole_guide_is_plain_and_complete(whole_run: Command) -> None:
    """With --json the progress is on stderr: each step in its order, and no escape code where there is no terminal."""
    assert re.findall(r"^ +[\d.]+ s  step (\d)  ", whole_run.err, re.MULTILINE) == list("123456789")
    assert "about to create the site; this can take minutes" in whole_run.err
    assert ESCAPE not in whole_run.err + whole_run.out


@pytest.mark.sandbox
def test_the_whole_guide_leaves_nothing_running(whole_run: Command) -> None:
    """Browser, driver, PHP and its minding shell have gone with the command, and so has every temporary file."""
    whole_run.leaves_nothing("sh", "php", "node-MainThread")
    assert any("chrom" in name for name in whole_run.family.met.values())


def secrets_of_the_sandbox() -> list[str]:
    """The passwords that a run on the sandbox works with."""
    from fixtures.wordpress_versions import find_core  # noqa: PLC0415 - unit tests run where the stand-ins' packages are missing
    from fixtures.world import World  # noqa: PLC0415

    core = find_core()
    templates = core.directory.parent.glob("site-*/administrator.json")
    return [World().account.password, *(json.loads(path.read_text())["password"] for path in templates)]


def told(command: Command) -> bytes:
    """All that a run has printed and written."""
    files = [path.read_bytes() for path in sorted(command.cwd.rglob("*")) if path.is_file()]
    return b"\n".join([command.out.encode(), command.err.encode(), *files])


@pytest.mark.sandbox
def test_no_password_is_told(whole_run: Command) -> None:
    """Neither the account's nor wp-admin's password stands in what was printed or written."""
    secrets = secrets_of_the_sandbox()
    assert len(secrets) >= 2
    assert not [secret for secret in secrets if secret.encode() in told(whole_run)]
    assert b"larkfield-pottery-studio" in told(whole_run)


# -- the end of a run that did not go well --------------------------------------------------------------------------


@pytest.mark.browser
def test_a_site_that_does_not_answer_is_a_failure_with_its_evidence(
    temporary: Path, tmp_path: Path, silent_port: int
) -> None:
    """Exit code 1; the preflight, page and screenshot on stderr; the result on stdout; nothing left."""
    settings = SETTINGS | {"SOURCE_SITE_URL": f"http://127.0.0.1:{silent_port}", "ALLOW_LOCAL_SOURCE": "1"}
    with Command(*RUN, "--json", cwd=tmp_path, temporary=temporary, variables=settings) as command:
        assert command.ends() == 1
        result = json.loads(command.out)
        assert (result["state"], result["steps_done"], result["failure"]["step"]) == ("failed", 0, 0)
        assert result == command.result()
        assert "StepFailed: Preflight failed: " in command.err
        assert "ERR_CONNECTION_REFUSED" in command.err
        assert "  guide:" not in command.err
        picture = command.folder.relative_to(tmp_path) / "screenshots/failed-step-0.png"
        assert f"  screenshot: {picture}\n" in command.err
        assert (tmp_path / picture).is_file()
        assert command.ledger()[-1]["state"] == "failed"
        command.leaves_nothing("node-MainThread")
        assert not [
            name for name in ("PANTHEON_PASSWORD", "WP_ADMIN_PASSWORD") if SETTINGS[name].encode() in told(command)
        ]


@pytest.mark.browser
def test_runs_lists_what_was_begun_and_shows_what_it_recorded(tmp_path: Path, silent_port: int) -> None:
    """A run that failed before it had any effect: it is listed, shown, resumed, and makes way for another."""
    settings = SETTINGS | {"PANTHEON_DASHBOARD_URL": f"http://127.0.0.1:{silent_port}", "ALLOW_LOCAL_SOURCE": "1"}
    settings |= {"SOURCE_SITE_URL": f"http://127.0.0.1:{silent_port}", "PAGE_TIMEOUT": "2s"}
    (tmp_path / ".env").write_text("GUIDERUNNER_MACHINE=worker-7\n")
    assert guiderunner(*RUN, "--slow-mo", "1", cwd=tmp_path, **settings).returncode == 1
    listed = guiderunner("runs", cwd=tmp_path)
    assert listed.returncode == 0
    heading, line = listed.stdout.splitlines()
    assert heading.split() == ["run", "state", "step", "since", "(UTC)", "site"]
    run_id, state, step = line.split()[:3]
    assert (state, step) == ("failed", "0")
    assert line.rstrip().endswith(f"http://127.0.0.1:{silent_port} to Example")
    shown = told_here("runs", "show", run_id[-4:], cwd=tmp_path)
    assert re.search(r"step 0  step failed\s+the existing site did not open", shown.stdout)
    assert ", on worker-7\n" in shown.stdout
    resumed = guiderunner("resume", run_id[-4:], cwd=tmp_path, **settings)
    assert (resumed.returncode, "Preflight failed: the existing site did not open" in resumed.stderr) == (1, True)
    assert guiderunner(*RUN, cwd=tmp_path, **settings).returncode == 1
    entries = json.loads(told_here("runs", "show", run_id, "--json", cwd=tmp_path).stdout)["entries"]
    assert [entry["how"] for entry in entries if "how" in entry] == [["trace", "slow-mo 1"], ["trace"]]
    states = [json.loads(line)["state"] for line in told_here("runs", "--json", cwd=tmp_path).stdout.splitlines()]
    assert states == ["failed", "given up"]
    gone = told_here("resume", run_id, cwd=tmp_path, **settings)
    assert (gone.returncode, "is given up since" in gone.stderr) == (2, True)
    assert told_here("verify", run_id, cwd=tmp_path, **settings).returncode == 2


def test_two_recorded_runs_are_compared(tmp_path: Path) -> None:
    """What became slower or asks otherwise is told; only where that is wanted it ends with 1."""
    runs = Runs(tmp_path / "runs")
    for _ in range(3):
        runs.add(recorded(1, 1.0, asked("/one"), words='"Go"'))
    runs.add(recorded(1, 2.0, asked("/one", status="5xx"), words='"Go"'))
    runs.add(recorded(1, 1.1, asked("/one"), words='"Go"'), machine="b")
    told = told_here("runs", "compare", "03", "run-04", cwd=tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    heading, row, slower, requests, _ = told.stdout.splitlines()
    assert heading.split("  ")[0] == "step"
    assert row.split("  ") == ['step 1 "Go"', "1.0 s", "2.0 s", "slower", "1.0 s ± 0.3 s"]
    assert slower == 'slower: step 1 "Go": 1.0 s → 2.0 s (2.0 times); usual: 1.0 s'
    assert requests == 'requests: step 1 "Go": GET SITE/one (in the page) answered 2xx → 5xx'
    gate = told_here("runs", "compare", "03", "04", "--fail-on", "slower, requests", "--json", cwd=tmp_path)
    assert gate.returncode == 1
    assert gate.stderr.strip() == "Differs: 1 step is slower, 1 request changed from run-03 to run-04"
    compared = json.loads(gate.stdout)
    assert [compared[side]["id"] for side in "ab"] == ["run-03", "run-04"]
    assert (compared["steps"][0]["change"], compared["steps"][0]["usual"]["runs"]) == ("slower", 3)
    assert compared["requests"][0]["after"] == "5xx"
    other = ("--fail-on", "slower", "--fail-on", "requests")
    assert told_here("runs", "compare", "03", "05", *other, cwd=tmp_path).returncode == 0


def test_the_times_of_recorded_runs_are_shown(tmp_path: Path) -> None:
    """Of each step the least, the median, the spread and the last; listing the runs stays what it was."""
    runs = Runs(tmp_path / "runs")
    for seconds in (1.0, 2.0, 4.0):
        runs.add(recorded(1, seconds, words='"Go"'), flow=FLOW.name, edition="2024")
    told = told_here("runs", "times", "--flow", FLOW.name, "--edition", "2024", cwd=tmp_path)
    kind, heading, row = told.stdout.splitlines()
    assert kind == f"{FLOW.name}, edition 2024, on a with chromium"
    assert " ".join(heading.split()) == "step runs min median spread last waited outside (median)"
    assert " ".join(row.split()) == 'step 1 "Go" 3 1.0 s 2.0 s 1.0 s 4.0 s'
    (group,) = json.loads(told_here("runs", "times", "--last", "2", "--json", cwd=tmp_path).stdout)
    assert (group["flow"], group["steps"][0]["runs"], group["steps"][0]["median"]) == (FLOW.name, 2, 3.0)
    listed = told_here("runs", cwd=tmp_path).stdout.splitlines()
    assert [line.split()[:2] for line in listed[1:]] == [[f"run-0{number}", "done"] for number in (3, 2, 1)]


def test_runs_that_cannot_be_compared_are_refused(tmp_path: Path) -> None:
    """With one sentence: other flows, what is not known to fail on, requests that nobody has recorded."""
    runs = Runs(tmp_path / "runs")
    runs.add(recorded(1, 1.0))
    runs.add(recorded(1, 1.0, asked("/one")))
    runs.add(recorded(1, 1.0), flow="game")
    for args, said in (
        (("01", "03"), "run-01 performs toy, run-03 performs game: only runs of the same flow can be compared"),
        (("01", "02", "--fail-on", "slow"), '--fail-on: "slow" is none of slower, requests'),
        (
            ("01", "02", "--fail-on", "requests"),
            "--fail-on requests: requests cannot be compared: run-01 recorded none",
        ),
    ):
        done = told_here("runs", "compare", *args, cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr.strip()) == (2, "", f"WrongUsage: {said}")


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["table", "json"])
def test_times_that_nobody_has_recorded_yet_are_told_from_names_that_nothing_has(
    tmp_path: Path, form: tuple[str, ...]
) -> None:
    """That no such run is done yet is an answer; what can have no run is refused, in both forms."""
    Runs(tmp_path / "runs").add(recorded(1, 1.0), flow=FLOW.name, edition="2024")
    names = ", ".join(sorted(one.edition for one in EDITIONS))
    for args in (("--edition", "2025"), ("--flow", FLOW.name, "--edition", "2025")):
        nothing = told_here("runs", "times", *args, *form, cwd=tmp_path)
        said = "[]" if form else 'no such run is done; "guiderunner runs" lists all'
        assert (nothing.returncode, nothing.stdout.strip(), nothing.stderr) == (0, said, "")
    for args, said in (
        (("--flow", "toy"), f'there is no flow "toy"; there is: {FLOW.name}'),
        (("--edition", "9"), f'--edition: no flow has an edition "9"; there are: {names}'),
        (("--flow", FLOW.name, "--edition", "9"), f'--edition: {FLOW.name} has no edition "9"; there are: {names}'),
    ):
        refused = told_here("runs", "times", *args, *form, cwd=tmp_path)
        assert (refused.returncode, refused.stdout, refused.stderr.strip()) == (2, "", f"WrongUsage: {said}")


@pytest.mark.sandbox
def test_a_dry_run_says_what_would_be_done_and_does_nothing(tmp_path: Path) -> None:
    """The site and the dashboard are looked at; nothing is created, and nothing is left to resume."""
    done = guiderunner(*ON_SANDBOX, "--dry-run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("dry run: 0 steps")
    assert [line for line in lines if line.startswith("the sandbox saw")] == ["the sandbox saw: sign ins 1"]
    would = [line for line in lines if line.startswith(("would", "if"))]
    assert [line.split(":")[0] for line in would] == [
        line
        for one in EDITIONS
        for line in (
            f"if it turns out to be edition {one.edition}",
            *(f"would do step {step.number}" for step in one.steps),
        )
    ]
    assert [json.loads(line)["state"] for line in told_here("runs", "--json", cwd=tmp_path).stdout.splitlines()] == [
        "given up"
    ]


@pytest.mark.browser
def test_a_folder_that_cannot_hold_runs_is_named(tmp_path: Path) -> None:
    """A file stands where the runs are to go."""
    (tmp_path / "runs").write_text("")
    done = guiderunner(*RUN, cwd=tmp_path, **SETTINGS)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "WrongUsage: --runs: runs cannot hold a run: it is not a folder\n"


def misbehave(command: Command, **changes: Any) -> None:
    """Change the sandbox's behaviour from outside, as soon as the run has recorded where its dashboard is."""

    def pictures() -> list[dict[str, Any]]:
        return [entry for entry in command.ledger() if entry["event"] == "screenshot"]

    command.until("the first screenshot", pictures)
    origin = "/".join(pictures()[0]["url"].split("/")[:3])
    request = urllib.request.Request(  # noqa: S310 - the sandbox's own address
        f"{origin}/behave", json.dumps(changes).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - the same
        assert answer.status == 200


@pytest.mark.slow
@pytest.mark.sandbox
def test_a_failed_run_on_the_sandbox_leaves_nothing_running() -> None:
    """The name is taken: exit code 1 with the reason, no site was made, and PHP and browser are gone."""
    with a_run(*AT_ONCE, "--json") as command:
        misbehave(command, taken_names=["larkfield-pottery-studio"])
        assert command.ends() == 1
        assert "StepFailed: Step 3 failed: " in command.err
        assert '  guide:      step 3, "Create Site"\n' in command.err
        told = json.loads(command.out)
        assert (told["state"], told["failure"]["step"]) == ("failed", 3)
        assert told["sandbox"]["sites_created"] == []
        command.leaves_nothing("sh", "php", "node-MainThread")


@pytest.mark.sandbox
def test_faults_are_brought_about_from_the_command_line() -> None:
    """One as a step begins, which the run gets over, and one from the start, which stops it with what is recorded."""
    with a_run(*AT_ONCE, "--fault", "bad-gateway@1", "--fault", "wrong-password", "--json") as command:
        assert command.ends() == 1
        assert "the dashboard answered 502 to GET http://127.0.0.1:" in command.err
        recorded = json.loads(told_here("faults", "wrong-password", "--json", cwd=command.cwd).stdout)
        assert json.loads(command.out)["failure"]["sentence"] == recorded["outcome"]["sentence"]


def test_the_faults_are_listed(tmp_path: Path) -> None:
    """For a person, for a program, and as a table for the documentation: the same of each."""
    listed = told_here("faults", cwd=tmp_path).stdout
    (one,) = [json.loads(told_here("faults", "multisite", "--json", cwd=tmp_path).stdout)]
    table = told_here("faults", "--format", "markdown", cwd=tmp_path).stdout.splitlines()
    all_of_them = json.loads(told_here("faults", "--json", cwd=tmp_path).stdout)
    assert one in all_of_them
    assert len(table) == len(all_of_them) + 2
    for text in (listed, *(row for row in table if row.startswith("| multisite |"))):
        assert one["says"] in text
        assert one["outcome"]["sentence"] in text


@pytest.mark.slow
@pytest.mark.sandbox
def test_a_run_that_was_to_stop_says_so() -> None:
    """--until 1 performs one step, does not say done, and leaves nothing running; plain lines without --json."""
    with a_run(*AT_ONCE, "--until", "1") as command:
        assert command.ends() == 0, command.err
        lines = command.out.splitlines()
        assert re.fullmatch(r"stopped: 1 steps in \d+ s", lines[0])
        assert re.fullmatch(r"workspace page: http://127\.0\.0\.1:\d+/\S+", lines[1])
        assert lines[2:] == [
            "the sandbox saw: sign ins 1",
            f"screenshots: 1 in {command.folder.relative_to(command.cwd) / 'screenshots'}",
        ]
        assert ESCAPE not in command.out + command.err
        assert "step 2" not in command.err
        command.leaves_nothing("sh", "php", "node-MainThread")


def was_interrupted(command: Command) -> None:
    """Assert a clean record of the interruption, its sentence, and no word too many."""
    assert command.result()["state"] == "interrupted"
    assert (command.ledger()[-1]["event"], command.ledger()[-1]["state"]) == ("run ended", "interrupted")
    assert command.out.startswith("interrupted: ")
    assert [
        line for line in command.err.splitlines() if " s  " not in line and " s          " not in line and line
    ] in (
        ["interrupted: stopping what was started"],
        ["interrupted: stopping what was started", "Aborted!"],
    )


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "how", ["Ctrl-C", pytest.param("twice", marks=pytest.mark.slow), pytest.param("SIGTERM", marks=pytest.mark.slow)]
)
def test_an_interrupted_run_is_recorded_and_leaves_nothing_running(how: str) -> None:
    """A terminal's Ctrl-C for the whole group, a second one meanwhile, or SIGTERM for the command alone: 130."""
    with a_run(*AT_ONCE) as command:
        command.until("step 2", lambda: command.has_begun(2))
        if how == "SIGTERM":
            command.process.terminate()
        else:
            command.press_ctrl_c()
        if how == "twice":
            command.until("the first's record", lambda: command.ledger()[-1]["event"] == "run ended")
            command.press_ctrl_c()
        assert command.ends() == 130
        was_interrupted(command)
        command.leaves_nothing("sh", "php", "node-MainThread")


@pytest.mark.sandbox
def test_an_interruption_while_the_sandbox_starts_leaves_nothing_running() -> None:
    """PHP has just been started: no run has begun, so there is nothing to record, and nothing to leave."""
    with a_run(*ON_SANDBOX) as command:
        command.until("PHP", lambda: "php" in command.family.met.values())
        command.press_ctrl_c()
        assert command.ends() == 130
        assert command.out == ""
        assert not (command.cwd / "runs").exists()
        command.leaves_nothing("sh", "php")


@pytest.fixture
def slow_site() -> Iterator[dict[str, str]]:
    """Settings with an existing site that takes every connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        yield SETTINGS | {"SOURCE_SITE_URL": address, "ALLOW_LOCAL_SOURCE": "1"}


@pytest.mark.browser
def test_a_terminal_that_is_closed_interrupts_the_run(
    temporary: Path, tmp_path: Path, slow_site: dict[str, str]
) -> None:
    """The hang-up reaches the command, which can print no more; it still records its end and leaves no process."""
    ours, theirs = pty.openpty()
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # these tests themselves may have been started by nohup
    try:
        command = Command(*RUN, cwd=tmp_path, temporary=temporary, stderr=theirs, variables=slow_site)
    finally:
        signal.signal(signal.SIGHUP, before)
    with command:
        os.close(theirs)
        command.until("the preflight", lambda: command.has_begun(0))
        shown = os.read(ours, 100_000).decode()
        os.close(ours)
        os.killpg(command.process.pid, signal.SIGHUP)
        assert command.ends() == 130
        assert ESCAPE in shown
        assert f"{FLOW.name}, the edition that it turns out to be" in re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown)
        assert command.result()["state"] == "interrupted"
        command.leaves_no_process("node-MainThread")


@pytest.mark.browser
def test_a_hang_up_that_is_ignored_is_ignored(temporary: Path, tmp_path: Path, slow_site: dict[str, str]) -> None:
    """Under nohup a run goes on when its terminal is closed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        command = Command(*RUN, cwd=tmp_path, temporary=temporary, variables=slow_site)
    finally:
        signal.signal(signal.SIGHUP, before)
    with command:
        command.until("the preflight", lambda: command.has_begun(0))
        command.process.send_signal(signal.SIGHUP)
        status = Path(f"/proc/{command.process.pid}/status").read_text()
        ignored = int(re.findall(r"SigIgn:\s+(\w+)", status)[0], 16)
        assert ignored & 1 << signal.SIGHUP - 1
        assert command.process.poll() is None
        command.process.terminate()
        assert command.ends() == 130
        command.leaves_nothing("node-MainThread")


@pytest.mark.browser
def test_a_browser_that_is_killed_fails_the_run_with_a_sentence(
    temporary: Path, tmp_path: Path, slow_site: dict[str, str]
) -> None:
    """Driver and browser are gone at once, as when memory runs out: a record, no traceback, no process."""
    with Command(*RUN, cwd=tmp_path, temporary=temporary, variables=slow_site) as command:
        command.until("the preflight", lambda: command.has_begun(0))
        for number, started in command.family.look():
            if number != command.process.pid and "node" in command.family.met[number, started]:
                os.kill(number, signal.SIGKILL)
        assert command.ends() == 1
        assert "StepFailed: Preflight failed: " in command.err
        assert "Traceback" not in command.err
        assert command.result()["state"] == "failed"
        command.leaves_no_process("node-MainThread")


# -- reports --------------------------------------------------------------------------------------------------------


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """The folder of a run whose process has gone without a word in its first step."""
    run = new_run(FLOW.run, FLOW, FLOW.settings.load(SETTINGS), tmp_path / "runs")
    run.ledger.record("run started")
    run.ledger.record("step started", step=1, says="")
    return run.folder


def test_a_report_is_written_anew_from_the_ledger_and_shown(tmp_path: Path, begun: Path) -> None:
    """Its path is printed, the browser of this system is given it, and JUnit XML is where it was wanted."""
    browser, shown = tmp_path / "browser", tmp_path / "shown"
    browser.write_text(f'#!/bin/sh\necho "$1" > {shown}\n')
    browser.chmod(0o755)
    done = guiderunner(
        "report", "run-1", "--open", "--junit", "ci.xml", cwd=tmp_path, BROWSER=f"{browser} %s", DISPLAY=":0"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{begun.relative_to(tmp_path) / 'report.html'}\n"
    assert shown.read_text() == f"{(begun / 'report.html').as_uri()}\n"
    page = (begun / "report.html").read_text()
    assert page.count("Interrupted</span>") == 3
    assert "It was interrupted in Step 1. To go on:" in page
    assert "guiderunner resume run-1" in page
    suite = (tmp_path / "ci.xml").read_text()
    assert suite.count("<testcase ") == suite.count("<skipped ") == len(FLOW.steps)
    assert suite.count('message="interrupted"') == 1


def test_a_report_needs_the_evidence(tmp_path: Path, begun: Path) -> None:
    """It is on another machine; or the other file cannot be written; or there is no such run or fleet."""
    for args, said in (
        (
            ("report", "run-1", "--junit", "no/ci.xml"),
            "--junit: no/ci.xml cannot be written: No such file or directory",
        ),
        (("report", "run-2"), 'no run is named "run-2"'),
        (("report", "--fleet", "sites"), '--fleet: no site is of a fleet named "sites"'),
    ):
        done = told_here(*args, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
    shutil.rmtree(begun)
    gone = told_here("report", "run-1", cwd=tmp_path)
    assert gone.returncode == 2
    assert f"the evidence of run run-1 is not here: {begun} on {socket.gethostname()}" in gone.stderr


def test_the_schema_of_a_result_is_printed(tmp_path: Path) -> None:
    """As it is, so that it can be kept in a file; nothing else is needed for that."""
    done = told_here("report", "--schema", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert list(tmp_path.iterdir()) == []


# -- the sandbox ----------------------------------------------------------------------------------------------------


@pytest.mark.sandbox
def test_the_sandbox_tells_its_addresses_until_ctrl_c() -> None:
    """All settings of a run, complete and true; after Ctrl-C exit code 130, and nothing is left."""
    with a_run("sandbox") as command:
        assert command.process.stdout
        lines = [command.process.stdout.readline().rstrip("\n") for _ in range(2)]
        while not lines[-1].startswith("misbehaviour:"):
            lines.append(command.process.stdout.readline().rstrip("\n"))
        settings = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))
        assert {name for name in SETTINGS if not settings.get(name)} == set()
        assert settings["WP_ADMIN_PASSWORD"] in secrets_of_the_sandbox()
        command.family.look()
        for address in (settings["PANTHEON_DASHBOARD_URL"], settings["SOURCE_SITE_URL"]):
            with urllib.request.urlopen(address, timeout=20) as answer:  # noqa: S310 - the sandbox's own address
                assert answer.status == 200
        with urllib.request.urlopen(f"{settings['PANTHEON_DASHBOARD_URL']}/audit", timeout=10) as answer:  # noqa: S310 - the same
            assert json.load(answer)["sites_created"] == []
        command.press_ctrl_c()
        assert command.ends() == 130
        assert ESCAPE not in "".join(lines) + command.out + command.err
        command.leaves_nothing("sh", "php")
