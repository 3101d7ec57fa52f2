"""The report in a real browser: readable by everyone, on a phone, on paper, offline, and without a secret."""

from __future__ import annotations

import base64
import json
import re
from contextlib import contextmanager
from dataclasses import fields, replace
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal, get_args, get_type_hints

import pytest
from axe_playwright_python.sync_playwright import Axe
from jsonschema import Draft202012Validator
from playwright.sync_api import expect

from runner import performance
from runner.errors import Failure, Question, StepFailed, Stuck
from runner.gate import scan
from runner.ledger import Ledger
from runner.pages import duration, size
from runner.performance import Ended, Result
from runner.report import write_report
from runner.roster import Entry
from runner.secrets import Secret, Secrets
from runner.summary import write_summary
from runner.timing import Usual
from tests.runner.test_resume import Toys, World, toy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserType, Page

    from runner.run import Run

Scheme = Literal["light", "dark"]
Look = tuple[Scheme, int]

PHONE = 390
LOOKS: list[Look] = [("light", 1280), ("dark", 1280), ("light", PHONE), ("dark", PHONE)]
SCRIPT = '<script>alert("x")</script>'


@pytest.fixture
def sharp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures of the usual size."""
    monkeypatch.setattr("runner.screenshots.SCALE", 2)


@pytest.fixture
def toys(
    browser: Browser,
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Toys:
    """The toy flow, whose last step takes a screenshot when it is over; pauses take no time."""
    monkeypatch.setattr(performance, "pause_for", lambda _: None)
    launch = lambda: browser_type.launch(**browser_type_launch_args)  # noqa: E731 - as the other tests have it
    return Toys(World(looks=[photograph]), browser, launch, tmp_path / "runs", pictures=["toys/over.png"])


def photograph(run: Run[Any]) -> bool:
    """It is over: take the screenshot of that."""
    run.screenshot()
    return True


def ended(toys: Toys, how: str) -> dict[str, Any]:
    """A run of the toy that ends like this; what is in its result.json."""
    if how == "dry run":
        toys.begin(only_preflight=True)
    elif how == "waiting":
        toys.world.looks = [False]
        toys.begin(wait=False)
    elif how == "done":
        toys.begin()
    else:
        toys.world.trouble = [None, Question("Does it play?") if how == "asks" else Stuck(f"it says {SCRIPT}")]
        with pytest.raises(StepFailed):
            toys.begin(trace="on")
    result: dict[str, Any] = json.loads((toys.record.folder / "result.json").read_text())
    assert result["state"] == how
    return result


def met_everything(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a run has recorded, with everything that a step can meet in its second step, and hours of nobody at work."""
    at = next(entry["at"] for entry in entries if entry["event"] == "step started" and entry["step"] == 2)
    met: list[dict[str, Any]] = [
        {"event": "versions", "guiderunner": "0.1.0", "python": "3.11.2", "browser": "chromium 141"},
        {"event": "said", "step": 2, "words": f"it says {SCRIPT}"},
        {
            "event": "trouble",
            "step": 2,
            "console": [{"type": "error", "text": f"oops {SCRIPT}", "url": "https://toy.example/a.js"}],
            "requests": [
                {"method": "GET", "url": "https://toy.example/" + "long" * 60, "status": None, "reason": "net::FAILED"},
                {"method": "POST", "url": "https://toy.example/b", "status": 503, "reason": ""},
            ],
            "more": 7,
        },
        {"event": "interrupted by", "step": 2, "words": 'a cookie banner, closed with "Reject all"'},
        {
            "event": "accessibility",
            "step": 2,
            "name": "toys/one.png",
            "violations": [
                {"id": "link-name", "impact": "serious", "help": "Name it", "nodes": 1, "new": False},
                {"id": "label", "impact": "critical", "help": "Label it", "nodes": 2, "new": True},
            ],
        },
        {"event": "accessibility", "step": 2, "name": "toys/two.png", "violations": []},
        {"event": "facts", "step": 2, "facts": {"address": "https://toy.example/new", "trap": "javascript:alert(1)"}},
        {"event": "step again", "step": 2, "instead_of": 3, "sentence": "the session had ended"},
        {"event": "step started", "step": 2, "says": ""},
        {"event": "not kept", "sentence": "the video has a gap"},
    ]
    index = next(n for n, entry in enumerate(entries) if entry["event"] == "step done" and entry["step"] == 2)
    night = [{"at": at, "event": "run ended", "state": "interrupted"}, {"at": at, "event": "run goes on"}]
    return [
        {**entry, "at": entry["at"].replace("T0", "T1") if "goes on" in entry["event"] else entry["at"]}
        for entry in [*entries[:index], *night, *({"at": at, **one} for one in met), *entries[index:]]
    ]


def report_of(toys: Toys, **options: Any) -> Path:
    """The report of the latest run."""
    return write_report(toy(toys.world, toys.pictures), toys.record, toys.ledger.entries(toys.record.id), **options)


@contextmanager
def opened(browser: Browser, path: Path, look: Look = ("light", 1280), **more: Any) -> Iterator[Page]:
    """The report in a browser without a network; neither a request nor a complaint may come of it."""
    scheme, width = look
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme, offline=True, **more)
    page = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.goto(path.as_uri())
    yield page
    context.close()
    assert [url for url in asked if not url.startswith("data:image/")] == [path.as_uri()]
    assert said == []


def is_accessible(page: Page) -> None:
    """Assert that axe finds nothing, and that nothing has to be scrolled sideways."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0


@pytest.mark.browser
@pytest.mark.parametrize("how", ["failed", *(pytest.param(how, marks=pytest.mark.slow) for how in ("asks", "waiting"))])
def test_a_report_is_for_everyone(toys: Toys, browser: Browser, how: str) -> None:
    """In light and dark, on a desk and on a phone; it asks for nothing."""
    ended(toys, how)
    path = report_of(toys)
    for look in LOOKS:
        with opened(browser, path, look) as page:
            expect(page.locator("article.step h3")).to_have_count(5)
            expect(page.locator(".picture")).to_have_count(0 if how == "waiting" else 1)
            is_accessible(page)


@pytest.mark.browser
def test_a_report_says_what_is_usual_from_the_fourth_run_on(toys: Toys, browser: Browser) -> None:
    """Beside the time of each step; a step that took much longer is called slower, in words."""
    for number in range(4):
        toys.begin(again=bool(number))
        path = toys.record.folder / "report.html"
        assert ("usually" in path.read_text()) == (number == 3)  # three before it
    path = report_of(toys, usual={2: Usual((9.0, 9.0, 10.0)), 4: Usual((0.01, 0.02, 0.02))})
    for look in LOOKS[1:3]:
        with opened(browser, path, look) as page:
            is_accessible(page)
            name, play = (page.get_by_role("article", name=said) for said in ("Name the toy", "Play with it"))
            expect(name).to_contain_text("usually 9.0 s (faster)")
            expect(play).to_contain_text("usually under 0.1 s")
            expect(play).not_to_contain_text("usually under 0.1 s (")
            expect(page.get_by_role("article", name="Open the toy")).not_to_contain_text("usually")
            expect(page.get_by_role("region", name="Where the time went")).to_contain_text(
                "Usually: the median of 3 earlier runs like this one."
            )


@pytest.mark.slow
@pytest.mark.browser
def test_a_report_with_everything_in_it_is_for_everyone_too(toys: Toys, browser: Browser) -> None:
    """Everything that a step can meet is shown, as text: what a page says becomes neither an element nor a link."""
    ended(toys, "done")
    record, entries = replace(toys.record, site=SCRIPT), met_everything(toys.ledger.entries(toys.record.id))
    (record.folder / "videos").mkdir()
    (record.folder / "videos/01.webm").write_bytes(b"")
    path = write_report(toy(toys.world, toys.pictures), record, entries)
    assert "<script" not in path.read_text()
    for look in LOOKS:
        with opened(browser, path, look) as page:
            is_accessible(page)
            expect(page.get_by_role("heading", level=1)).to_have_text(SCRIPT)
            step = page.get_by_role("article", name="Name the toy")
            for said in (
                f"it says {SCRIPT}",
                f"oops {SCRIPT}",
                "503 POST https://toy.example/b",
                "net::FAILED GET",
                "7 more console errors or failed requests",
                'a cookie banner, closed with "Reject all"',
                "new critical: Label it (label, 2 places, toys/one.png)",
                "no violations found, toys/two.png",
                "2 times",
                "the session had ended",
                "javascript:alert(1)",
            ):
                expect(step).to_contain_text(said)
            expect(step.locator("strong.trouble")).to_have_count(1)
            expect(step).not_to_contain_text("new serious: Name it")
            expect(step.get_by_role("link", name="https://toy.example/new")).to_have_count(1)
            assert page.locator("a[href^=javascript]").count() == 0
            expect(page.get_by_role("banner")).to_contain_text("chromium 141")
            files = page.get_by_role("region", name="Files of this run")
            expect(files).to_contain_text("the video has a gap")
            assert files.get_by_role("link", name="01.webm").get_attribute("href") == "videos/01.webm"
            page.locator(".picture").click()
            expect(page.get_by_role("dialog")).to_be_visible()
            is_accessible(page)


@pytest.mark.browser
def test_a_failure_comes_first(toys: Toys, browser: Browser) -> None:
    """The sentence, the picture, what was there, how to go on, and the trace with the command that opens it."""
    result = ended(toys, "failed")
    with opened(browser, report_of(toys)) as page:
        first = page.get_by_role("main").locator("section").first
        expect(first.get_by_role("heading")).to_have_text(f"Step 4: it says {SCRIPT}")
        expect(first).to_contain_text('heading "Toy"')
        expect(first).to_contain_text(f"guiderunner resume {result['id']}")
        expect(first).to_contain_text(f"playwright show-trace {toys.record.folder / 'trace.zip'}")
        assert first.get_by_role("link", name="trace.zip").get_attribute("href") == "trace.zip"
        shown = first.locator(".picture img")
        expect(shown).to_have_attribute("alt", "What the page showed when step 4 did not go on")
        states = page.locator(".film .state").all_inner_texts()
        assert states == ["Done", "Done", "Done", "Done", "Failed"]


@pytest.mark.browser
def test_a_question_says_how_it_is_answered(toys: Toys, browser: Browser) -> None:
    """It is shown as a question, with the command."""
    result = ended(toys, "asks")
    with opened(browser, report_of(toys)) as page:
        first = page.get_by_role("main").locator("section").first
        expect(first).to_contain_text("Asks")
        expect(first).to_contain_text("Step 4: Does it play?")
        expect(first).to_contain_text(f"guiderunner resume {result['id']} --answer no")


@pytest.mark.browser
def test_a_report_says_what_was_not_reached_and_how_to_go_on(toys: Toys, browser: Browser) -> None:
    """A run that was stopped after its first step, as long as it can be taken up."""
    toys.begin(until=1)
    command = f"guiderunner resume {toys.record.id}"
    with opened(browser, report_of(toys)) as page:
        assert page.locator(".film .state").all_inner_texts() == ["Done", "Done", *["Not reached"] * 3]
        expect(page.get_by_role("banner")).to_contain_text("1 of 4 steps done")
        expect(page.get_by_role("banner")).to_contain_text(command)
    interrupted = report_of(toys, state="interrupted").read_text()
    assert "It was interrupted in its beginning. To go on:" in interrupted
    toys.ledger.give_up(toys.record)
    assert command not in report_of(toys).read_text()


@pytest.mark.browser
@pytest.mark.usefixtures("sharp")
def test_a_picture_is_enlarged_by_keyboard_without_a_script(toys: Toys, browser: Browser) -> None:
    """Tab to it, Enter; it is there in its full size; Escape closes it, and the focus is back. The same by clicks."""
    ended(toys, "done")
    with opened(browser, report_of(toys), java_script_enabled=False) as page:
        picture, dialog = page.locator(".picture"), page.locator(".enlarged")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Go to the steps")).to_be_focused()
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.locator(".picture:focus").count():
                break
        expect(picture).to_be_focused()
        expect(dialog).not_to_be_visible()
        page.keyboard.press("Enter")
        expect(dialog).to_be_visible()
        expect(dialog.get_by_role("button", name="Close")).to_be_focused()
        size = dialog.locator("img").evaluate("image => [image.naturalWidth, image.naturalHeight]")
        assert size == [2560, 1600]
        page.keyboard.press("Escape")
        expect(dialog).not_to_be_visible()
        expect(picture).to_be_focused()
        picture.click()
        expect(dialog).to_be_visible()
        dialog.get_by_role("button", name="Close").click()
        expect(dialog).not_to_be_visible()


@pytest.mark.browser
def test_each_picture_of_a_report_is_what_it_says_it_is(toys: Toys) -> None:
    """Small ones are WebP, and enlarged it is the run's own file, of which not a pixel is lost."""
    ended(toys, "done")
    kept = {path.read_bytes() for path in (toys.record.folder / "screenshots").rglob("*.png")}
    shown = re.findall(r'src="data:image/(\w+);base64,([^"]+)"', report_of(toys).read_text())
    pictures = [(kind, base64.b64decode(data)) for kind, data in shown]
    assert {kind for kind, _ in pictures} == {"png", "webp"}
    assert {data for kind, data in pictures if kind == "png"} == kept
    assert all(data.startswith(b"RIFF") for kind, data in pictures if kind == "webp")


@pytest.mark.browser
def test_on_paper_there_is_every_step_and_every_note(toys: Toys, browser: Browser) -> None:
    """What is folded on the screen is not folded on paper, and what can only be pressed is not there."""
    for number in range(9):
        toys.world.looks.insert(0, lambda run, number=number: run.say(f"at {number}"))
    ended(toys, "done")
    with opened(browser, report_of(toys)) as page:
        notes = page.locator(".log li")
        folded = notes.filter(has_text="at 0")
        expect(folded).not_to_be_visible()
        page.emulate_media(media="print")
        assert page.locator("article.step h3, .log li").evaluate_all("all => all.every(one => one.checkVisibility())")
        expect(folded).to_be_visible()
        assert notes.count() > 9
        expect(page.locator(".enlarged")).not_to_be_visible()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


@pytest.mark.browser
def test_a_picture_that_is_gone_is_said_to_be_gone(toys: Toys, browser: Browser) -> None:
    """And one that is broken; the rest of the report is there."""
    ended(toys, "done")
    picture = toys.record.folder / "screenshots/toys/over.png"
    picture.write_bytes(b"no picture")
    assert "toys/over.png cannot be shown: cannot identify image file" in report_of(toys).read_text()
    picture.unlink()
    with opened(browser, report_of(toys)) as page:
        expect(page.get_by_role("article", name="Play with it")).to_contain_text(
            "toys/over.png is not in the run's folder any more."
        )


@pytest.mark.browser
@pytest.mark.usefixtures("sharp")
def test_no_secret_is_in_a_report(toys: Toys, browser: Browser) -> None:
    """Neither one with quotes in it, nor a short one that stands in a picture by chance; the picture stays whole."""
    ended(toys, "done")
    entries = toys.ledger.entries(toys.record.id)
    by_chance = re.findall('(?<=base64,)[^"]{40,}?([A-Za-z]{4})', report_of(toys).read_text())[-1]
    secrets = Secrets()
    quoted = """it's "so" <b>&"""
    secrets.add(Secret(quoted, "password"))
    secrets.add(Secret(by_chance, "short one"))
    entries[-2]["facts"] = {"oops": f"x{quoted}x", "again": f"x{by_chance}x"}
    path = write_report(toy(toys.world, toys.pictures), toys.record, entries, secrets=secrets)
    assert scan(path.parent, secrets) == []
    assert "x[password]x" in path.read_text()
    assert "x[short one]x" in path.read_text()
    with opened(browser, path) as page:
        assert page.locator("img").evaluate_all("all => all.map(one => one.naturalWidth)") == [400, 1280, 2560]


@pytest.mark.browser
def test_the_report_of_a_fleet_is_for_everyone(tmp_path: Path, browser: Browser) -> None:
    """All sites with their states, and what went wrong first: the same sentence about two sites is told once."""
    taken = 'Step 3: the page says "The name {} is taken."'
    sites = {
        "one": ("done", ""),
        "two": ("failed", taken.format("two")),
        "three": ("failed", taken.format("three")),
        SCRIPT: ("asks", "Step 4: Does it play?; go on with: guiderunner resume x --answer no"),
        "five": ("running", ""),
        "six": ("waiting", ""),
        "seven": ("queued", ""),
    }
    entries = [
        Entry(subject=site, fleet="toys", flow="toy", site=site, state=state, sentence=said, machine="here", step=3)  # type: ignore[arg-type]
        for site, (state, said) in sites.items()
    ]
    write_summary(tmp_path, "toys", entries, Ledger.beside(tmp_path))
    for look in LOOKS:
        with opened(browser, tmp_path / "summary.html", look) as page:
            is_accessible(page)
            expect(page.get_by_role("row")).to_have_count(len(sites) + 1)
            expect(page.get_by_role("row", name="two")).to_contain_text("Failed")
            groups = page.get_by_role("region", name="What went wrong")
            expect(groups.get_by_role("heading", level=3)).to_have_text([taken.format("two"), "Step 4: Does it play?"])
            expect(groups).to_contain_text("2 sites")
            expect(groups.locator(".chips")).to_have_text(["twothree", SCRIPT])


# -- durations and sizes --------------------------------------------------------------------------------------------


def test_durations_and_sizes_are_told_in_what_tells_most() -> None:
    """Each in two units at most, and rounded before it is cut into them."""
    said = [duration(seconds) for seconds in (0, 0.05, 9.94, 9.96, 59.4, 59.6, 3599.6, 7500, 90000)]
    assert said == [
        *("under 0.1 s", "0.1 s", "9.9 s", "10 s", "59 s"),
        *("1 min 00 s", "1 h 00 min", "2 h 05 min", "1 d 1 h"),
    ]
    assert [size(number) for number in (1, 1600, 2_340_000)] == ["1 kB", "2 kB", "2.3 MB"]


# -- the schema of result.json --------------------------------------------------------------------------------------

SCHEMA = json.loads(resources.files("runner").joinpath("result.schema.json").read_text(encoding="utf-8"))


def test_the_schema_says_what_the_code_says() -> None:
    """The same fields, all of them required, none besides; the same states; every one is described."""
    Draft202012Validator.check_schema(SCHEMA)
    failure = SCHEMA["$defs"]["failure"]
    for schema, kind in ((SCHEMA, Result), (failure, Failure)):
        names = [each.name for each in fields(kind)]
        assert [*schema["properties"]] == schema["required"] == names
        assert schema["additionalProperties"] is False
        assert all(about["description"].endswith(".") for about in schema["properties"].values())
    assert SCHEMA["properties"]["state"]["enum"] == [*get_args(Ended)]
    plain = {str: "string", int: "integer", float: "number", bool: "boolean"}
    for name, kind in get_type_hints(Result).items():
        if kind in plain:
            assert SCHEMA["properties"][name]["type"] == plain[kind], name


@pytest.mark.browser
@pytest.mark.parametrize("how", ["done", "failed", "asks", "waiting", "dry run"])
def test_a_result_is_as_its_schema_says(toys: Toys, how: str) -> None:
    """Whatever way a run ends; a field more or less is noticed."""
    result = ended(toys, how)
    check = Draft202012Validator(SCHEMA)
    assert [error.message for error in check.iter_errors(result)] == []
    assert not check.is_valid({**result, "colour": "red"})
    assert not check.is_valid({name: value for name, value in result.items() if name != "facts"})
