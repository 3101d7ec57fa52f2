"""A page is expected to look as a picture that was kept: what a reader would see counts, and no secret is on it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import Error as PlaywrightError

from runner.expected import expect_screenshot
from runner.secrets import Secret, Secrets
from runner.visible import COVER

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

BODY = "<style>body { margin: 0; font: 20px sans-serif } p { height: 40px; margin: 0 }</style>"


class Looks:
    """Expects the page, or a part of it, to look as `expected.png`."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self.expected = folder / "kept" / "expected.png"
        self.actual = folder / "out" / "expected.png"
        self.secrets = Secrets()

    def __call__(self, shown: Locator | None = None, *, update: bool = False, conceal: str = "") -> None:
        """Expect it."""
        expect_screenshot(
            shown or self.page,
            self.expected,
            secrets=self.secrets,
            actual=self.actual,
            conceal=[self.page.locator(conceal)] if conceal else [],
            timeout=0.5,
            update=update,
        )

    def kept(self) -> Image.Image:
        """The picture that is kept."""
        return Image.open(io.BytesIO(self.expected.read_bytes())).convert("RGB")


@pytest.fixture
def looks(page: Page, tmp_path: Path) -> Looks:
    """A page with two lines, of which one changes."""
    page.set_viewport_size({"width": 300, "height": 200})
    page.set_content(f"{BODY}<p id=one>The same</p><p id=two>12:00</p>")
    return Looks(page, tmp_path)


def test_the_first_time_there_is_nothing_to_compare_with(looks: Looks) -> None:
    """Nothing is written unasked: a picture that nobody has looked at is no expectation."""
    with pytest.raises(AssertionError, match="run this test once with --update-screenshots"):
        looks()
    assert not looks.expected.exists()


def test_what_is_kept_is_what_is_expected(looks: Looks) -> None:
    """Once it is kept the same page passes, and nothing is left behind."""
    looks(update=True)
    looks()
    assert looks.kept().size == (300, 200)
    assert not looks.actual.exists()


def test_a_letter_that_changes_is_seen(looks: Looks) -> None:
    """The sentence names the place and the files; the picture beside it marks where."""
    looks(update=True)
    looks.page.locator("#two").evaluate("el => { el.textContent = '12:01' }")
    with pytest.raises(AssertionError, match="a reader can see it") as failed:
        looks()
    assert str(looks.actual) in str(failed.value)
    marked = Image.open(looks.actual.with_name("expected-differs.png")).convert("RGB")
    now = Image.open(looks.actual).convert("RGB")
    assert marked.size == now.size
    assert marked.tobytes() != now.tobytes()


def test_what_is_right_as_it_is_now_is_kept_when_asked_for(looks: Looks) -> None:
    """--update-screenshots takes it; what looks the same is not written again."""
    looks(update=True)
    before = looks.expected.stat().st_mtime_ns
    looks(update=True)
    assert looks.expected.stat().st_mtime_ns == before
    looks.page.locator("#two").evaluate("el => { el.textContent = '12:01' }")
    looks(update=True)
    looks()
    assert looks.expected.stat().st_mtime_ns != before


def test_it_is_looked_again_after_a_change(looks: Looks) -> None:
    """As with any expectation, what comes a moment later is waited for."""
    looks(update=True)
    looks.page.locator("#two").evaluate(
        "el => { el.textContent = '...'; setTimeout(() => { el.textContent = '12:00' }, 200) }"
    )
    looks()


def test_a_page_that_goes_on_and_on_cannot_be_compared(looks: Looks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at it was overtaken: a sentence says so."""
    looks(update=True)

    def overtaken(*_: object) -> None:
        raise PlaywrightError("Execution context was destroyed, most likely because of a navigation")

    monkeypatch.setattr("runner.expected.look", overtaken)
    with pytest.raises(AssertionError, match=r"expected\.png could not be compared: the page went on"):
        looks()


def test_an_element_is_compared_alone(looks: Looks) -> None:
    """What changes beside it is no matter."""
    looks(looks.page.locator("#one"), update=True)
    looks.page.locator("#two").evaluate("el => { el.textContent = 'other' }")
    looks(looks.page.locator("#one"))
    assert looks.kept().size == (300, 40)


def test_what_is_another_each_time_is_concealed(looks: Looks) -> None:
    """It is covered on the picture that is kept, and on the one that is compared."""
    looks(update=True, conceal="#two")
    looks.page.locator("#two").evaluate("el => { el.textContent = 'other' }")
    looks(conceal="#two")
    assert looks.kept().getpixel((150, 60)) == Image.new("RGB", (1, 1), COVER).getpixel((0, 0))


def test_a_secret_is_never_kept(looks: Looks) -> None:
    """It is covered as on a run's own screenshots: another one looks the same."""
    looks.secrets.add(Secret("first-secret-0001", "token"))
    looks.secrets.add(Secret("other-secret-0002", "token"))
    looks.page.locator("#two").evaluate("el => { el.textContent = 'first-secret-0001' }")
    looks(update=True)
    looks.page.locator("#two").evaluate("el => { el.textContent = 'other-secret-0002' }")
    pixels = looks.kept().crop((10, 50, 100, 60))
    assert pixels.getcolors() == [(pixels.width * pixels.height, Image.new("RGB", (1, 1), COVER).getpixel((0, 0)))]
