"""The row about comparing two pictures, in this process."""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

from runner.difference import SAME_PIXELS, difference, opened
from runner.drawing import encoded
from runner.regenerate import small
from tests.bench.measure import Figure, Measured, Spent, in_turn, stopwatch, walls
from tests.bench.processes import ROOT

if TYPE_CHECKING:
    from runner.difference import Difference
    from tests.bench.processes import Bench

SHOTS = ROOT / "screenshots/wordpress-migration"
ONE, ANOTHER = SHOTS / "migrate-site-wp-activate.png", SHOTS / "migrate-site-wp-install.png"
"""Two pages of 2560x1600 pixels that have nothing in common."""


def timed(before: bytes, after: bytes, *, changed: bool) -> Spent:
    """Time one comparison, and see that it says what it has to."""
    with stopwatch() as spent:
        found: Difference = difference(before, after, scale=2)
    if found.changed != changed or (not changed and found.rule != SAME_PIXELS):
        raise RuntimeError(f"the comparison is wrong: {found.rule}")
    return spent


def comparison(bench: Bench) -> Measured:
    """A page against itself, against another page, and against its negative."""
    bench.say("comparisons of pictures")
    kept = ONE.read_bytes()
    taken = encoded(opened(kept))
    assert small(taken) == kept or opened(small(taken)).tobytes() == opened(kept).tobytes()
    negative = encoded(ImageChops.invert(opened(kept)))
    with Image.open(io.BytesIO(kept)) as picture:
        size = "x".join(map(str, picture.size))
    spent = in_turn(
        {
            "unchanged": partial(timed, kept, taken, changed=False),
            "another": partial(timed, kept, ANOTHER.read_bytes(), changed=True),
            "negative": partial(timed, kept, negative, changed=True),
        },
        max(bench.rounds, 9) if bench.rounds > 1 else 1,
    )
    told = {
        "another": (f"two pages of {size} with nothing in common", 0.15, 0.45),
        "negative": (f"two pictures of {size} that differ in every pixel", 0.15, 0.45),
        "unchanged": ("the same page, taken again", 0.015, 0.15),
    }
    return Measured(
        [
            Figure(name=name, unit="s", values=walls(spent[key]), target=target, limit=limit)
            for key, (name, target, limit) in told.items()
        ]
    )
