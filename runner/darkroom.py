"""The darkroom: makes files and prints of what was photographed, on a thread of its own while the run goes on."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from PIL import Image

from runner.image_files import encoded, opened

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path

FRAME = 400
"""Pixels that a picture is wide in the film strip."""

BESIDE = 1280
"""Pixels that it is wide beside the step's words; enlarged it has all of its own."""

LARGEST = 16383
"""Pixels on a side that WebP can have at most."""

ALIKE = 1.5
"""Times a picture may be taller than wide and still be whole in the film strip."""


AT_THE_END = ("runner.report", "runner.sieve")
"""What a run's end needs, and imports in 0.12 s: it has been imported when pictures have been taken."""


@dataclass(frozen=True)
class Prints:
    """What a report shows of a picture.

    Attributes:
        frame: For the film strip, as WebP.
        page: For the place beside the words, as WebP.
        full: The file itself, for its full size: to make one of less than half its bytes takes a third of a second.
        width: Pixels of the picture.
        height: The same.
    """

    frame: bytes
    page: bytes
    full: bytes
    width: int
    height: int


class Darkroom:
    """Develops pictures one after the other, as soon as they are taken: draws, writes, and makes the prints of each.

    Attributes:
        keeps_prints: There will be a report to show them in.
    """

    def __init__(self) -> None:
        self.keeps_prints = False
        self._worker = ThreadPoolExecutor(1, "darkroom")
        # What follows takes longer than writing, and nobody waits for it before the run's end.
        self._printer = ThreadPoolExecutor(1, "printer")
        self._written: list[Future[tuple[Image.Image, bytes]]] = []
        self._following: list[Future[None]] = []
        self._prints: dict[Path, Future[Prints]] = {}

    def develop(
        self,
        path: Path,
        draw: Callable[[], Image.Image],
        *,
        then: Callable[[bytes, Prints], None] | None = None,
    ) -> None:
        """Begin to write a picture.

        Args:
            path: The file, a PNG; its folder is made.
            draw: Draws the picture.
            then: Called in the background with what was written and its prints; `complete` waits for it.
        """

        def write() -> tuple[Image.Image, bytes]:
            picture = draw()
            png = encoded(picture)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png)
            return picture, png

        written = self._worker.submit(write)
        self._written.append(written)
        if self.keeps_prints and not self._prints:
            self._printer.map(import_module, AT_THE_END)
        self._prints.pop(path, None)
        if self.keeps_prints or then:
            prints = self._prints[path] = self._printer.submit(
                lambda: printed(written.result()[1], written.result()[0])
            )
            if then:
                self._following.append(self._printer.submit(_follow, written, prints, then))

    def finish(self) -> None:
        """Wait until every picture is in its file.

        Raises:
            Exception: What went wrong with the first one that is not, such as an OSError.
        """
        wait(self._written)  # whoever is interrupted here finds all of them again
        written, self._written = self._written, []
        for picture in written:
            picture.result()

    def complete(self) -> None:
        """Wait until every picture is in its file, and what was to follow is done.

        Raises:
            Exception: What went wrong first.
        """
        self.finish()
        wait(self._following)
        following, self._following = self._following, []
        for one in following:
            one.result()

    def rename(self, before: Path, now: Path) -> None:
        """Give a picture that is in its file another name."""
        before.replace(now)
        if before in self._prints:
            self._prints[now] = self._prints.pop(before)

    def prints(self, path: Path) -> Prints:
        """The prints of a picture: those that were begun, else made now from its file.

        Raises:
            OSError: It cannot be read, or is no picture.
        """
        begun = self._prints.get(path)
        if begun and path.exists() and not begun.exception():
            return begun.result()
        return printed(path.read_bytes())

    def close(self) -> None:
        """End; what nobody waits for any more is given up."""
        for worker in (self._worker, self._printer):
            worker.shutdown(cancel_futures=True)


def _follow(
    written: Future[tuple[Image.Image, bytes]], prints: Future[Prints], then: Callable[[bytes, Prints], None]
) -> None:
    # Of a picture that could not be written `Darkroom.finish` says so, once.
    if written.exception() is None:
        then(written.result()[1], prints.result())


def printed(file: bytes, picture: Image.Image | None = None) -> Prints:
    """Make the prints of a picture.

    Args:
        file: Its file, one that was made here: it becomes part of the report as it is.
        picture: Its pixels, if they are at hand.

    Raises:
        OSError: It is no picture.
    """
    picture = picture or opened(file)
    shown = picture
    if max(picture.size) > LARGEST:
        shown = picture.copy()
        shown.thumbnail((LARGEST, LARGEST))
    page = narrowed(shown, BESIDE)
    return Prints(webp(film_frame(page)), webp(page), file, *picture.size)


def printed_anew(image: bytes) -> Prints:
    """The prints of an image that may be from elsewhere: of its pixels, and of nothing else that its file holds."""
    picture = opened(image)
    return printed(encoded(picture), picture)


def film_frame(image: Image.Image) -> Image.Image:
    """What the film strip shows of a picture: of a tall one its upper part."""
    return narrowed(image.crop((0, 0, image.width, min(image.height, round(image.width * ALIKE)))), FRAME)


def narrowed(image: Image.Image, width: int) -> Image.Image:
    """The picture, not wider than this."""
    if image.width <= width:
        return image
    if image.width % width == 0:
        # Whole pixels become one: the same to the eye, and ten times as fast.
        return image.reduce(image.width // width)
    return image.resize((width, max(1, image.height * width // image.width)), Image.Resampling.LANCZOS, reducing_gap=2)


def webp(image: Image.Image) -> bytes:
    """The picture in a tenth of the bytes of its PNG, and near enough where it is shown smaller than it is."""
    file = io.BytesIO()
    image.save(file, "WEBP", quality=85, method=2)
    return file.getvalue()
