"""The review of a regeneration: for everyone's eyes in a real browser, and in Markdown that nothing breaks out of."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from runner import pages
from runner import review as module
from runner.darkroom import printed, printed_anew
from runner.difference import Region
from runner.errors import LedgerFailed, SecretFound
from runner.regenerate import Decision
from runner.review import AROUND, NAMED, cell, code, summary_of, total_said, write_review
from runner.secrets import Secret, Secrets
from tests.runner.test_report import LOOKS, SCRIPT, is_accessible, opened
from tests.runner.test_resume import World, toy

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page


SIZE = (400, 250)
RED, BLUE, GREEN = (200, 40, 40), (40, 40, 200), (40, 160, 40)
FLOW = toy(World(), ["toys/over.png"])


def picture(colour: tuple[int, int, int], kilobytes: int, size: tuple[int, int] = SIZE) -> bytes:
    """An image of one colour, in a file of exactly this size."""
    file = io.BytesIO()
    image = Image.new("RGB", size, colour)
    ImageDraw.Draw(image).rectangle((0, 0, 9, 9), fill="white")
    image.save(file, "PNG")
    return file.getvalue().ljust(1000 * kilobytes, b"\0")


CHANGED = Decision(
    "toys/a|b.png",
    4,
    "changed",
    "a reader can see it",
    picture(RED, 4),
    picture(BLUE, 3),
    regions=(Region(40, 50, 140, 90), Region(300, 200, 330, 220)),
    said=('-  - button "Make ```it"', f"+  - text: {SCRIPT}"),
)
NEW = Decision("toys/`new`.png", 3, "new", "there was none", None, picture(GREEN, 2))
UNCHANGED = Decision("toys/same.png", 2, "unchanged", "the same pixels", picture(GREEN, 5), picture(GREEN, 9))
ALL = [UNCHANGED, CHANGED, NEW]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run's folder below the one where the command is given; the images lie in another one."""
    monkeypatch.chdir(tmp_path)
    made = tmp_path / "runs/one"
    made.mkdir(parents=True)
    return made


def review(folder: Path, *decisions: Decision, secrets: Secrets | None = None, check: bool = False) -> Path:
    """The page of a review."""
    target = folder.parents[1] / "images"
    return write_review(folder, FLOW, target, decisions or ALL, secrets or Secrets(), check=check)[0]


def article(page: Page, decision: Decision) -> Locator:
    """The part of the page about one image."""
    return page.get_by_role("article", name=decision.name)


def colours(stage: Locator) -> list[str]:
    """Which of the two images is seen at the left and at the right of the slider."""
    with Image.open(io.BytesIO(stage.screenshot())) as taken:
        shown = taken.convert("RGB")
    across = (round(shown.width * part) for part in (0.25, 0.6))
    seen: list[Any] = [shown.getpixel((at, shown.height * 9 // 10)) for at in across]
    return ["before" if red > blue else "after" for red, _, blue in seen]


# -- the page -----------------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_a_review_is_for_everyone(folder: Path, browser: Browser) -> None:
    """In light and dark, on a desk and on a phone, side by side and with the slider; it asks for nothing."""
    path = review(folder, *ALL, replace(CHANGED, name="toys/b.png"))
    for look in LOOKS:
        with opened(browser, path, look) as page:
            page.get_by_role("radio", name="Slider").first.check()
            page.locator("summary").last.click()
            is_accessible(page)
            assert page.locator("img").evaluate_all("all => all.every(one => one.naturalWidth)")


@pytest.mark.browser
def test_a_review_says_what_becomes_of_each_image_and_why(folder: Path, browser: Browser) -> None:
    """Step, rule, regions, bytes, pixels and what its page says; what is changed and new comes first; text stays text."""
    path = review(folder, check=True)
    assert path.read_text().count("<script") == 1
    with opened(browser, path) as page:
        head = page.get_by_role("banner")
        for said in ("toy, edition 1", "Changed 1", "New 1", "Unchanged 1", "of 3 images", "images", "--check", "one"):
            expect(head).to_contain_text(said)
        expect(head).to_contain_text("9,000 → 10,000 (+11.1%)")
        assert page.locator(".film .state").all_inner_texts() == ["Changed", "New", "Unchanged"]
        assert page.locator("article h3, .unchanged-images .name").all_inner_texts() == [
            each.name for each in (CHANGED, NEW, UNCHANGED)
        ]
        changed, new = article(page, CHANGED), article(page, NEW)
        for said in (
            "4, Play with it",
            "a reader can see it",
            "100x40 at 40,50",
            "4,000 → 3,000 (−25.0%)",
            "400 × 250",
        ):
            expect(changed).to_contain_text(said)
        assert changed.locator(".diff li").all_text_contents() == [
            '−no more:   - button "Make ```it"',
            f"+now:   - text: {SCRIPT}",
        ]
        expect(new).to_contain_text("there was none")
        expect(new.locator("dd").nth(2)).to_have_text("2,000")
        expect(new.get_by_role("img")).to_have_count(1)
        same = page.get_by_role("listitem").filter(has_text=UNCHANGED.name).last
        expect(same).to_contain_text("step 2, the same pixels, 5,000 bytes")
        expect(same.get_by_role("img")).not_to_be_visible()
        same.locator("summary").click()
        expect(same.get_by_role("img", name=UNCHANGED.name)).to_be_visible()


def test_prints_that_were_made_beside_the_run_are_shown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is printed at the end for which nobody had to wait."""
    monkeypatch.setattr(pages, "now", lambda: "2026-01-02T03:04:05.678+00:00")
    decisions = [
        replace(each, prints=printed(each.after), prints_before=printed_anew(each.before) if each.before else None)
        for each in ALL
    ]
    anew = review(folder, *ALL).read_text()
    monkeypatch.delattr(module, "printed")
    monkeypatch.delattr(module, "printed_anew")
    assert review(folder, *decisions).read_text() == anew


@pytest.mark.browser
def test_what_is_replaced_is_said_to_be_replaced(folder: Path, browser: Browser) -> None:
    """All or none; and where readers keep every image, that."""
    with opened(browser, review(folder)) as page:
        expect(page.get_by_role("banner")).to_contain_text("The changed and the new are replaced, all or none")
    with opened(browser, review(folder, UNCHANGED)) as page:
        expect(page.get_by_role("banner")).to_contain_text("Nothing is to be replaced")
        expect(page.get_by_role("heading", name="Readers keep every image")).to_be_visible()


@pytest.mark.browser
def test_what_differs_is_outlined_on_both_images(folder: Path, browser: Browser) -> None:
    """Around each region with a little room, wherever the image is drawn how large; as many as are told have numbers."""
    many = tuple(Region(10 * at, 10 * at, 10 * at + 5, 10 * at + 5) for at in range(NAMED + 2))
    other = Decision("toys/many.png", 1, "changed", "a reader can see it", picture(RED, 4), picture(BLUE, 4), many)
    path = review(folder, CHANGED, other)
    for look in (LOOKS[0], LOOKS[2]):
        with opened(browser, path, look) as page:
            for side in ("before", "after"):
                stage = article(page, CHANGED).locator(f".{side} .stage")
                drawn = stage.evaluate(
                    """stage => {
                        const image = stage.querySelector('img').getBoundingClientRect(), scale = 400 / image.width;
                        return [...stage.querySelectorAll('rect:not(.halo)')].map(one => {
                            const box = one.getBoundingClientRect();
                            return [box.left - image.left, box.top - image.top, box.right - image.left,
                                box.bottom - image.top].map(edge => edge * scale);
                        });
                    }"""
                )
                for box, region in zip(drawn, CHANGED.regions, strict=True):
                    around = [region.left - AROUND, region.top - AROUND, region.right + AROUND, region.bottom + AROUND]
                    assert box == pytest.approx(around, abs=1.5)
                assert stage.locator("text").all_text_contents() == ["1", "2"]
            stage = article(page, other).locator(".after .stage")
            expect(stage.locator("rect:not(.halo)")).to_have_count(len(many))
            expect(stage.locator("text")).to_have_count(NAMED)
            expect(article(page, other).locator(".regions li").last).to_have_text("2 more")


@pytest.mark.browser
def test_the_slider_is_moved_by_keyboard(folder: Path, browser: Browser) -> None:
    """Home, End and the arrows, as a slider's keys are; what is seen is measured on the screen, and by pointer too."""
    with opened(browser, review(folder)) as page:
        changed = article(page, CHANGED)
        stage, slider = changed.locator(".before .stage"), changed.get_by_role("slider")
        beside = [changed.locator(f".{side} .stage").bounding_box() for side in ("before", "after")]
        assert beside[0]
        assert beside[1]
        assert beside[0]["x"] + beside[0]["width"] < beside[1]["x"]
        expect(slider).not_to_be_visible()
        changed.get_by_role("radio", name="Side by side").focus()
        page.keyboard.press("ArrowRight")
        expect(changed.get_by_role("radio", name="Slider")).to_be_checked()
        page.keyboard.press("Tab")
        expect(slider).to_be_focused()
        assert colours(stage) == ["before", "after"]
        page.keyboard.press("Home")
        assert colours(stage) == ["after", "after"]
        page.keyboard.press("End")
        assert colours(stage) == ["before", "before"]
        page.keyboard.press("ArrowLeft")
        expect(slider).to_have_js_property("value", "99")
        expect(slider).to_have_attribute("aria-valuetext", "99 percent before, 1 percent after")
        expect(slider).to_be_focused()
        box = stage.bounding_box()
        assert box
        for part in (0.1, 0.9):
            page.mouse.click(box["x"] + part * box["width"], box["y"] + 50)
            assert slider.evaluate("range => range.valueAsNumber") == pytest.approx(100 * part, abs=1)
        assert colours(stage) == ["before", "before"]


@pytest.mark.browser
def test_images_of_different_sizes_are_shown_at_the_same_scale(folder: Path, browser: Browser) -> None:
    """So that the slider does not compare a pixel with another one."""
    grown = Decision("toys/grown.png", 4, "changed", "the size", picture(RED, 4, (200, 100)), picture(BLUE, 4))
    with opened(browser, review(folder, grown)) as page:
        expect(page.get_by_role("article")).to_contain_text("200 × 100 → 400 × 250")
        for how in ("Side by side", "Slider"):
            page.get_by_role("radio", name=how).check()
            widths = page.locator(".stage img").evaluate_all("all => all.map(one => one.getBoundingClientRect().width)")
            assert widths[1] == pytest.approx(2 * widths[0], abs=1)


@pytest.mark.browser
def test_keys_go_from_image_to_image(folder: Path, browser: Browser) -> None:
    """j, k and s, beside a slider's own keys, not with Ctrl, and not where they are switched off."""
    with opened(browser, review(folder)) as page:
        changed, new = article(page, CHANGED), article(page, NEW)
        page.keyboard.press("Control+j")
        expect(changed).not_to_be_focused()
        for key, there in (("j", changed), ("j", new), ("j", new), ("k", changed), ("k", changed)):
            page.keyboard.press(key)
            expect(there).to_be_focused()
            expect(there).to_be_in_viewport()
        slider = changed.get_by_role("slider")
        expect(slider).not_to_be_visible()
        page.keyboard.press("s")
        expect(slider).to_be_visible()
        slider.focus()
        page.keyboard.press("j")
        expect(new).to_be_focused()
        page.keyboard.press("k")
        page.keyboard.press("s")
        expect(slider).not_to_be_visible()
        page.get_by_role("checkbox", name="Keys").uncheck()
        for key in ("s", "j"):
            page.keyboard.press(key)
        expect(slider).not_to_be_visible()
        expect(page.get_by_role("checkbox")).to_be_focused()


@pytest.mark.browser
def test_a_review_is_read_without_its_script(folder: Path, browser: Browser) -> None:
    """Before and after side by side; nothing is offered that would do nothing."""
    with opened(browser, review(folder), java_script_enabled=False) as page:
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Go to the images")).to_be_focused()
        changed = article(page, CHANGED)
        for side in ("Before", "After"):
            expect(changed.get_by_role("img", name=f"{side}: {CHANGED.name}")).to_be_visible()
        expect(changed.locator(".diff")).to_be_visible()
        assert page.locator("input").evaluate_all("all => all.some(one => one.checkVisibility())") is False
        page.locator("summary").last.click()
        expect(page.get_by_role("img", name=UNCHANGED.name)).to_be_visible()


@pytest.mark.browser
def test_on_paper_both_images_stand_side_by_side(folder: Path, browser: Browser) -> None:
    """Also where the slider was chosen on the screen; what is folded there is not folded here."""
    with opened(browser, review(folder)) as page:
        page.get_by_role("radio", name="Slider").check()
        page.emulate_media(media="print")
        before, after = (page.locator(f".{side} .stage").first.bounding_box() for side in ("before", "after"))
        assert before
        assert after
        assert before["x"] + before["width"] < after["x"]
        assert page.locator("input").evaluate_all("all => all.some(one => one.checkVisibility())") is False
        expect(page.get_by_role("img", name=UNCHANGED.name)).to_be_visible()


# -- the summary --------------------------------------------------------------------------------------------------


def test_the_summary_is_for_a_pull_request(folder: Path) -> None:
    """A table of what readers get, what pages say otherwise, and the rest folded; no character breaks out."""
    review(folder)
    assert (folder / "review.md").read_text() == (
        f"""\
### toy, edition 1: 1 changed, 1 new, 1 unchanged

Below `images`; replaced, all or none. Bytes of all images: 9,000 → 10,000 (+11.1%).

| Image | Step | What has changed | Bytes |
| --- | --: | --- | --: |
| `toys/a\\|b.png` | 4 | changed; a reader can see it: 100x40 at 40,50; 30x20 at 300,200 | 4,000 → 3,000 (−25.0%) |
| ``toys/`new`.png`` | 3 | new; there was none | 2,000 |

#### What the pages say otherwise

`toys/a|b.png`

````diff
-   - button "Make ```it"
+   - text: {SCRIPT}
````

<details><summary>1 unchanged</summary>

- `toys/same.png`: the same pixels

</details>
"""
    )


def test_a_summary_of_nothing_new_is_short(tmp_path: Path) -> None:
    """No empty table; what is only compared is said to be; a folder elsewhere is named without its place."""
    elsewhere = tmp_path.parent / "elsewhere"
    assert summary_of(FLOW, elsewhere, [UNCHANGED], check=True) == (
        """\
### toy, edition 1: 1 unchanged

Below `elsewhere`; only compared (`--check`), nothing is replaced. Bytes of all images: 5,000.

<details><summary>1 unchanged</summary>

- `toys/same.png`: the same pixels

</details>
"""
    )
    assert total_said([NEW]) == "0 → 2,000"


@pytest.mark.parametrize(
    ("text", "written"),
    [("a", "`a`"), ("`", "`` ` ``"), ("a``b", "```a``b```"), ("a\n# b", "`a # b`"), ("<b>|", "`<b>\\|`")],
)
def test_a_name_is_code_whatever_is_in_it(text: str, written: str) -> None:
    """It has more ticks around than in it, stands on one line, and does not end its cell."""
    assert cell(text) == written
    assert code(text) == written.replace("\\|", "|")


# -- secrets and files ----------------------------------------------------------------------------------------------

CANARY = "Canary-7f3Q_zM0x9pL2vB8nK4sT6wY1cR5dG"


def saying(line: str) -> Decision:
    """A changed image whose page says this now."""
    return Decision("toys/a.png", 4, "changed", "a reader can see it", picture(RED, 4), picture(BLUE, 4), (), (line,))


def knowing(value: str) -> Secrets:
    """Secrets with this one in it."""
    secrets = Secrets()
    secrets.add(Secret(value, "token"))
    return secrets


def test_a_secret_is_redacted_in_a_review(folder: Path) -> None:
    """In the page and in the summary, also where a page has said it."""
    review(folder, saying(f"+  - text: {CANARY}!"), secrets=knowing(CANARY))
    for name in ("review.html", "review.md"):
        text = (folder / name).read_text()
        assert CANARY not in text
        assert "- text: [token]!" in text


def test_a_secret_that_is_not_redacted_does_not_stay(folder: Path) -> None:
    """What is encoded twice is found by the gate: both files are deleted, and nothing else."""
    twice = base64.b64encode(base64.b64encode(CANARY.encode())).decode()
    (folder / "trace.txt").write_text(twice)
    with pytest.raises(SecretFound, match=r"review\.html held the token; .*review\.md held the token"):
        review(folder, saying(f"+  - text: {twice}"), secrets=knowing(CANARY))
    assert [path.name for path in folder.iterdir()] == ["trace.txt"]


def test_a_review_is_for_its_owner_alone(folder: Path) -> None:
    """As everything in a run's folder is."""
    review(folder)
    assert [path.stat().st_mode & 0o777 for path in sorted(folder.iterdir())] == [0o600, 0o600]


def test_a_review_that_cannot_be_written_is_one_sentence(folder: Path) -> None:
    """It names the folder."""
    (folder / "review.md").mkdir()
    with pytest.raises(LedgerFailed, match=re.escape(str(folder))):
        review(folder)
