"""Screenshots that a test expects: compared as published images are, written only when that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from playwright.sync_api import Page

from runner.controls import until
from runner.difference import difference
from runner.drawing import Drawing, dashed, drawn, pixels
from runner.image_files import encoded, opened
from runner.screenshots import capture, prepare
from runner.visible import Box

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from playwright.sync_api import Locator

    from runner.difference import Difference
    from runner.secrets import Secrets

PATIENCE = 5.0
"""Seconds within which a page has come to look as expected, or does not."""


@dataclass(frozen=True)
class Now:
    """How a page, or an element of it, looks now.

    Attributes:
        png: The picture, without secrets.
        scale: Device pixels for each CSS pixel.
    """

    png: bytes
    scale: float


def expect_screenshot(
    shown: Page | Locator,
    expected: Path,
    *,
    secrets: Secrets,
    actual: Path,
    conceal: Sequence[Locator] = (),
    timeout: float = PATIENCE,
    update: bool = False,
) -> None:
    """Expect a page, or an element, to look as a picture that was kept.

    What no reader takes for a change is none, see `runner.difference`. It is looked again after each change of the
    page, as with Playwright's own expectations.

    Args:
        shown: The page, of which the viewport is compared, or the element.
        expected: The picture that was kept.
        secrets: What is covered wherever it is visible.
        actual: Where the picture goes that differs; a second one beside it, `...-differs.png`, shows where.
        conceal: What is covered besides, since it is another each time.
        timeout: Seconds.
        update: Keep what there is now as what is expected, where it looks different.

    Raises:
        AssertionError: It looks different, or nothing was kept yet; says where and what to do.
        Stuck: The page did not come to rest, or the element is not visible.
    """
    page = shown if isinstance(shown, Page) else shown.page
    kept = expected.read_bytes() if expected.is_file() else None
    if kept is None:
        now = look(shown, secrets, conceal)
        if not update:
            raise AssertionError(
                f"there is no screenshot {expected} to compare with yet: run this test once with --update-screenshots, "
                "and look at what it writes"
            )
        _write(expected, now.png)
        return
    found: list[tuple[Now, Difference]] = []

    def looks_as_expected() -> bool | None:
        now = look(shown, secrets, conceal)
        found[:] = [(now, difference(kept, now.png, scale=now.scale))]
        return None if found[0][1].changed else True

    # Playwright hides a field's text cursor for the picture, and shows it again.
    if until(page, looks_as_expected, timeout=timeout, changes_it=True):
        return
    if not found:
        raise AssertionError(f"{expected.name} could not be compared: the page went on to another one again and again")
    now, differs = found[0]
    if update:
        _write(expected, now.png)
        return
    _write(actual, now.png)
    where = actual.with_name(f"{actual.stem}-differs.png")
    _write(where, _marked(now, differs))
    places = "1 region" if len(differs.regions) == 1 else f"{len(differs.regions)} regions"
    regions = f" ({places}, {differs.box} in all)" if differs.box else ""
    raise AssertionError(
        f"{expected.name} looks different: {differs.rule}{regions}. Expected: {expected}; now: {actual}; marked: "
        f"{where}. If it is right as it is now, --update-screenshots keeps it"
    )


def look(shown: Page | Locator, secrets: Secrets, conceal: Sequence[Locator] = ()) -> Now:
    """Take a picture of a page's viewport, or of an element, that holds no secret.

    Args:
        shown: The page or the element.
        secrets: What is covered wherever it is visible.
        conceal: What is covered besides.

    Raises:
        AssertionError: The element does not fit into the viewport.
        Stuck: The page did not come to rest.
    """
    if isinstance(shown, Page):
        prepare(shown)
        taken = capture(shown, secrets, {}, conceal)
        return Now(encoded(drawn(taken.picture(), Drawing(taken.covered), taken.scale)), taken.scale)
    prepare(shown.page, shown)
    taken = capture(shown.page, secrets, {"shown": shown}, conceal)
    picture = drawn(taken.picture(), Drawing(taken.covered), taken.scale)
    left, top, right, bottom = (round(edge) for edge in pixels(taken.boxes["shown"], taken.scale))
    if left < 0 or top < 0 or right > picture.width or bottom > picture.height:
        raise AssertionError(
            f"the element does not fit into the viewport: it is {right - left}x{bottom - top} pixels at {left},{top}, "
            f"the viewport {picture.width}x{picture.height}. Compare a part of it, or give the page a larger viewport"
        )
    return Now(encoded(picture.crop((left, top, right, bottom))), taken.scale)


def _marked(now: Now, differs: Difference) -> bytes:
    """The picture, with a dashed box around each region that differs."""
    picture = opened(now.png)
    for left, top, right, bottom in differs.regions:
        place = Box(left / now.scale, top / now.scale, (right - left) / now.scale, (bottom - top) / now.scale)
        dashed(picture, place, now.scale)
    return encoded(picture)


def _write(path: Path, png: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png)
