"""Replaces images in place, all of them or none: whoever looks sees the folder wholly as it was or wholly new.

One file is replaced by renaming. Of several, the folder that holds them all is built anew beside it, of links to the
files that stay, and the two folders change places in one act of the system. Where a file system cannot do that, or the
folder itself has to stay, the images are replaced one by one from a list, and the next command finishes what was
interrupted.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import NotPublished, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

STAGE = ".guiderunner-stage"
"""Folder beside the target, on the same file system, where the new images wait."""

LIST = "replace.json"
"""In that folder: what is being replaced, where the folders cannot change places."""

CANNOT = {
    errno.EINVAL, errno.ENOSYS, errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EBUSY,
}  # fmt: skip
"""What a system answers that cannot have two folders change places here."""


class CannotExchange(Exception):
    """This system cannot have these two folders change places."""


@contextmanager
def held(target: Path) -> Iterator[Path]:
    """Keep other commands out of this target meanwhile, and first finish what an interrupted one has left.

    Args:
        target: The folder that images lie below; made if it is not there.

    Yields:
        The folder itself, where `target` is a link to it.

    Raises:
        WrongUsage: Another command is at it, it cannot be a folder, or it cannot be written.
        NotPublished: What an interrupted command has left cannot be finished.
    """
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WrongUsage(f"{target} cannot hold images: {error.strerror}") from None
    folder = target.resolve()
    lock = os.open(folder, os.O_RDONLY)
    try:
        _lock(lock, target)
        _check_writable(folder)
        try:
            _finish(folder)
        except OSError as error:
            raise NotPublished(
                f"{target}: what an interrupted command has left in {_stage(folder)} could not be finished: "
                f"{error.strerror or error}"
            ) from None
        try:
            yield folder
        finally:
            _clean(folder)
    finally:
        os.close(lock)


def publish(target: Path, images: Mapping[str, bytes]) -> None:
    """Replace images, all or none; called while the target is `held`.

    Args:
        target: The folder that they lie below.
        images: Each path below the target and its content.

    Raises:
        NotPublished: They could not be replaced; the target is as it was, or the next command finishes.
    """
    try:
        _stage(target).mkdir(parents=True, exist_ok=True)
        if len(images) == 1:
            for name, content in images.items():
                _replace((target / name).resolve(), content, _stage(target))
        elif images:
            _replace_all(target, images)
    except OSError as error:
        why = error.strerror or error
        if (_stage(target) / LIST).is_file():
            raise NotPublished(f"{target} is partly replaced: {why}. The next command for it finishes that") from None
        raise NotPublished(f"{target} is as it was: {why}") from None


def _replace(path: Path, content: bytes, stage: Path) -> None:
    """Replace one file by renaming another to its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = stage / "one"
    _write(waiting, content, path)
    _move(waiting, path)
    _sync(path.parent)


def _replace_all(target: Path, images: Mapping[str, bytes]) -> None:
    """Replace several files in one act, or else by a list."""
    folder = target / os.path.commonpath([Path(name).parent for name in images])
    while not folder.is_dir():
        folder = folder.parent
    if _has_to_stay(folder) or _leads_elsewhere(folder, target, images):
        _replace_by_list(target, images)
        return
    new = _stage(target) / "new"
    before = _listed(folder)
    _build(folder, new, {os.path.relpath(target / name, folder): content for name, content in images.items()})
    if _listed(folder) != before:
        raise NotPublished(f"{target} is as it was: something else is changing files in it. Run this again")
    try:
        exchange(new, folder)
    except CannotExchange:
        shutil.rmtree(new)
        _replace_by_list(target, images)
    else:
        _sync(folder.parent)


def _build(folder: Path, new: Path, images: Mapping[str, bytes]) -> None:
    """Build the folder anew: what stays is linked, what is replaced is written."""
    if new.exists():
        shutil.rmtree(new)
    stage = new.parent.name
    shutil.copytree(
        folder,
        new,
        symlinks=True,
        copy_function=_link,
        ignore=lambda _, names: [name for name in names if name == stage],
    )
    for name, content in images.items():
        path = new / name
        path.parent.mkdir(parents=True, exist_ok=True)
        waiting = path.with_name(path.name + ".new")
        _write(waiting, content, path)
        waiting.replace(path)
    for path in (new, *(each for each in new.rglob("*") if each.is_dir() or each.is_symlink())):
        _give(path, folder / path.relative_to(new))
        if not path.is_symlink():
            _sync(path)


def _has_to_stay(folder: Path) -> bool:
    """Whether somebody stands in the folder, who would be left in one that is deleted, or it is more than images."""
    try:
        stands_in = Path.cwd().is_relative_to(folder)
    except FileNotFoundError:  # this process stands in a folder that was deleted
        stands_in = False
    return stands_in or any(folder.rglob(".git"))


def _leads_elsewhere(folder: Path, target: Path, images: Iterable[str]) -> bool:
    """Whether a disk is mounted below the folder, or a link leads to an image: neither can be built anew beside it."""
    linked = any((target / name).resolve() != target / name for name in images)
    inside = f"{folder}{os.sep}"
    return linked or any(place.startswith(inside) for place in _mounts()) or _has_mount(folder)


def _mounts() -> list[str]:
    """Where disks are mounted; the system knows also those that look like folders of the same disk."""
    try:
        table = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return []  # another system than Linux
    return [line.split()[4].replace("\\040", " ") for line in table.splitlines()]


def _has_mount(folder: Path) -> bool:
    device = folder.stat().st_dev
    return any(path.is_dir() and not path.is_symlink() and path.stat().st_dev != device for path in folder.rglob("*"))


def _listed(folder: Path) -> set[tuple[str, int, int]]:
    """What lies below the folder, and when it was changed."""
    about = ((path, path.lstat()) for path in folder.rglob("*") if not path.is_dir())
    return {(str(path), each.st_mtime_ns, each.st_size) for path, each in about}


def _link(source: str, to: str) -> None:
    try:
        os.link(source, to, follow_symlinks=False)
    except OSError:  # another owner's file, or a file system without links
        shutil.copy2(source, to, follow_symlinks=False)
        _give(Path(to), Path(source))


def _give(path: Path, like: Path) -> None:
    """Give a file or a folder the owner and the group of the one that it stands for, as far as this user may."""
    if os.path.lexists(like):
        about = like.lstat()
        for owner, group in ((-1, about.st_gid), (about.st_uid, -1)):
            with suppress(OSError):
                os.chown(path, owner, group, follow_symlinks=False)


def _write(path: Path, content: bytes, like: Path) -> None:
    """Write a file so that it is there after a power cut, with permissions and owner of the one that it replaces."""
    mode = like.stat().st_mode & 0o777 if like.exists() else 0o666 & ~_umask()
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    _give(path, like.resolve())
    path.chmod(mode)


def _umask() -> int:
    before = os.umask(0o077)
    os.umask(before)
    return before


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP):  # some systems know this of files only
            raise
    finally:
        os.close(descriptor)


# -- two folders change places ------------------------------------------------------------------------------------


def exchange(one: Path, other: Path) -> None:
    """Have two folders change places, in one act.

    Raises:
        CannotExchange: This system, or this file system, cannot do that.
        OSError: It could, and something else is wrong.
    """
    library = ctypes.CDLL(None, use_errno=True)
    here = -2 if sys.platform == "darwin" else -100  # AT_FDCWD
    call = getattr(library, "renameatx_np" if sys.platform == "darwin" else "renameat2", None)
    if call is None or sys.platform == "win32":
        raise CannotExchange(sys.platform)
    swap = 2  # RENAME_SWAP of macOS's stdio.h and RENAME_EXCHANGE of Linux's fs.h are the same number
    if call(here, os.fsencode(one), here, os.fsencode(other), ctypes.c_uint(swap)) != 0:
        number = ctypes.get_errno()
        if number in CANNOT:
            raise CannotExchange(os.strerror(number))
        raise OSError(number, os.strerror(number), str(other))


# -- where they cannot --------------------------------------------------------------------------------------------


def _replace_by_list(target: Path, images: Mapping[str, bytes]) -> None:
    """Replace one by one what a list names; once the list is there, it is gone through to its end."""
    stage = _stage(target)
    waiting = {}
    for number, (name, content) in enumerate(images.items()):
        _write(stage / f"{number}.new", content, target / name)
        waiting[f"{number}.new"] = name
    unfinished = stage / f"{LIST}.new"
    unfinished.write_text(json.dumps(waiting), encoding="utf-8")
    unfinished.replace(stage / LIST)
    _sync(stage)
    _finish(target)


def _finish(target: Path) -> None:
    """Go through a list that is there."""
    stage = _stage(target)
    if not (stage / LIST).is_file():
        return
    for waiting, name in json.loads((stage / LIST).read_text(encoding="utf-8")).items():
        if (stage / waiting).is_file():
            _move(stage / waiting, (target / name).resolve())
    (stage / LIST).unlink()
    _clean(target)


def _move(waiting: Path, path: Path) -> None:
    """Replace a file by one that may wait on another disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        waiting.replace(path)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        beside = path.with_name(f".{path.name}.new")
        shutil.copy2(waiting, beside)
        _give(beside, waiting)
        beside.replace(path)
        waiting.unlink()


# -- one command at a time ----------------------------------------------------------------------------------------


def _stage(target: Path) -> Path:
    """Beside the target, since below it, it would be in what changes places; below it only where that is a disk."""
    parent = target.parent if target.parent.stat().st_dev == target.stat().st_dev else target
    return parent / STAGE / target.name


def _check_writable(target: Path) -> None:
    """Look before anything is done whether images can be replaced: of the folder, and of where the new ones wait."""
    for place in (_stage(target).parent.parent, target):
        try:
            with tempfile.TemporaryFile(dir=place):
                pass
        except OSError as error:
            raise WrongUsage(f"{place} cannot be written: {error.strerror}. Make it writable, or use --check") from None


def _clean(target: Path) -> None:
    """Remove what waited, unless it has still to be gone through."""
    stage = _stage(target)
    if stage.is_dir() and not (stage / LIST).is_file():
        shutil.rmtree(stage)
        with suppress(OSError):  # another target's images wait there too
            stage.parent.rmdir()


def _lock(descriptor: int, target: Path) -> None:
    try:
        import fcntl  # noqa: PLC0415 - not on every system
    except ModuleNotFoundError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise WrongUsage(f"another command is replacing images in {target}: wait for it to end") from None
    except OSError:
        return  # such as on a network's disk, where folders cannot be locked
