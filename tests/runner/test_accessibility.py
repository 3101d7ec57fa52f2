"""Violations of accessibility are found wherever they are, nothing of a page comes with them, and only new ones count."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Error as PlaywrightError

from runner import accessibility
from runner.accessibility import Accessibility, accept, read_baseline, refuse_new, sentence
from runner.errors import Differs, Missing, WrongUsage
from tests.command_line import LIMIT, environment

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

ROOT = Path(__file__).parents[2]
SITE = "https://toy.example/"
STRICT = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-src https://other.example"}
TYPED = "what-somebody-has-typed"


def entry(name: str, *violations: dict[str, Any], step: int = 2) -> dict[str, Any]:
    """What the ledger has of a screenshot's page."""
    return {"event": "accessibility", "step": step, "name": name, "violations": list(violations)}


def violation(rule: str = "label", nodes: int = 2, *, new: bool = True) -> dict[str, Any]:
    """One violation."""
    return {"id": rule, "impact": "critical", "help": "Label it", "nodes": nodes, "new": new}


# -- what is known --------------------------------------------------------------------------------------------------


def test_what_a_run_has_found_is_written_as_known(tmp_path: Path) -> None:
    """Sorted, the last time of each screenshot; what is no longer there goes, what was not looked at stays."""
    file = tmp_path / "known.json"
    file.write_text('{"gone.png": {"label": 1}, "kept.png": {"label": 1}}')
    number = accept(
        file,
        [
            entry("b.png", violation(nodes=9)),
            entry("b.png", violation(nodes=2), violation("image-alt", 1)),
            entry("gone.png"),
            entry("a/b.png", violation()),
            {"event": "no accessibility check", "step": 2, "name": "kept.png", "sentence": "no"},
        ],
    )
    assert number == 4
    assert file.read_text() == (
        '{\n  "a/b.png": {\n    "label": 2\n  },\n  "b.png": {\n    "image-alt": 1,\n    "label": 2\n  },\n'
        '  "kept.png": {\n    "label": 1\n  }\n}\n'
    )
    assert [path.name for path in tmp_path.iterdir()] == ["known.json"]
    assert read_baseline(file) == json.loads(file.read_text())


def test_a_file_that_cannot_be_written_stays_as_it_was(tmp_path: Path) -> None:
    """And the sentence names it; nothing is left beside it."""
    file = tmp_path / "known.json"
    file.write_text("{}")
    (tmp_path / ".known.json.new").mkdir()
    with pytest.raises(WrongUsage, match=r"known\.json cannot be written: Is a directory"):
        accept(file, [entry("a.png", violation())])
    assert file.read_text() == "{}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, r"is not there; with --accept-accessibility the run writes it"),
        ("{", "is not JSON: "),
        ("[]", "has to hold, for each screenshot, its rules and their number of places"),
        ('{"a.png": ["label"]}', "has to hold, for each screenshot, its rules and their number of places"),
        ('{"a.png": {"label": true}}', r"label of a\.png has to be a number of places, from 1"),
        ('{"a.png": {"label": 0}}', r"label of a\.png has to be a number of places, from 1"),
    ],
)
def test_a_file_that_says_nothing_is_refused(tmp_path: Path, text: str | None, said: str) -> None:
    """Before the run begins: a comparison with nothing would find everything new."""
    file = tmp_path / "known.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(WrongUsage, match=said):
        read_baseline(file)
    if text is not None:
        with pytest.raises(WrongUsage, match=said):
            read_baseline(file, new=True)


def test_a_new_file_needs_its_folder(tmp_path: Path) -> None:
    """It is noticed before the run, not after it."""
    assert read_baseline(tmp_path / "known.json", new=True) == {}
    with pytest.raises(WrongUsage, match="is not there"):
        read_baseline(tmp_path / "nowhere/known.json", new=True)


def test_what_is_new_is_said_in_a_sentence_each(tmp_path: Path) -> None:
    """With step, screenshot, rule and places, and with what the file has to say to accept it; known ones pass."""
    file = tmp_path / "known.json"
    refuse_new(file, [entry("a.png", violation(new=False)), entry("b.png")])
    with pytest.raises(Differs) as caught:
        refuse_new(
            file,
            [
                entry("a.png", violation(), violation("image-alt", 1)),
                entry("b.png", violation("gone", 1)),
                entry("b.png", violation(new=False)),
                {"event": "no accessibility check", "step": 3, "name": "c.png", "sentence": "it does not answer"},
            ],
        )
    assert caught.value.exit_code == 1
    accept_it = f'to accept it, {file} has to say "a.png": '
    assert str(caught.value).splitlines()[1:] == [
        f'Step 2, a.png: Label it (label, critical), in 2 places; {accept_it}{{"label": 2}}',
        f'Step 2, a.png: Label it (image-alt, critical), in 1 place; {accept_it}{{"image-alt": 1}}',
        "Step 3, c.png: it does not answer",
    ]


def test_a_violation_is_told_with_its_step_and_screenshot() -> None:
    """For people."""
    assert sentence("Step 2", "a.png", violation()) == "Step 2, a.png: Label it (label, critical), in 2 places"


def test_a_package_that_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that gets it."""
    monkeypatch.setitem(sys.modules, "axe_playwright_python", None)
    with pytest.raises(Missing, match=r'needs the package axe-playwright-python: pip install "guiderunner\[accessib'):
        Accessibility()


# -- pages ----------------------------------------------------------------------------------------------------------


def answer(route: Route) -> None:
    """A page that allows nothing to be loaded or run, with a frame of another site in which there is another frame."""
    inner = f"<input value={TYPED}><iframe title=deep srcdoc='<input>'></iframe>"
    outer = (
        f"<html lang=en><title>Toy</title><main style='height: 3000px'><h1>Toy</h1><input value={TYPED}>"
        "<iframe title=other src=https://other.example/></iframe><iframe title=dead sandbox srcdoc='<input>'></iframe>"
    )
    route.fulfill(content_type="text/html", headers=STRICT, body=inner if "other" in route.request.url else outer)


@pytest.mark.browser
def test_violations_are_found_in_every_frame_and_the_page_is_left_as_it_was(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under a strict policy; each rule once with its number of places; no text of the page; only more than known is new."""
    page.route("**/*", answer)
    page.goto(SITE)
    page.evaluate("() => { window.axe = 'the page has its own'; window.define = () => { throw 1; }; define.amd = {}; }")
    page.evaluate("() => scrollTo(0, 700)")
    told: list[Any] = []

    def listen(frame: Any, axe: Any, script: str, args: Any, real: Any = accessibility.outcome_of) -> Any:
        told.append([args, real(frame, axe, script, args)])
        return told[-1][1]

    monkeypatch.setattr(accessibility, "outcome_of", listen)
    state = "() => [scrollY, ...Object.getOwnPropertyNames(window).sort()]"
    before = page.content(), page.evaluate(state)
    found = Accessibility({"one.png": {"label": 3}, "two.png": {"label": 2}}).look(page, "one.png")
    label = {"id": "label", "impact": "critical", "help": "Form elements must have labels", "nodes": 3, "new": False}
    assert label in found
    assert len(told) == 4
    assert TYPED not in str(told)
    assert not {"html-has-lang", "document-title", "landmark-one-main"} & {one["id"] for one in found}
    assert (page.content(), page.evaluate(state)) == before
    assert page.evaluate("() => axe") == "the page has its own"
    assert label | {"new": True} in Accessibility({"one.png": {"label": 3}, "two.png": {"label": 2}}).look(
        page, "two.png"
    )
    assert label in Accessibility().look(page, "two.png")


@pytest.mark.browser
def test_a_page_that_runs_no_scripts_of_its_own_is_not_waited_for_for_ever(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No timer runs in it, so that axe does not come to an end there."""
    monkeypatch.setattr(accessibility, "LIMIT", 1.0)
    policy = {"Content-Security-Policy": "sandbox"}
    page.route("**/*", lambda route: route.fulfill(content_type="text/html", headers=policy, body="<input>"))
    page.goto(SITE)
    with pytest.raises(PlaywrightError):
        Accessibility().look(page, "a.png")


# -- the command line -----------------------------------------------------------------------------------------------


def run_toy(folder: Path, fields: int, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the toy whose page has so many fields without a label."""
    command = [sys.executable, "-m", "tests.runner.toy_page", "run", "toy", *options]
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(TOY_FIELDS=str(fields), PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )


@pytest.mark.browser
def test_only_new_violations_make_the_command_fail_and_the_run_is_done_all_the_same(tmp_path: Path) -> None:
    """Accepted ones pass, one more place does not; result and report are there, and say what is new."""
    file = tmp_path / "known.json"
    compare = ("--accessibility-baseline", str(file))
    accepted = run_toy(tmp_path, 1, *compare, "--accept-accessibility")
    assert accepted.returncode == 0, accepted.stderr
    assert f"known and accepted in {file}: 1 violations of accessibility" in accepted.stderr
    assert json.loads(file.read_text()) == {"one.png": {"label": 1}}
    assert run_toy(tmp_path, 1, *compare).returncode == 0
    more = run_toy(tmp_path, 2, *compare, "--json")
    assert more.returncode == 1
    assert "Step 1, one.png: Form elements must have labels (label, critical), in 2 places; to accept it" in more.stderr
    result = json.loads(more.stdout)
    assert (result["state"], result["steps_done"], result["failure"]) == ("done", 1, None)
    folder = tmp_path / result["folder"]
    ledger = [json.loads(line) for line in (folder / "ledger.jsonl").read_text().splitlines()]
    (found,) = [one for one in ledger if one["event"] == "accessibility"]
    assert (found["step"], found["name"]) == (1, "one.png")
    assert [(one["id"], one["nodes"], one["new"]) for one in found["violations"]] == [("label", 2, True)]
    assert ">new</strong>" in (folder / "report.html").read_text()
    assert json.loads(file.read_text()) == {"one.png": {"label": 1}}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--accept-accessibility",), "--accept-accessibility needs the file to write: --accessibility-baseline FILE"),
        (("--accessibility-baseline", "nowhere.json"), "nowhere.json is not there; with --accept-accessibility"),
        (("--dry-run", "--accessibility"), "--dry-run is the preflight: it goes with none of"),
    ],
)
def test_options_that_make_no_sense_are_refused(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    """Before anything is begun."""
    done = run_toy(tmp_path, 1, *options)
    assert done.returncode == 2
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []
