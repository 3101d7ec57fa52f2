"""The row about comparing two pictures, in this process."""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

from runner.difference import SAME_PIXELS, difference
from runner.image_files import encoded, opened
from runner.regenerate import Noted, sha256
from tests.bench.measure import ROUNDS, Figure, Measured, Spent, in_turn, stopwatch, walls
from tests.bench.processes import ROOT

if TYPE_CHECKING:
    from runner.difference import Difference
    from tests.bench.processes import Bench

SHOTS = ROOT / "screenshots/wordpress-migration"
ONE, ANOTHER = SHOTS / "migrate-site-wp-activate.png", SHOTS / "migrate-site-wp-install.png"
"""Two pages of 2560x1600 pixels that have nothing in common."""


QUICKLY = 15
"""Rounds at least, unless it is only tried: they take no time."""


def timed(before: bytes, after: bytes, *, changed: bool) -> Spent:
    """Time one comparison, and see that it says what it has to."""
    with stopwatch() as spent:
        found: Difference = difference(before, after, scale=2)
    if found.changed != changed or (not changed and found.rule != SAME_PIXELS):
        raise RuntimeError(f"the comparison is wrong: {found.rule}")
    return spent


def known(noted: Noted, before: bytes, after: bytes) -> Spent:
    """Time how an image is recognised that its record knows."""
    with stopwatch() as spent:
        same = noted.is_of(before, after)
    if not same:
        raise RuntimeError("the record does not know the image")
    return spent


def comparison(bench: Bench) -> Measured:
    """A page against itself, against another page, and against its negative."""
    bench.say("comparisons of pictures")
    kept = ONE.read_bytes()
    taken = encoded(opened(kept))
    negative = encoded(ImageChops.invert(opened(kept)))
    with Image.open(io.BytesIO(kept)) as picture:
        size = "x".join(map(str, picture.size))
    spent = in_turn(
        {
            "known": partial(known, Noted({}, sha256(kept), (), sha256(taken)), kept, taken),
            "unchanged": partial(timed, kept, taken, changed=False),
            "another": partial(timed, kept, ANOTHER.read_bytes(), changed=True),
            "negative": partial(timed, kept, negative, changed=True),
        },
        bench.rounds if bench.rounds < ROUNDS else max(bench.rounds, QUICKLY),
    )
    told = {
        "another": (f"two pages of {size} with nothing in common", 0.15, 0.3),
        "negative": (f"two pictures of {size} that differ in every pixel", 0.15, 0.3),
        "known": ("the same page, taken again", 0.015, 0.015),
        "unchanged": ("the same pixels in another file that no record knows", 0.015, 0.12),
    }
    return Measured(
        [
            Figure(name=name, unit="s", values=walls(spent[key]), target=target, limit=limit)
            for key, (name, target, limit) in told.items()
        ]
    )
