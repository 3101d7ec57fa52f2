"""A guide's images are taken anew, and those are replaced, all or none, in which a reader would see a change."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageChops, ImageDraw

from runner import regenerate as regenerating
from runner.controls import control
from runner.darkroom import printed, printed_anew
from runner.difference import SAME_PIXELS
from runner.environment import fingerprint
from runner.errors import GuideDiffers, NotPublished, StepFailed, WrongUsage
from runner.flow import Flow
from runner.guide import read_guide
from runner.image_files import encoded, opened
from runner.ledger import Ledger
from runner.look import Look
from runner.performance import Options, perform
from runner.regenerate import RECORD, Record, Regeneration, line_hash, sittings, small, wanted_images
from runner.run import Run
from runner.settings import Settings, setting
from runner.studio import Studio, Taken, Variant

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser

    from runner.regenerate import Decision

SITE = "https://toy.example/"
IMAGES = ["toy/one.png", "two.png", "three.png"]
LOOK = Look(viewport=(640, 400), scale=2)


class ToySettings(Settings):
    """One setting."""

    name: str = setting("TOY_NAME", help="a name", default="Jo")


class ToyRun(Run[ToySettings]):
    """A run whose pages answer from the test."""

    pages: dict[int, str]

    def patience(self) -> float:
        """Short, so that what never comes does not hold up the tests."""
        return 3


def toy(pages: dict[int, str]) -> Flow[ToyRun]:
    """A flow of three steps, each with a page and an image."""
    flow = Flow("toy", edition="1", run=ToyRun, settings=ToySettings)

    def step(number: int, image: str) -> None:
        def look_at_page(run: ToyRun) -> None:
            body = f"<!doctype html><title>Toy</title><style>body {{ font: 16px sans-serif; margin: 40px }}</style>{pages[number]}"
            run.page.unroute_all()
            run.page.route(f"{SITE}**", lambda route: route.fulfill(content_type="text/html", body=body))
            run.page.goto(f"{SITE}{number}")
            run.screenshot(highlight=control(run.page, "Go on"))

        look_at_page.__doc__ = f"Look at page {number}."
        flow.step(number, says="Go on", images=[image])(look_at_page)

    for number, image in enumerate(IMAGES, 1):
        step(number, image)
    return flow


@pytest.fixture
def pages() -> dict[int, str]:
    """What the toy's pages show; a test may change it."""
    return {
        1: "<h1>Welcome</h1><p>Nothing here yet.</p><button>Go on</button>",
        2: "<h1>Your name</h1><input value=Jo aria-label=Name autofocus><p><button>Go on</button>",
        3: "<h1>Ready</h1><ul><li>First</li><li>Second</li></ul><button>Go on</button>",
    }


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where the images lie."""
    folder = tmp_path / "images"
    folder.mkdir()
    return folder


@pytest.fixture
def regenerate(browser: Browser, pages: dict[int, str], target: Path, tmp_path: Path) -> Callable[..., list[Decision]]:
    """Take the toy's images and publish them; says what was decided."""

    def run(look: Look = LOOK, *, accept: bool = False, variants: tuple[Variant, ...] = (Variant(),)) -> list[Decision]:
        names = [variant.name(image) for variant in variants for image in IMAGES]
        regeneration = Regeneration(target, names, accept=accept)
        studio = Studio(look, {}, variants, developed=regeneration.decide)
        perform(
            toy(pages),
            ToySettings.load({}),
            partial(regeneration.open_browser, lambda: nullcontext(browser), studio, IMAGES),
            runs=tmp_path / "runs",
            ledger=Ledger.beside(tmp_path / "runs"),
            options=Options(studio=studio, report=False),
        )
        regeneration.publish()
        return regeneration.in_order()

    return run


def states(decisions: list[Decision]) -> list[str]:
    """What was decided of each image."""
    return [each.state for each in decisions]


def everything(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """All files below a folder, and whether they are the same as before: content, inode, time."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_ino, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


browsing = pytest.mark.browser


@browsing
@pytest.mark.chaos
def test_regenerations_in_a_row_change_no_byte(regenerate: Callable[..., list[Decision]], target: Path) -> None:
    """After the first, which makes them, not a file is touched; ten times in `make chaos`."""
    assert states(regenerate()) == ["new", "new", "new"]
    before = everything(target)
    assert set(before) == {*IMAGES, RECORD}
    for _ in range(10 if os.environ.get("CHAOS") == "whole" else 2):
        decisions = regenerate()
        assert states(decisions) == ["unchanged"] * 3
        assert {each.rule for each in decisions} == {"the same pixels"}
    assert everything(target) == before


@browsing
def test_one_word_changes_exactly_its_image(
    regenerate: Callable[..., list[Decision]], pages: dict[int, str], target: Path
) -> None:
    """The others stay the same files; rule, place and words are said."""
    regenerate()
    before = everything(target)
    pages[3] = pages[3].replace("Second", "Secund")
    one, two, three = regenerate()
    assert (one.state, two.state, three.state) == ("unchanged", "unchanged", "changed")
    assert three.rule == "a reader can see it"
    assert three.said == ("- (a line that is no longer there)", "+ - listitem: Secund")
    assert str(three).startswith("changed    three.png  (a reader can see it: ")
    after = everything(target)
    assert {name for name in after if after[name] != before[name]} == {"three.png", RECORD}


@browsing
def test_what_no_reader_would_see_changes_nothing(
    regenerate: Callable[..., list[Decision]], pages: dict[int, str], target: Path
) -> None:
    """A colour below the noise floor, a cursor, an attribute."""
    pages[1] += "<p style='background: #4488cc; width: 40px; height: 40px'></p>"
    pages[2] += (
        "<i style='position: absolute; left: 300px; top: 60px; width: 1px; height: 20px; background: black'></i>"
    )
    regenerate()
    before = everything(target)
    pages[1] = pages[1].replace("#4488cc", "#468aca")
    pages[2] = pages[2].replace("left: 300px", "left: 301px")
    pages[3] = pages[3].replace("<h1>", "<h1 data-release=17>")
    assert [each.rule for each in regenerate()] == [
        "below the noise floor",
        "a text cursor, a scroll bar, or half a pixel beside",
        "the same pixels",
    ]
    assert everything(target) == before


@browsing
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_step_that_fails_leaves_the_target_untouched(
    regenerate: Callable[..., list[Decision]], pages: dict[int, str], target: Path, number: int
) -> None:
    """Though other images have changed."""
    regenerate()
    before = everything(target)
    pages.update({key: page.replace("h1", "h2") for key, page in pages.items()})
    pages[number] += "<div style='position: fixed; inset: 0'></div>"
    with pytest.raises(StepFailed, match=f"the image {IMAGES[number - 1]} is refused: over the control"):
        regenerate()
    assert everything(target) == before


@browsing
@pytest.mark.parametrize("failing", [1, 3])
def test_an_image_that_is_not_in_its_file_ends_its_step(
    regenerate: Callable[..., list[Decision]], target: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    """A full disk is told as that, once: it is not the ledger's."""
    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == Path(IMAGES[failing - 1]).name and "runs" in path.parts:
            raise OSError(28, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StepFailed, match="No space left on device") as failed:
        regenerate()
    assert failed.value.failure.step == failing
    assert everything(target) == {}


@browsing
def test_two_steps_with_the_same_image_are_refused(
    regenerate: Callable[..., list[Decision]], pages: dict[int, str], target: Path
) -> None:
    """One of them is not what its step says; a difference of one word is enough."""
    pages[3] = pages[1].replace("yet", "now")
    regenerate()
    before = everything(target)
    pages[3] = pages[1]
    with pytest.raises(NotPublished, match=r"toy/one\.png and three\.png show the same"):
        regenerate()
    assert everything(target) == before


@browsing
def test_images_from_another_environment_are_compared_when_that_is_accepted(
    regenerate: Callable[..., list[Decision]], target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the sentence says in what it differs, before anything is done; the record takes the new one over."""
    regenerate()
    before = everything(target)
    environment = fingerprint
    monkeypatch.setattr(
        regenerating, "fingerprint", lambda *about: environment(*about) | {"browser": "chromium 1.2.3.4"}
    )
    with pytest.raises(
        WrongUsage,
        match=r"one\.png was taken in another environment \(browser was chromium .*, is chromium 1\.2\.3\.4\)",
    ):
        regenerate()
    assert everything(target) == before
    assert states(regenerate(accept=True)) == ["unchanged"] * 3
    assert {name: all_of for name, all_of in everything(target).items() if name != RECORD} == {
        name: all_of for name, all_of in before.items() if name != RECORD
    }
    assert states(regenerate()) == ["unchanged"] * 3


@browsing
def test_published_images_are_the_same_pixels(
    regenerate: Callable[..., list[Decision]], target: Path, tmp_path: Path
) -> None:
    """Not a pixel is otherwise than what was taken and drawn."""
    regenerate()
    (run,) = (tmp_path / "runs").glob("*-toy-*")
    for name in IMAGES:
        published, taken = (target / name).read_bytes(), (run / "screenshots" / name).read_bytes()
        assert opened(published).tobytes() == opened(taken).tobytes()
        assert len(published) < len(taken)


@browsing
def test_published_images_are_smaller_than_playwrights(browser: Browser) -> None:
    """By a tenth at least, of a panel with few words, which packs worst; those of the repository by 20 to 30 %."""
    words = "<p>Some words that explain what this is for, and what comes of it when it is done.</p>"
    panel = "background: white; border: 1px solid #ccd; border-radius: 12px; padding: 30px"
    button = "border-radius: 8px; padding: 9px; background: #0a6; color: white"
    with browser.new_context(viewport={"width": 1280, "height": 800}, device_scale_factor=2) as context:
        page = context.new_page()
        page.set_content(
            f"<body style='font: 16px sans-serif; background: #f6f7f9; margin: 60px'><div style='{panel}'>"
            f"<h1>Ready</h1>{3 * words}<button style='{button}'>Go on</button></div>"
        )
        plain = page.screenshot()
    assert len(small(encoded(opened(plain)))) <= 0.9 * len(plain)


@browsing
def test_other_forms_lie_beside(regenerate: Callable[..., list[Decision]], target: Path) -> None:
    """The same name with the form in it, each with its own environment in the record."""
    regenerate(variants=(Variant(), Variant(".dark", {"color_scheme": "dark"})))
    assert sorted(Record.read(target).images) == sorted(
        [*IMAGES, *(name.replace(".png", ".dark.png") for name in IMAGES)]
    )
    noted = Record.read(target).images
    assert noted["two.png"].environment["color scheme"] == "light"
    assert noted["two.dark.png"].environment["color scheme"] == "dark"


# -- without a browser ------------------------------------------------------------------------------------------------


def image(ink: tuple[int, int, int] = (0, 0, 0), x: int = 20) -> bytes:
    """A small image."""
    picture = Image.new("RGB", (200, 120), "white")
    ImageDraw.Draw(picture).rectangle((x, 20, x + 40, 60), fill=ink)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def decided(target: Path, after: bytes, said: str = "- text: same", *, accept: bool = False) -> Decision:
    """What is decided of one image when it is taken."""
    regeneration = Regeneration(target, ["one.png"], accept=accept)
    regeneration._environments["one.png"] = {"browser": "some"}  # noqa: SLF001 - there is no browser here
    regeneration.decide(Taken("one.png", 1, SITE, said, 1), after, printed(after))
    regeneration.publish()
    return regeneration.in_order()[0]


def test_a_change_of_words_counts_where_pixels_hardly_differ(target: Path) -> None:
    """Below the noise floor the page's words decide; where not a pixel differs there is nothing to replace."""
    decided(target, image())
    almost = image((3, 3, 3))
    found = decided(target, almost)
    assert (found.state, found.rule) == ("unchanged", "below the noise floor")
    found = decided(target, image(), "- text: other")
    assert (found.state, found.rule) == ("unchanged", "the same pixels")
    found = decided(target, almost, "- text: other")
    assert (found.state, found.rule) == ("changed", "below the noise floor, but the page says something else")
    assert found.said == ("- (a line that is no longer there)", "+ - text: other")
    assert opened((target / "one.png").read_bytes()).tobytes() == opened(almost).tobytes()


def test_the_review_gets_the_prints_of_both_images(target: Path) -> None:
    """Of the one that was taken and of the one that is there; where no pixel differs they are the same."""
    first, almost, other = image(), image((3, 3, 3)), image(x=30)
    found = decided(target, first)
    assert (found.prints, found.prints_before) == (printed((target / "one.png").read_bytes()), None)
    published = printed_anew((target / "one.png").read_bytes())
    found = decided(target, almost)
    assert (found.state, found.prints_before) == ("unchanged", published)
    found = decided(target, first)
    assert found.rule == SAME_PIXELS
    assert found.prints_before is found.prints
    found = decided(target, other)
    assert (found.prints, found.prints_before) == (printed(found.after), published)


def test_an_image_that_was_changed_by_hand_is_compared_by_its_pixels(target: Path) -> None:
    """What its page said is not known."""
    decided(target, image())
    (target / "one.png").write_bytes(image((3, 3, 3)))
    found = decided(target, image(), "- text: other")
    assert (found.state, found.said) == ("unchanged", ())
    (target / "one.png").write_bytes(image(x=30))
    assert decided(target, image(), "- text: other").state == "changed"


def test_an_image_that_is_known_is_not_unpacked(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record knows as which file it was taken; where it does not, or the image is another one, pixels are compared."""
    decided(target, image())
    record = Record.read(target)
    with monkeypatch.context() as patch:
        patch.setattr(regenerating, "difference", None)
        found = decided(target, image())
        assert (found.state, found.rule) == ("unchanged", "the same pixels")
        with pytest.raises(TypeError):
            decided(target, image(x=30))
    assert Record.read(target) == record
    # As a record from before this was noted.
    about = json.loads((target / RECORD).read_text())
    del about["images"]["one.png"]["taken"]
    (target / RECORD).write_text(json.dumps(about))
    found = decided(target, image())
    assert (found.state, found.rule) == ("unchanged", "the same pixels")


def test_an_image_that_only_looks_the_same_is_not_known(target: Path) -> None:
    """The published one stays, and the other has not its pixels."""
    decided(target, image())
    almost = image((3, 3, 3))
    for _ in range(2):
        found = decided(target, almost, accept=True)
        assert (found.state, found.rule) == ("unchanged", "below the noise floor")
    assert opened((target / "one.png").read_bytes()).tobytes() == opened(image()).tobytes()


def test_what_is_no_image_is_named_before_anything_is_done(target: Path) -> None:
    """Such as what stands for an image in a repository until Git LFS has fetched it."""
    (target / "one.png").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(WrongUsage, match=r"one\.png is not an image that can be read"):
        Regeneration(target, ["one.png"])


def test_an_image_that_was_not_taken_is_named(target: Path) -> None:
    """Nothing is published then."""
    regeneration = Regeneration(target, ["one.png", "two.png"], accept=False)
    regeneration.decide(Taken("one.png", 1, SITE, "", 1), image(), printed(image()))
    with pytest.raises(NotPublished, match=r"the flow has taken no image two\.png"):
        regeneration.publish()
    assert everything(target) == {}


def test_an_image_that_is_taken_only_in_some_cases_may_be_missing(target: Path) -> None:
    """The one that is there stays then."""
    (target / "two.png").write_bytes(image())
    regeneration = Regeneration(target, ["one.png", "two.png"], may_lack=["two.png"])
    regeneration._environments["one.png"] = {"browser": "some"}  # noqa: SLF001 - there is no browser here
    regeneration.decide(Taken("one.png", 1, SITE, "", 1), image(x=30), printed(image(x=30)))
    regeneration.publish()
    assert (target / "two.png").read_bytes() == image()
    assert states(regeneration.in_order()) == ["new"]


def test_a_record_that_cannot_be_read_is_named(target: Path) -> None:
    """With what to do about it; one that is not there is none."""
    assert Record.read(target) == Record()
    (target / RECORD).write_text('{"images": []}')
    with pytest.raises(WrongUsage, match=r"\.fingerprint\.json cannot be read\. Remove it"):
        Record.read(target)


def test_the_record_is_the_same_text_for_the_same_images(target: Path) -> None:
    """Sorted, a line for each line of a page, and nothing that a page says: it is published with the images."""
    decided(target, image(), "- heading: One\n- text: two")
    text = (target / RECORD).read_text()
    assert Record.read(target).text() == text
    assert json.loads(text)["images"]["one.png"]["tree"] == [line_hash("- heading: One"), line_hash("- text: two")]
    assert "One" not in text


def test_small_is_the_same_picture() -> None:
    """In fewer bytes, and every time the same ones."""
    out = io.BytesIO()
    opened(image()).save(out, "PNG", compress_level=1)
    assert len(small(out.getvalue())) < len(out.getvalue())
    assert small(out.getvalue()) == small(out.getvalue())
    assert opened(small(out.getvalue())).tobytes() == opened(out.getvalue()).tobytes()


def test_a_photograph_is_small_by_its_filter() -> None:
    """Its rows are like the ones above them; as they are they would pack badly."""
    rows = Image.merge("RGB", [Image.effect_noise((640, 1), 200) for _ in range(3)]).resize((640, 400))
    photograph = encoded(ImageChops.subtract_modulo(rows, Image.linear_gradient("L").resize(rows.size).convert("RGB")))
    assert len(small(photograph)) <= 0.8 * len(photograph)


def test_making_an_image_small_holds_up_nothing_here() -> None:
    """Oxipng keeps Python's lock, so that it works in another process; what went wrong there is said here."""
    assert small(image())
    assert "oxipng" not in sys.modules
    with pytest.raises(RuntimeError, match=r"could not be made small: .*[Nn]ot a PNG"):
        small(b"no image")


def test_a_guide_says_which_images_are_wanted(tmp_path: Path) -> None:
    """Without one all that the flow takes, what it adds too; one that disagrees ends it before anything is done."""
    flow = toy({})
    flow.steps[2].adds = ("more.png",)
    guide = tmp_path / "guide.md"
    lines = [f"1. Press **Go on**.\n\n   ![Step](../images/{image})\n" for image in IMAGES]
    guide.write_text("\n".join(lines))
    assert wanted_images(flow, None) == [*IMAGES, "more.png"]
    assert wanted_images(flow, read_guide(guide)) == IMAGES
    guide.write_text("\n".join(lines[:2]))
    with pytest.raises(GuideDiffers):
        wanted_images(flow, read_guide(guide))


def test_all_combinations_of_forms_are_taken() -> None:
    """Language and scale each in a run of its own; what is as the look says it has no part in the name."""
    wanted: dict[str, Any] = {"color_scheme": ["light", "dark"], "locale": ["en-US", "de-DE"], "viewport": [(390, 844)]}
    english, german = sittings(LOOK, wanted)
    assert (english[0].locale, german[0].locale) == ("en-US", "de-DE")
    assert [variant.name("a/b.png") for variant in english[1]] == ["a/b.390x844.png", "a/b.dark.390x844.png"]
    assert [variant.name("a/b.png") for variant in german[1]] == ["a/b.de-de.390x844.png", "a/b.de-de.dark.390x844.png"]
    ((look, variants),) = sittings(LOOK, {"scale": [1]})
    assert (look.scale, [variant.name("a.png") for variant in variants]) == (1, ["a.1x.png"])
    ((look, variants),) = sittings(LOOK, {})
    assert (look, [variant.name("a.png") for variant in variants]) == (LOOK, ["a.png"])
