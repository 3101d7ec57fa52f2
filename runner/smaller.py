"""Makes a PNG small, as a process of its own: from its input to its output, see `runner.regenerate.small`.

oxipng keeps hold of Python's lock while it works: in the run's own process, the run would stand still meanwhile.
"""

import sys
import zlib

import oxipng

FILTERS: list[oxipng.RowFilter] = [
    getattr(oxipng.RowFilter, name) for name in ("NoOp", "Sub", "Up", "Average", "Paeth")
]
"""Each at its number in the file (ISO/IEC 15948, 9.2)."""


def filters_of(png: bytes) -> list[oxipng.RowFilter]:
    """The one of the first row: who has made the file has found out which one suits it."""
    _, _, data = png.partition(b"IDAT")
    return [FILTERS[zlib.decompressobj().decompress(data, 1)[0]]] if data else []


if __name__ == "__main__":
    image = sys.stdin.buffer.read()
    sys.stdout.buffer.write(
        oxipng.optimize_from_memory(
            image,
            level=1,
            filter=filters_of(image),
            deflate=oxipng.Deflaters.libdeflater(9),
            strip=oxipng.StripChunks.all(),
        )
    )
