"""What is not for everybody: where Playwright writes what is not redacted yet, and files for their owner alone."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

UNREDACTED = "guiderunner-unredacted-"
"""How the names of folders begin that are held by the process that made them, and deleted when it ends."""


@contextmanager
def unredacted_folder() -> Iterator[Path]:
    """A folder for what Playwright writes before it is redacted; those that killed processes have left are deleted."""
    for left in Path(tempfile.gettempdir()).glob(f"{UNREDACTED}*"):
        with suppress(OSError), (left / "held").open("r+") as file:  # it is held, is somebody else's, or has just gone
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=UNREDACTED, ignore_cleanup_errors=True) as made:
        folder = Path(made)
        with (folder / "holding").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            (folder / "holding").rename(folder / "held")
            yield folder


@contextmanager
def private_files() -> Iterator[None]:
    """Files that are made meanwhile, by other programs that are started too, are for their owner alone."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
