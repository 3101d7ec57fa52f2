"""A sieve for long texts: tells at a glance where none of many samples can stand.

Apart from `runner.secrets`, since numpy takes 80 ms to import and a run begins without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

BITS = 18
"""Kinds, as a power of two, that short texts are told apart by; with 2,000 samples one of 130 that are none is kept."""

SPREAD = np.uint32(0x9E3779B1)
"""2 ** 32 divided by the golden ratio: multiplied by it, texts that are alike come apart (Knuth's hashing)."""


class Sieve:
    """Finds where samples may stand: everywhere that one does, and seldom elsewhere.

    Args:
        samples: All of `width` characters.
        width: That number.
        stride: Characters from one place that is looked at to the next.
    """

    def __init__(self, samples: Iterable[str], width: int, stride: int) -> None:
        self._width, self._stride = width, stride
        self._kept = np.zeros(1 << BITS, dtype=bool)
        for sample in samples:
            self._kept[self._kinds(sample)] = True

    def sift(self, text: str) -> list[int]:
        """Where in a text a sample may begin, of the multiples of the stride."""
        found: list[int] = (np.flatnonzero(self._kept[self._kinds(text)]) * self._stride).tolist()
        return found

    def _kinds(self, text: str) -> NDArray[np.uint32]:
        """The kind of what stands at each multiple of the stride."""
        characters = np.array([text]).view(np.uint32)
        end = len(text) - self._width + 1
        kinds = characters[0 : end : self._stride].copy()
        for at in range(1, self._width):
            kinds = kinds * SPREAD + characters[at : end + at : self._stride]
        return (kinds * SPREAD) >> np.uint32(32 - BITS)
