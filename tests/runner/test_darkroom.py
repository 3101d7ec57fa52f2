"""Pictures are written and get their prints beside the run."""

from __future__ import annotations

import io
import sys
import threading
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageChops, ImageDraw
from PIL.PngImagePlugin import PngInfo

from runner import darkroom as module
from runner.darkroom import ALIKE, BESIDE, FRAME, LARGEST, Darkroom, Prints, film_frame, narrowed, printed, printed_anew
from runner.image_files import encoded, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def darkroom() -> Iterator[Darkroom]:
    """A darkroom of a run with a report."""
    made = Darkroom()
    made.keeps_prints = True
    yield made
    made.close()


def picture() -> Image.Image:
    """A picture of the usual size that is no single colour."""
    return Image.linear_gradient("L").resize((2560, 1600)).convert("RGB")


def test_prints_are_those_of_the_file(darkroom: Darkroom, tmp_path: Path) -> None:
    """What was made beside the run is what is made from the file later."""
    path = tmp_path / "new" / "one.png"
    darkroom.develop(path, picture)
    darkroom.finish()
    prints = darkroom.prints(path)
    assert prints == Darkroom().prints(path)
    assert (prints.width, prints.height) == (2560, 1600)
    with Image.open(path) as opened:
        assert opened.convert("RGB").tobytes() == picture().tobytes()


def test_what_shows_the_prints_is_imported_beside_the_run(
    darkroom: Darkroom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first picture is the time for it, and the run's end need not wait for that."""
    assert all(map(find_spec, module.AT_THE_END))
    (tmp_path / "shows_prints.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(module, "AT_THE_END", ["shows_prints"])
    assert "shows_prints" not in sys.modules
    darkroom.develop(tmp_path / "one.png", picture)
    darkroom.finish()
    darkroom.prints(tmp_path / "one.png")
    assert sys.modules.pop("shows_prints", None)


def test_prints_are_made_beforehand_and_once(
    darkroom: Darkroom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report has them at hand, under the picture's new name too."""
    made: list[str] = []

    def printed(*_: object) -> str:
        made.append(threading.current_thread().name)
        return "prints"

    monkeypatch.setattr(module, "printed", printed)
    darkroom.develop(tmp_path / "before.png", picture)
    darkroom.finish()
    darkroom.rename(tmp_path / "before.png", tmp_path / "now.png")
    assert str(darkroom.prints(tmp_path / "now.png")) == "prints"
    (worker,) = made
    assert worker.startswith("printer")
    assert not (tmp_path / "before.png").exists()


def test_a_picture_taken_again_has_prints_of_its_own(darkroom: Darkroom, tmp_path: Path) -> None:
    """A step that is performed again leaves nothing of what it showed before."""
    path = tmp_path / "one.png"
    for colour in ("red", "blue"):
        darkroom.develop(path, lambda colour=colour: Image.new("RGB", (8, 8), colour))  # type: ignore[misc]
    darkroom.finish()
    assert darkroom.prints(path) == Darkroom().prints(path)


def test_a_picture_that_cannot_be_written_is_told_when_it_is_waited_for(darkroom: Darkroom, tmp_path: Path) -> None:
    """A full disk must not pass unseen; nor is a picture printed that is nowhere."""
    (tmp_path / "folder.png").mkdir()
    darkroom.develop(tmp_path / "folder.png", picture)
    with pytest.raises(IsADirectoryError):
        darkroom.finish()
    with pytest.raises(FileNotFoundError):
        darkroom.prints(tmp_path / "nowhere.png")


def test_what_follows_holds_up_no_picture(darkroom: Darkroom, tmp_path: Path) -> None:
    """Making a file small takes longer than writing it: the next picture does not wait for it, nor does the step."""
    slowly = threading.Event()

    def follow(_image: bytes, _prints: Prints) -> None:
        slowly.wait(30)

    darkroom.develop(tmp_path / "one.png", picture, then=follow)
    darkroom.develop(tmp_path / "two.png", picture)
    darkroom.finish()
    assert (tmp_path / "two.png").is_file()
    assert not slowly.is_set()
    slowly.set()
    darkroom.complete()


def test_what_was_written_is_handed_on(darkroom: Darkroom, tmp_path: Path) -> None:
    """Whoever works on with the file need neither read it again nor print it, though there be no report."""
    handed: list[tuple[bytes, Prints]] = []
    darkroom.keeps_prints = False
    darkroom.develop(tmp_path / "one.png", picture, then=lambda image, prints: handed.append((image, prints)))
    darkroom.complete()
    assert handed == [((tmp_path / "one.png").read_bytes(), Darkroom().prints(tmp_path / "one.png"))]


def test_an_interruption_while_pictures_are_waited_for_loses_none(
    darkroom: Darkroom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever goes on after it waits for the same ones."""
    slowly = threading.Event()

    def draw() -> Image.Image:
        slowly.wait(10)
        return picture()

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    darkroom.develop(tmp_path / "one.png", draw)
    with monkeypatch.context() as patched:
        patched.setattr(module, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            darkroom.finish()
    slowly.set()
    darkroom.finish()
    assert (tmp_path / "one.png").is_file()


def test_what_fails_after_a_picture_is_written_leaves_its_prints(darkroom: Darkroom, tmp_path: Path) -> None:
    """The report shows what is there, and whoever waits is told."""

    def fail(_image: bytes, _prints: Prints) -> None:
        raise ValueError("no room")

    darkroom.develop(tmp_path / "one.png", picture, then=fail)
    darkroom.finish()
    with pytest.raises(ValueError, match="no room"):
        darkroom.complete()
    assert darkroom.prints(tmp_path / "one.png").width == 2560


def test_a_picture_that_could_not_be_taken_again_is_shown_as_it_was(darkroom: Darkroom, tmp_path: Path) -> None:
    """What went wrong with it is told by whoever waits for it, and takes no report with it."""

    def fail() -> Image.Image:
        raise ValueError("no picture")

    darkroom.develop(tmp_path / "one.png", picture)
    darkroom.develop(tmp_path / "one.png", fail)
    with pytest.raises(ValueError, match="no picture"):
        darkroom.finish()
    assert darkroom.prints(tmp_path / "one.png").width == 2560


def noise(size: tuple[int, int]) -> Image.Image:
    """A picture in which no row, and no colour of a pixel, is as another."""
    return Image.merge("RGB", [Image.effect_noise(size, 200) for _ in range(3)])


def darkening(size: tuple[int, int]) -> Image.Image:
    """A picture whose rows are each like the one above, and a little darker."""
    row = noise((size[0], 1)).resize(size)
    return ImageChops.subtract_modulo(row, Image.linear_gradient("L").resize(size).convert("RGB"))


@pytest.mark.parametrize("kind", [noise, darkening])
@pytest.mark.parametrize("size", [(1, 1), (3, 1), (1, 3), (257, 65), (1280, 800)])
def test_a_png_has_every_pixel_of_the_picture(
    kind: Callable[[tuple[int, int]], Image.Image], size: tuple[int, int]
) -> None:
    """Whoever opens it, with a check of what the format asks for, sees what was photographed."""
    picture = kind(size)
    png = encoded(picture)
    with Image.open(io.BytesIO(png)) as checked:
        checked.verify()
    with Image.open(io.BytesIO(png)) as opened:
        assert (opened.format, opened.mode, opened.size) == ("PNG", "RGB", size)
        assert opened.tobytes() == picture.tobytes()
    assert encoded(picture.convert("RGBA")) == png


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)])
def test_a_picture_of_nothing_is_not_written(size: tuple[int, int]) -> None:
    """No program could open the file, and two of them would look the same."""
    with pytest.raises(ValueError, match=f"a picture of {size[0]}x{size[1]} pixels cannot be written"):
        encoded(Image.new("RGB", size))


def test_a_screen_s_file_is_about_as_small_as_pillow_s() -> None:
    """It is written in half the time, and kept for long: shapes and words on a shaded page."""
    screen = Image.linear_gradient("L").resize((1280, 800)).convert("RGB")
    drawing = ImageDraw.Draw(screen)
    for row in range(20, 780, 40):
        drawing.rounded_rectangle((40, row, 1200, row + 30), 6, fill="white", outline="navy")
        drawing.text((60, row + 8), f"Row {row} says what there is to do, and {row * 7919} says when", fill="black")
    pillows = io.BytesIO()
    screen.save(pillows, "PNG", compress_level=1)
    assert len(encoded(screen)) <= 1.1 * len(pillows.getvalue())


def test_an_image_from_elsewhere_is_printed_by_its_pixels_alone() -> None:
    """On white, as it is compared; what else its file says stays out of the report."""
    said = PngInfo()
    said.add_text("comment", "who has drawn it")
    file = io.BytesIO()
    Image.new("RGBA", (60, 40), (255, 0, 0, 0)).save(file, "PNG", pnginfo=said)
    prints = printed_anew(file.getvalue())
    assert b"who has drawn it" in file.getvalue()
    for shown in (prints.full, prints.page, prints.frame):
        assert b"who has drawn it" not in shown
        assert opened(shown).getcolors() == [(60 * 40, (255, 255, 255))]


@pytest.mark.parametrize("size", [(2560, 1600), (3000, 1000), (1280, 9000), (300, 200)])
def test_prints_are_as_wide_as_they_are_shown(size: tuple[int, int]) -> None:
    """No wider than their place, in the picture's own proportions, and a tall one cut in the film strip."""
    image = Image.new("RGB", size)
    page, frame = narrowed(image, BESIDE), film_frame(image)
    assert page.width == min(size[0], BESIDE)
    assert page.height == pytest.approx(page.width * size[1] / size[0], abs=1)
    assert frame.width == min(size[0], FRAME)
    assert frame.height <= frame.width * ALIKE + 1


@pytest.mark.parametrize("size", [(LARGEST + 1, 20), (20, LARGEST + 1)])
def test_a_picture_larger_than_webp_can_be_is_shown_smaller_beside_the_words(size: tuple[int, int]) -> None:
    """A large viewport at a high scale has more pixels on a side; its own size is told, and enlarged it has them."""
    png = encoded(Image.new("RGB", size))
    prints = printed(png)
    assert (prints.width, prints.height) == size
    assert prints.full == png
    with Image.open(io.BytesIO(prints.page)) as page:
        assert page.width == min(size[0], BESIDE)
        assert page.height <= LARGEST
