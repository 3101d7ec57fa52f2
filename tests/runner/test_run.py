"""The engine performs a flow's steps in order and leaves its evidence, whatever happens on the way."""

from __future__ import annotations

import json
import os
import signal
import threading
import zipfile
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest
from PIL import Image
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect

from runner import performance
from runner.controls import choose, control, dismiss_interruptions, field, first_visible, set_default_timeout
from runner.drawing import INK
from runner.errors import LedgerFailed, SecretFound, StartAgain, StepFailed, Stuck, WrongUsage
from runner.failures import without_spread
from runner.flow import Flow
from runner.image_files import encoded
from runner.ledger import Ledger
from runner.performance import Options, perform
from runner.run import Reporter, Run
from runner.secrets import Secret, Secrets
from runner.settings import Settings, setting
from tests.films import pictures_of_trace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser

    from runner.performance import Result

pytestmark = pytest.mark.browser

PASSWORD = "pass/word+of the toy"
TOKEN = "tok_0123456789-ABCDEFGHIJ_abcdefghij+/="
SITE = "https://toy.example/"


@dataclass(frozen=True, kw_only=True)
class ToySettings(Settings):
    """One secret."""

    password: Secret = setting("TOY_PASSWORD", help="opens the toy", secret=True)


class ToyRun(Run[ToySettings]):
    """A run whose site answers from the test."""

    def patience(self) -> float:
        """Short, so that what never comes does not hold up the tests."""
        return 3


def toy() -> Flow[ToyRun]:
    """A flow of two steps on a page with a form: open it, press Go."""
    flow = Flow("toy", edition="1", run=ToyRun, settings=ToySettings)

    @flow.step(1, says="Toy", images=["toy/one.png"])
    def open_toy(run: ToyRun) -> None:
        """Open the toy."""
        body = "<title>Toy</title><h1>Toy</h1><input aria-label=Password><button>Go</button>"
        run.page.route(f"{SITE}**", lambda route: route.fulfill(content_type="text/html", body=body))
        run.page.goto(f"{SITE}?code=12345&tab=1")
        run.screenshot(highlight=control(run.page, "Go"))
        run.facts["address"] = run.page.url

    return flow


def second(flow: Flow[ToyRun], perform_it: Callable[[ToyRun], None], **more: Any) -> Flow[ToyRun]:
    """Give the flow a second step."""
    perform_it.__doc__ = perform_it.__doc__ or "Do the second thing."
    flow.step(2, says="Go", **more)(perform_it)
    return flow


@pytest.fixture
def run_toy(browser: Browser, tmp_path: Path) -> Callable[..., Result]:
    """Perform a toy flow in `tmp_path / "runs"`."""

    def run(flow: Flow[ToyRun], reporter: Reporter | None = None, **options: Any) -> Result:
        return perform(
            flow,
            ToySettings.load({"TOY_PASSWORD": PASSWORD}),
            lambda: nullcontext(browser),
            runs=tmp_path / "runs",
            ledger=Ledger.beside(tmp_path / "runs"),
            reporter=reporter,
            options=Options(**options),
        )

    return run


def folder_of(tmp_path: Path) -> Path:
    """The one run's folder."""
    (folder,) = (tmp_path / "runs").glob("*-toy-*")
    return folder


def ledger_of(tmp_path: Path) -> list[dict[str, Any]]:
    """The one run's ledger."""
    return [json.loads(line) for line in (folder_of(tmp_path) / "ledger.jsonl").read_text().splitlines()]


def everything_in(folder: Path) -> bytes:
    """All bytes below a folder, those inside zip files unpacked: read without any code of the runner."""
    data = b""
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                data += b"".join(archive.read(name) + name.encode() for name in archive.namelist())
        elif path.is_file():
            data += path.read_bytes()
    return data


def in_vain(act: Callable[[ToyRun], object]) -> Callable[[ToyRun], None]:
    """An act that is to fail, and need not be waited for as long as one that is to succeed on a busy machine."""

    def hasty(run: ToyRun) -> None:
        set_default_timeout(run.page.context, 1)
        act(run)

    return hasty


def test_a_run_leaves_its_ledger_its_pictures_and_its_result(run_toy: Callable[..., Result], tmp_path: Path) -> None:
    """Started and done are recorded around each step, the pictures lie under the guide's paths."""
    result = run_toy(second(toy(), lambda run: control(run.page, "Go").click()))
    assert (result.state, result.steps_done, result.screenshots) == ("done", 2, ["toy/one.png"])
    folder = folder_of(tmp_path)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "screenshots/toy/one.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((folder / "result.json").read_text())["facts"] == {"address": f"{SITE}?code=12345&tab=1"}
    events = [(entry["event"], entry.get("step")) for entry in ledger_of(tmp_path)]
    assert events == [
        ("run started", None),
        ("versions", None),
        ("step started", 1),
        ("screenshot", 1),
        ("facts", 1),
        ("requests", 1),
        ("step done", 1),
        ("step started", 2),
        ("step done", 2),
        ("run ended", None),
    ]
    assert (
        next(entry for entry in ledger_of(tmp_path) if entry["event"] == "screenshot")["url"] == f"{SITE}?code=…&tab=1"
    )


def test_a_failure_says_where_a_reader_would_be_stuck(run_toy: Callable[..., Result], tmp_path: Path) -> None:
    """Step, the guide's words, the page, what was looked for, what was there instead, and a picture of it."""
    with pytest.raises(StepFailed) as caught:
        run_toy(second(toy(), in_vain(lambda run: expect(control(run.page, "Proceed")).to_be_visible())))
    failure = caught.value.failure
    assert (failure.step, failure.says) == (2, '"Go"')
    assert failure.url == f"{SITE}?code=…&tab=1"
    assert failure.looked_for == 'the control "Proceed"'
    assert 'button "Go"' in failure.controls
    assert failure.screenshot
    assert failure.screenshot.is_file()
    assert str(failure.screenshot) in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    result = json.loads((folder_of(tmp_path) / "result.json").read_text())
    assert (result["state"], result["steps_done"], result["failure"]["step"]) == ("failed", 1, 2)


CUT = "'Cut ' + 'a😀'.slice(0, 2)"


def test_a_page_that_cuts_its_texts_anywhere_stops_no_run(run_toy: Callable[..., Result], tmp_path: Path) -> None:
    """Half of an emoji, in the console and in what is repeated of the page, is written as a sign for it."""

    def says_half(run: ToyRun) -> None:
        run.page.evaluate(f"() => {{ console.error({CUT}); document.querySelector('h1').textContent = {CUT}; }}")
        run.say(f'the page says "{run.page.locator("h1").inner_text()}"')

    result = run_toy(second(toy(), says_half), trace="on")
    assert (result.state, result.steps_done) == ("done", 2)
    written = "Cut a\N{REPLACEMENT CHARACTER}"
    assert (
        next(entry for entry in ledger_of(tmp_path) if entry["event"] == "said")["words"]
        == f'the page says "{written}"'
    )
    assert written in (folder_of(tmp_path) / "report.html").read_text(encoding="utf-8")


def has_dashed_box(picture: Path, box: list[float]) -> bool:
    """Whether there are dashes and gaps along the upper edge of a place in CSS pixels, a few pixels above it."""
    with Image.open(picture) as opened:
        shot = opened.convert("RGB")
    x, y, width, _ = box
    along = [shot.getpixel((at, round((y - 3) * 2))) for at in range(round(x * 2), round((x + width) * 2))]
    return {INK, (255, 255, 255)} <= set(along)


COVERED = "<div style='position:fixed;inset:0'></div>"
WIDE = "style='width:200px;height:40px'"


@pytest.mark.parametrize(
    ("html", "act", "marked"),
    [
        (f"<button {WIDE}>Press</button>{COVERED}", lambda run: control(run.page, "Press").click(), "button"),
        (f"<button disabled {WIDE}>Press</button>", lambda run: control(run.page, "Press").click(), "button"),
        (f"<form {WIDE}>form</form>", lambda run: choose(run.page.locator("form"), "Odd", timeout=1), "form"),
        pytest.param(
            f"<p><input {WIDE}></p><p><input></p>",
            lambda run: field(run.page.locator("input"), "age", timeout=1),
            "p",
            marks=pytest.mark.slow,
        ),
        (f"<p {WIDE}>Go</p>", lambda run: expect(control(run.page, "Press")).to_be_visible(), "button#go"),
        (f"<p {WIDE}>Go</p>", lambda run: choose(run.page, "Odd", timeout=1), ""),
        (f"<p {WIDE}>Go</p>", lambda run: first_visible(control(run.page, "Press"), timeout=1), ""),
    ],
    ids=["covered", "disabled", "not in the form", "several fields", "not met", "not on the page", "did not appear"],
)
def test_a_failure_s_picture_shows_where_the_step_did_not_get_on(
    run_toy: Callable[..., Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    html: str,
    act: Callable[[ToyRun], object],
    marked: str,
) -> None:
    """What could not be used, the region that was searched, the guide's control; or nothing, where nothing is known."""
    monkeypatch.setattr("runner.screenshots.SCALE", 2)
    boxes: list[float] = []

    def fail(run: ToyRun) -> None:
        run.page.evaluate(
            "html => { document.body.innerHTML = '<br><br>' + html; }", html + f"<button id=go {WIDE}>Go on</button>"
        )
        run.screenshot(highlight=None if "fixed" in html else run.page.locator("#go"))
        box = run.page.locator(marked or "p").first.bounding_box()
        assert box is not None
        boxes.extend((box["x"], box["y"], box["width"], box["height"]))
        in_vain(act)(run)

    with pytest.raises(StepFailed) as caught:
        run_toy(second(toy(), fail, adds=["two.png"]))
    failure = caught.value.failure
    assert failure.screenshot
    assert failure.marked == bool(marked)
    assert "Press" not in html or failure.looked_for == 'the control "Press"'
    assert has_dashed_box(failure.screenshot, boxes) == bool(marked)
    report = (folder_of(tmp_path) / "report.html").read_text()
    assert ("In the dashed box" in report) == bool(marked)
    assert ("(not on the page)" in report) == (not marked)


def test_a_place_that_cannot_be_asked_for_hides_no_failure(run_toy: Callable[..., Result]) -> None:
    """The picture is there without it."""

    def fail(run: ToyRun) -> None:
        raise Stuck("no such thing", place=run.page.locator("css=[[["))

    with pytest.raises(StepFailed, match="no such thing") as caught:
        run_toy(second(toy(), fail))
    assert caught.value.failure.screenshot
    assert not caught.value.failure.marked


def test_what_was_in_the_way_is_recorded_with_its_step(run_toy: Callable[..., Result], tmp_path: Path) -> None:
    """Told to whoever watches as well; a secret in it is not."""
    told: list[str] = []

    class Listening(Reporter):
        def said(self, words: str) -> None:
            told.append(words)

    def meet(run: ToyRun) -> None:
        dismiss_interruptions(run.page, run.note_interruption, never=[])
        run.page.evaluate(
            "word => { document.body.innerHTML += `<div>cookies <button onclick='this.parentNode.remove()'>OK</button>"
            "<button aria-label='OK'>${word}</button></div>`; }",
            PASSWORD,
        )
        control(run.page, "Go").click()
        run.note_interruption(f"a dialogue, closed with {PASSWORD}")

    run_toy(second(toy(), meet), reporter=Listening())
    closed = ['a cookie banner, closed with "OK"', "a dialogue, closed with [TOY_PASSWORD]"]
    events = [entry for entry in ledger_of(tmp_path) if entry["event"] == "interrupted by"]
    assert [(entry["step"], entry["words"]) for entry in events] == [(2, words) for words in closed]
    assert told == [f"something lay over the page: {words}" for words in closed]


def test_a_page_whose_accessibility_cannot_be_checked_disturbs_no_step(
    run_toy: Callable[..., Result], tmp_path: Path
) -> None:
    """The ledger says why."""
    looks = MagicMock(look=MagicMock(side_effect=PlaywrightError(f"axe failed: {PASSWORD}")))
    assert run_toy(toy(), accessibility=looks).state == "done"
    (entry,) = [entry for entry in ledger_of(tmp_path) if entry["event"] == "no accessibility check"]
    assert (entry["step"], entry["name"]) == (1, "toy/one.png")
    assert entry["sentence"] == "its accessibility could not be checked: axe failed: [TOY_PASSWORD]"


def test_what_was_looked_for_is_said_in_words_or_not_at_all(run_toy: Callable[..., Result]) -> None:
    """A locator that was given no description would be said as the code that makes it."""

    def fail(run: ToyRun) -> None:
        """Fail as an expectation does."""
        raise AssertionError(
            'Locator expected\nCall log:\n  - Expect "to_be_visible" get_by_text("Go") with timeout 9ms'
        )

    with pytest.raises(StepFailed) as caught:
        run_toy(second(toy(), fail))
    assert caught.value.failure.looked_for == ""


def test_a_failed_fill_does_not_tell_the_value(run_toy: Callable[..., Result], tmp_path: Path) -> None:
    """Playwright prints the value of a failed fill; here it says the secret's name."""

    def fill(run: ToyRun) -> None:
        run.page.get_by_label("Nowhere").fill(run.settings.password.reveal())

    with pytest.raises(StepFailed) as caught:
        run_toy(second(toy(), in_vain(fill)), trace="on")
    assert PASSWORD not in str(caught.value)
    assert PASSWORD.encode() not in everything_in(folder_of(tmp_path))


def test_a_mistake_of_ours_is_redacted_too(run_toy: Callable[..., Result]) -> None:
    """An exception that nobody expected crosses the same boundary."""

    def stumble(run: ToyRun) -> None:
        raise KeyError(run.settings.password.reveal())

    with pytest.raises(StepFailed, match=r"a mistake of ours.*KeyError.*test_run\.py:\d+") as caught:
        run_toy(second(toy(), stumble))
    assert PASSWORD not in str(caught.value)


def test_a_value_kept_secret_while_running_is_redacted_from_then_on(
    run_toy: Callable[..., Result], tmp_path: Path
) -> None:
    """A token that a page has just shown goes nowhere: not into ledger, facts, progress, trace or picture."""
    told: list[str] = []

    class Listening(Reporter):
        def said(self, words: str) -> None:
            told.append(words)

    def show(run: ToyRun) -> None:
        token = run.keep_secret(TOKEN, "machine token")
        run.page.get_by_label("Password").fill(token.reveal())
        run.page.evaluate("text => console.log(text)", token.reveal())
        run.say(f"the token is {TOKEN}")
        run.facts["oops"] = f"x{TOKEN}x"
        run.screenshot()

    result = run_toy(second(toy(), show, adds=["two.png"]), trace="on", reporter=Listening())
    assert result.trace == "trace.zip"
    assert told == ["the token is [machine token]"]
    assert TOKEN.encode() not in everything_in(folder_of(tmp_path))
    assert json.loads((folder_of(tmp_path) / "result.json").read_text())["facts"]["oops"] == "x[machine token]x"


def test_a_redacted_trace_is_still_a_trace(run_toy: Callable[..., Result], tmp_path: Path) -> None:
    """Every line of it is JSON, and the action that typed the secret is there, with the secret's name in it."""

    def fill(run: ToyRun) -> None:
        run.page.get_by_label("Password").fill(run.settings.password.reveal())

    run_toy(second(toy(), fill), trace="on")
    with zipfile.ZipFile(folder_of(tmp_path) / "trace.zip") as archive:
        lines = [json.loads(line) for line in archive.read("trace.trace").splitlines()]
    filled = [line for line in lines if line.get("method") == "fill"]
    assert filled[0]["params"]["value"] == "[TOY_PASSWORD]"


@pytest.mark.parametrize(
    ("mode", "kept", "film"), [("off", False, False), ("retain-on-failure", True, False), ("on", True, True)]
)
def test_a_trace_is_kept_as_asked(
    run_toy: Callable[..., Result], tmp_path: Path, mode: str, *, kept: bool, film: bool
) -> None:
    """Off keeps none; retain-on-failure keeps that of a run that failed, with what its pages were like, but no film."""
    with pytest.raises(StepFailed):
        run_toy(second(toy(), in_vain(lambda run: control(run.page, "Proceed").click())), trace=mode)
    trace = folder_of(tmp_path) / "trace.zip"
    assert trace.exists() == kept
    if kept:
        assert b"frame-snapshot" in zipfile.ZipFile(trace).read("trace.trace")
        assert bool(pictures_of_trace(trace)) == film
    assert ("film" in ledger_of(tmp_path)[0]["how"]) == film


def test_a_trace_that_cannot_be_redacted_is_not_kept_and_hides_no_failure(
    run_toy: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is wrong with it, the step's own failure is what is told, and the result says what is missing."""

    def broken(source: Path, target: Path, *_: object) -> None:
        target.write_bytes(source.read_bytes()[:100])
        raise ValueError(PASSWORD)

    monkeypatch.setattr("runner.traces.rewrite", broken)
    with pytest.raises(StepFailed, match="Timeout 1000ms exceeded"):
        run_toy(second(toy(), in_vain(lambda run: control(run.page, "Begin").click())), trace="retain-on-failure")
    result = json.loads((folder_of(tmp_path) / "result.json").read_text())
    assert (result["state"], result["trace"]) == ("failed", None)
    assert result["not_kept"] == ["the trace could not be written without its secrets: ValueError"]
    assert not list(folder_of(tmp_path).glob("*.zip"))


def test_what_a_page_calls_an_address_disturbs_no_step(run_toy: Callable[..., Result], tmp_path: Path) -> None:
    """Errors in the console and failed requests are noted with the step, wherever they say they come from."""

    def stumble(run: ToyRun) -> None:
        run.page.route("**/missing?*", lambda route: route.fulfill(status=404, body=""))
        run.page.evaluate(
            """async () => {
                console.error('no such thing');
                await fetch('/missing?token=1234567');
                eval('throw new Error("in a module")\\n//# sourceURL=webpack://[name]/x.js');
            }"""
        )

    with pytest.raises(StepFailed, match="in a module"):
        run_toy(second(toy(), stumble))
    (trouble,) = [entry for entry in ledger_of(tmp_path) if entry["event"] == "trouble"]
    assert (trouble["step"], trouble["more"]) == (2, 0)
    assert "no such thing" in [said["text"] for said in trouble["console"]]
    assert [(one["status"], one["url"]) for one in trouble["requests"]] == [(404, f"{SITE}missing?token=…")]


def test_an_interruption_ends_a_run_whose_page_does_not_answer(
    run_toy: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing more is asked of the page then."""
    looked: list[str] = []
    monkeypatch.setattr("runner.camera.Camera.off", lambda _, page: looked.append(page.url))

    def interrupt(run: ToyRun) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_toy(second(toy(), interrupt), trace="on")
    assert looked == []


def test_an_interruption_that_was_made_into_an_error_is_one(run_toy: Callable[..., Result], tmp_path: Path) -> None:
    """A class body does so, of a module that is imported in the midst of a step; the step has not failed."""

    def interrupt(run: ToyRun) -> None:
        raise RuntimeError("Error calling __set_name__") from KeyboardInterrupt()

    with pytest.raises(KeyboardInterrupt):
        run_toy(second(toy(), interrupt))
    assert json.loads((folder_of(tmp_path) / "result.json").read_text())["state"] == "interrupted"


def test_the_gate_deletes_what_holds_a_secret(run_toy: Callable[..., Result], tmp_path: Path) -> None:
    """Should a secret get into a file all the same, the file goes and the run ends with exit code 6."""

    def leak(run: ToyRun) -> None:
        (run.folder / "leak.txt").write_text(f"Authorization: {PASSWORD}")

    with pytest.raises(SecretFound, match=r"leak\.txt held the TOY_PASSWORD") as caught:
        run_toy(second(toy(), leak))
    assert caught.value.exit_code == 6
    assert not (folder_of(tmp_path) / "leak.txt").exists()


def test_steps_are_performed_again_when_a_session_was_lost(run_toy: Callable[..., Result], tmp_path: Path) -> None:
    """StartAgain goes back to the step it names; the pictures are taken anew."""
    lost = [True, False]

    def lose(run: ToyRun) -> None:
        del run
        if lost.pop(0):
            raise StartAgain("the session had ended", step=1)

    result = run_toy(second(toy(), lose))
    assert (result.state, result.steps_done, result.screenshots) == ("done", 2, ["toy/one.png"])
    assert [entry["step"] for entry in ledger_of(tmp_path) if entry["event"] == "step started"] == [1, 2, 1, 2]


def test_a_dry_run_whose_session_was_lost_is_performed_again(run_toy: Callable[..., Result]) -> None:
    """The step that it would go back to is none of its own."""
    lost, flow = [True, False], toy()

    @flow.preflight
    def check(run: ToyRun) -> None:
        """Check the toy."""
        del run
        if lost.pop(0):
            raise StartAgain("the session had ended", step=1)

    assert run_toy(flow, only_preflight=True).state == "dry run"
    assert lost == []


def test_a_session_that_was_lost_in_a_tab_beside_leaves_no_tab(run_toy: Callable[..., Result]) -> None:
    """The run goes on in the tab in which it was."""
    lost, tabs = [True, False], []

    def lose(run: ToyRun) -> None:
        with run.tab_beside() as page:
            page.goto("about:blank")
            if lost.pop(0):
                raise StartAgain("the session had ended", step=1)
        tabs.append((len(run.page.context.pages), run.at is run.page))

    assert run_toy(second(toy(), lose)).state == "done"
    assert tabs == [(1, True)]


def test_a_session_that_is_lost_again_and_again_ends_the_run(run_toy: Callable[..., Result]) -> None:
    """Two new beginnings are enough."""

    def lose(run: ToyRun) -> None:
        raise StartAgain("the session had ended", step=1)

    with pytest.raises(StepFailed, match="the session had ended; that happened 3 times"):
        run_toy(second(toy(), lose))


def test_a_step_has_to_take_the_pictures_that_it_declares(run_toy: Callable[..., Result]) -> None:
    """A missing picture is a mistake of the flow, not something to notice in the documentation later."""
    with pytest.raises(StepFailed, match="took 0 of its 1 screenshots"):
        run_toy(second(toy(), lambda run: run.say("no picture"), images=["two.png"]))


def test_a_run_can_stop_after_a_step(run_toy: Callable[..., Result]) -> None:
    """--until performs the steps up to that one, and the result does not say done."""
    result = run_toy(second(toy(), lambda run: run.page.close()), until=1)
    assert (result.state, result.steps_done) == ("stopped", 1)


def test_a_step_that_does_not_exist_is_refused(run_toy: Callable[..., Result]) -> None:
    """Zero steps performed is never a success."""
    with pytest.raises(WrongUsage, match="there is no step 3"):
        run_toy(second(toy(), lambda run: run.page.close()), until=3)


def test_what_is_usual_can_be_looked_up_no_longer_than_one_waits(
    run_toy: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interruption then comes at once; the run has its result and its end all the same."""
    went_on = []
    # Whoever starts the tests in the background may have them ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def look_up(*_: object) -> list[Any]:
        os.kill(os.getpid(), signal.SIGINT)
        went_on.append(True)
        return []

    monkeypatch.setattr(performance, "earlier", look_up)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_toy(toy())
    finally:
        signal.signal(signal.SIGINT, before)
    assert not went_on
    assert (folder_of(tmp_path) / "report.html").is_file()
    assert json.loads((folder_of(tmp_path) / "result.json").read_text())["state"] == "done"
    assert ledger_of(tmp_path)[-1]["state"] == "done"


def test_a_ledger_that_tells_no_times_costs_no_evidence(
    run_toy: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report then does not say what is usual."""

    def look_up(*_: object) -> list[Any]:
        raise LedgerFailed("the ledger", "it is locked")

    monkeypatch.setattr(performance, "earlier", look_up)
    assert run_toy(toy()).state == "done"
    assert (folder_of(tmp_path) / "report.html").is_file()


def test_a_run_records_where_and_how_it_is_performed(
    run_toy: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What makes it faster or slower than others is known afterwards; a container's host name would be new each time."""
    monkeypatch.setenv("GUIDERUNNER_MACHINE", "worker-7")
    run_toy(toy(), trace="retain-on-failure", video=True, how=("slow-mo 5",))
    assert ledger_of(tmp_path)[0]["how"] == ["trace", "video", "slow-mo 5"]
    assert Ledger.beside(tmp_path / "runs").runs()[0].machine == "worker-7"


def test_an_interrupted_run_says_so(run_toy: Callable[..., Result], tmp_path: Path) -> None:
    """Ctrl-C leaves a clean record."""

    def interrupt(run: ToyRun) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_toy(second(toy(), interrupt))
    assert json.loads((folder_of(tmp_path) / "result.json").read_text())["state"] == "interrupted"
    assert ledger_of(tmp_path)[-1]["state"] == "interrupted"


def test_a_browser_that_crashes_is_a_failure_with_a_record(run_toy: Callable[..., Result], tmp_path: Path) -> None:
    """The tab closes under the step: no picture can be taken, and the ledger says so."""

    def crash(run: ToyRun) -> None:
        run.page.close()
        control(run.page, "Go").click()

    with pytest.raises(StepFailed, match="closed"):
        run_toy(second(toy(), crash))
    assert json.loads((folder_of(tmp_path) / "result.json").read_text())["state"] == "failed"


def test_steps_have_to_follow_each_other() -> None:
    """A number that is left out or repeated is a mistake of the flow's author."""
    flow = toy()
    with pytest.raises(ValueError, match="step 3 of toy does not follow step 1"):
        flow.step(3)


def test_no_picture_is_still_to_be_written_when_something_is_about_to_happen(
    run_toy: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is killed after an act that cannot be repeated has photographed what led to it."""
    slowly = threading.Event()
    written: list[bool] = []

    def encode(picture: Image.Image) -> bytes:
        slowly.wait(0.5)
        return encoded(picture)

    monkeypatch.setattr("runner.darkroom.encoded", encode)

    def act(run: ToyRun) -> None:
        run.screenshot(highlight=control(run.page, "Go"))
        run.about_to("press it")
        written.append((run.folder / "screenshots/two.png").is_file())

    class Told(Reporter):
        """Looks whether what it is told of is there."""

        def screenshot(self, name: str, path: Path) -> None:
            """Look."""
            written.append(path.is_file())

    flow = second(toy(), act, adds=["two.png"])
    flow.steps[1].already_done(lambda _: False)
    run_toy(flow, Told())
    assert written == [True, True, True]


def test_a_picture_that_cannot_be_written_fails_its_step(
    run_toy: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not passed over that evidence is missing."""

    def full(_: Image.Image) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("runner.darkroom.encoded", full)
    with pytest.raises(StepFailed, match="No space left on device"):
        run_toy(toy())


def test_a_picture_that_cannot_be_written_hides_no_failure(
    run_toy: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the step itself failed of is told, without a secret, and the picture is noted beside it."""
    told: list[str] = []

    class Told(Reporter):
        """Keeps the names of screenshots."""

        def screenshot(self, name: str, path: Path) -> None:
            """Keep it."""
            told.append(name)

    def act(run: ToyRun) -> None:
        monkeypatch.setattr("runner.darkroom.encoded", full)
        run.screenshot(highlight=control(run.page, "Go"))
        raise Stuck(f"nothing came of {PASSWORD}")

    def full(_: Image.Image) -> bytes:
        raise OSError(28, "No space left on device")

    with pytest.raises(StepFailed) as caught:
        run_toy(second(toy(), act, adds=["two.png"]), Told())
    assert caught.value.failure.sentence == "nothing came of [TOY_PASSWORD]"
    assert caught.value.failure.screenshot is None
    assert told == ["toy/one.png"]
    noted = [entry["sentence"] for entry in ledger_of(tmp_path) if entry["event"] == "not kept"]
    assert len(noted) == 2
    assert all("a screenshot could not be written: " in sentence for sentence in noted)


@pytest.mark.parametrize("written", ["", '{"id": "2026'])
def test_a_result_that_cannot_be_written_whole_is_not_there(
    run_toy: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    """A disk that is full in its midst: what tells how a run ended finds no file, instead of one that it cannot read."""
    write_text = type(tmp_path).write_text

    def full(path: Path, text: str, **options: Any) -> int:
        if path.name != "result.json":
            return write_text(path, text, **options)
        write_text(path, written, **options)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(tmp_path), "write_text", full)
    with pytest.raises(LedgerFailed, match="No space left on device"):
        run_toy(toy())
    assert list(tmp_path.rglob("ledger.jsonl"))
    assert not list(tmp_path.rglob("result.json"))


def test_a_report_that_cannot_be_written_costs_no_result(
    run_toy: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The result was whole before the disk was full: it stays."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("runner.report.write_report", full)
    with pytest.raises(LedgerFailed, match="No space left on device"):
        run_toy(toy())
    (written,) = tmp_path.rglob("result.json")
    assert json.loads(written.read_text())["state"] == "done"


def test_an_expectation_that_is_not_met_is_a_sentence_about_what_was_expected(run_toy: Callable[..., Result]) -> None:
    """It names the control as the guide does, without the page's whole tree, and what was there stays in it."""

    def press(run: ToyRun) -> None:
        expect(control(run.page, "Stop")).to_be_visible(timeout=10)

    def read(run: ToyRun) -> None:
        expect(run.page.get_by_role("heading")).to_have_text("Ball", timeout=10)

    with pytest.raises(StepFailed) as caught:
        run_toy(second(toy(), press))
    said = caught.value.failure.sentence
    assert said.startswith('the control "Stop" expected to be visible; Error: element(s) not found')
    assert "Aria" not in said
    with pytest.raises(StepFailed) as caught:
        run_toy(second(toy(), read))
    assert caught.value.failure.sentence == "Locator expected to have text 'Ball'; Actual value: Toy"


def test_a_tree_of_names_loses_a_secret_that_is_split_among_its_lines() -> None:
    """Its other lines stay as they are, also those that hold less of it."""
    token = "Zq3-abcdefGHIJ0123456789_klmnopQRSTuvwxyz4567"
    secrets = Secrets()
    secrets.add(Secret(token, "machine token"))
    groups = [token[at : at + 5] for at in range(0, len(token), 5)]
    tree = "\n".join(
        [
            '- heading "Your token" [level=1]',
            "- row:",
            *(f'  - cell "{group}"' for group in groups),
            f"- paragraph: {' '.join(groups)}",
            f"- paragraph: {token[:11]}",
            '- button "Copy"',
        ]
    )
    kept = ['- heading "Your token" [level=1]', "- row:", f"- paragraph: {token[:11]}", '- button "Copy"']
    clean = without_spread(tree, secrets).split("\n")
    assert [line for line in clean if "machine token" not in line] == kept
    assert clean[2] == "  - '[machine token]'"
