"""Makes a PNG small, as a process of its own: from its input to its output, see `runner.regenerate.small`.

oxipng keeps hold of Python's lock while it works: in the run's own process, the run would stand still meanwhile.
"""

import sys

import oxipng

if __name__ == "__main__":
    sys.stdout.buffer.write(
        oxipng.optimize_from_memory(
            sys.stdin.buffer.read(),
            level=1,
            filter=[oxipng.RowFilter.NoOp, oxipng.RowFilter.Up],
            deflate=oxipng.Deflaters.libdeflater(9),
            fast_evaluation=True,
            strip=oxipng.StripChunks.all(),
        )
    )
