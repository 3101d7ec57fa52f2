"""Images are replaced all or none, whatever happens meanwhile."""

from __future__ import annotations

import errno
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from runner import publish as publishing
from runner.errors import NotPublished, WrongUsage
from runner.publish import CannotExchange, exchange, held, publish

NAMES = ("one.png", "two.png", "dashboard/2024/three.png", "dashboard/2025/four.png")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A folder with images, and with files that are somebody else's."""
    folder = tmp_path / "source" / "images"
    for name in (*NAMES, "logo.svg", "dashboard/2023/old.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"old")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def cannot_exchange(one: Path, other: Path) -> None:
    """A file system where folders cannot change places."""
    raise CannotExchange


@pytest.fixture(params=["exchange", "list"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways: folders change places, or a list is gone through."""
    if request.param == "list":
        monkeypatch.setattr(publishing, "exchange", cannot_exchange)
    return str(request.param)


@pytest.mark.parametrize("names", [NAMES, NAMES[2:3], NAMES[2:]], ids=["all", "one", "one folder's"])
def test_exactly_the_images_are_replaced(target: Path, names: tuple[str, ...], way: str) -> None:
    """Others stay, and nothing else is left beside them."""
    before = contents(target)
    with held(target) as folder:
        publish(folder, dict.fromkeys(names, b"new"))
    assert contents(target) == before | dict.fromkeys(names, b"new")
    assert [path.name for path in target.parent.iterdir()] == ["images"]


def test_new_images_get_new_folders(tmp_path: Path, way: str) -> None:
    """Also where there was no target yet."""
    target = tmp_path / "screenshots" / "flow"
    with held(target) as folder:
        publish(folder, dict.fromkeys(NAMES, b"new"))
    assert contents(target) == dict.fromkeys(NAMES, b"new")


def test_files_that_stay_are_the_same_files(target: Path) -> None:
    """They are linked, not copied: neither their times nor their permissions change."""
    (target / "logo.svg").chmod(0o640)
    before = (target / "logo.svg").stat()
    with held(target) as folder:
        publish(folder, dict.fromkeys(NAMES, b"new"))
    after = (target / "logo.svg").stat()
    assert (after.st_ino, after.st_mtime_ns, after.st_mode) == (before.st_ino, before.st_mtime_ns, before.st_mode)


def test_an_image_keeps_its_permissions(target: Path, way: str) -> None:
    """A new one gets those that are usual."""
    (target / "one.png").chmod(0o664)
    with held(target) as folder:
        publish(folder, {"one.png": b"new", "new.png": b"new"})
    before = os.umask(0o022)
    os.umask(before)
    assert (target / "one.png").stat().st_mode & 0o777 == 0o664
    assert (target / "new.png").stat().st_mode & 0o777 == 0o666 & ~before


@pytest.mark.parametrize("names", [NAMES, NAMES[:1]], ids=["all", "one"])
def test_owners_and_groups_stay(
    target: Path, monkeypatch: pytest.MonkeyPatch, way: str, names: tuple[str, ...]
) -> None:
    """Those of folders, links and files, where who runs the command may give them away; as root they became root's."""
    (target / "linked").symlink_to("logo.svg")
    places = [target, *target.rglob("*")]
    if os.geteuid() == 0:
        for number, path in enumerate(places):
            os.chown(path, 3000 + number, 4000 + number, follow_symlinks=False)
        with held(target) as folder:
            publish(folder, dict.fromkeys(names, b"new"))
        owners = [(path.lstat().st_uid, path.lstat().st_gid) for path in places]
        assert owners == [(3000 + number, 4000 + number) for number in range(len(places))]
        return
    given: set[tuple[int, int]] = set()
    monkeypatch.setattr(os, "chown", lambda _, owner, group, **__: given.add((owner, group)))
    with held(target) as folder:
        publish(folder, dict.fromkeys(names, b"new"))
    about = (target / "one.png").stat()
    assert given == {(-1, about.st_gid), (about.st_uid, -1)}


def test_a_link_to_the_target_stays_a_link(target: Path, tmp_path: Path) -> None:
    """What it leads to is replaced."""
    link = tmp_path / "images"
    link.symlink_to(target)
    with held(link) as folder:
        publish(folder, dict.fromkeys(NAMES, b"new"))
    assert link.is_symlink()
    assert contents(target)["one.png"] == b"new"


def test_a_link_below_the_target_stays_a_link(target: Path) -> None:
    """It is not followed."""
    (target / "linked.png").symlink_to("one.png")
    with held(target) as folder:
        publish(folder, dict.fromkeys(NAMES, b"new"))
    assert (target / "linked.png").readlink() == Path("one.png")


@pytest.mark.parametrize("names", [NAMES, NAMES[:1]], ids=["all", "one"])
def test_an_image_that_is_a_link_stays_one(target: Path, tmp_path: Path, names: tuple[str, ...]) -> None:
    """What it leads to is replaced, which guides in other folders show too."""
    shared = tmp_path / "shared" / "picture.png"
    shared.parent.mkdir()
    shared.write_bytes(b"old")
    (target / "one.png").unlink()
    (target / "one.png").symlink_to("../../shared/picture.png")
    before = contents(target)
    with held(target) as folder:
        publish(folder, dict.fromkeys(names, b"new"))
    assert (target / "one.png").readlink() == Path("../../shared/picture.png")
    assert contents(shared.parent) == {"picture.png": b"new"}
    assert contents(target) == before | dict.fromkeys(names, b"new")


@pytest.mark.parametrize("relative", [True, False])
def test_a_folder_that_is_a_link_is_followed(target: Path, tmp_path: Path, relative: bool) -> None:
    """It stays a link; what it leads to gets the image."""
    shared = tmp_path / "shared"
    shared.mkdir()
    (target / "linked").symlink_to("../../shared" if relative else shared)
    with held(target) as folder:
        publish(folder, {"one.png": b"new", "linked/two.png": b"new"})
    assert (target / "linked").is_symlink()
    assert contents(shared) == {"two.png": b"new"}
    assert contents(target)["one.png"] == b"new"


def test_folders_on_which_a_disk_is_mounted_keep_their_place(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They cannot change places: the disk would go with the old one."""
    (target / "disk").mkdir()
    monkeypatch.setattr(publishing, "_mounts", lambda: ["/", str(target / "disk")])
    before = target.stat().st_ino
    with held(target) as folder:
        publish(folder, dict.fromkeys(NAMES, b"new"))
    assert target.stat().st_ino == before
    assert contents(target)["two.png"] == b"new"


@pytest.mark.parametrize("below", [".", "dashboard/2024"])
def test_the_folder_in_which_the_command_stands_stays(
    target: Path, monkeypatch: pytest.MonkeyPatch, below: str
) -> None:
    """The shell that has started it would stand in a deleted folder; its images are replaced all the same."""
    monkeypatch.chdir(target / below)
    before, inode = contents(target), target.stat().st_ino
    with held(target) as folder:
        publish(folder, dict.fromkeys(NAMES, b"new"))
    assert Path.cwd() == target / below
    assert target.stat().st_ino == inode
    assert contents(target) == before | dict.fromkeys(NAMES, b"new")


@pytest.mark.parametrize("repository", [".git", "theme/.git"])
def test_a_folder_with_a_repository_in_it_stays(target: Path, repository: str) -> None:
    """It is more than images, and is not built anew for them."""
    (target / repository).mkdir(parents=True)
    inodes = target.stat().st_ino, (target / repository).stat().st_ino
    with held(target) as folder:
        publish(folder, dict.fromkeys(NAMES, b"new"))
    assert (target.stat().st_ino, (target / repository).stat().st_ino) == inodes
    assert contents(target)["two.png"] == b"new"


def test_a_list_on_another_disk_is_gone_through(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be renamed is copied beside first."""
    monkeypatch.setattr(publishing, "exchange", cannot_exchange)
    replace, elsewhere = Path.replace, errno.EXDEV

    def over(self: Path, to: Path) -> Path:
        if self.suffix == ".new" and self.stem.isdecimal():
            raise OSError(elsewhere, os.strerror(elsewhere))
        return replace(self, to)

    monkeypatch.setattr(Path, "replace", over)
    with held(target) as folder:
        publish(folder, dict.fromkeys(NAMES, b"new"))
    assert contents(target) == contents(target) | dict.fromkeys(NAMES, b"new")
    assert list(target.rglob(".*.new")) == []


def test_a_list_that_is_interrupted_is_said_and_finished(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not said that all is as it was; the next command for the target goes through the rest."""
    monkeypatch.setattr(publishing, "exchange", cannot_exchange)
    move = publishing._move  # noqa: SLF001 - to fail in the middle of it
    moved: list[Path] = []

    def fails(waiting: Path, path: Path) -> None:
        if len(moved) == 2:
            raise OSError(errno.EIO, "Input/output error")
        moved.append(path)
        move(waiting, path)

    monkeypatch.setattr(publishing, "_move", fails)
    with pytest.raises(NotPublished, match=r"partly replaced: Input/output error\. The next"), held(target) as folder:
        publish(folder, dict.fromkeys(NAMES, b"new"))
    monkeypatch.setattr(publishing, "_move", move)
    with held(target):
        pass
    assert contents(target) == contents(target) | dict.fromkeys(NAMES, b"new")


def test_what_goes_wrong_leaves_all_as_it_was(target: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """A full disk in the middle: the sentence says so."""
    before = contents(target)
    written: list[Path] = []

    def write(path: Path, content: bytes, like: Path) -> None:
        if len(written) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path)
        path.write_bytes(content)

    monkeypatch.setattr(publishing, "_write", write)
    with pytest.raises(NotPublished, match="as it was: No space left on device"), held(target) as folder:
        publish(folder, dict.fromkeys(NAMES, b"new"))
    assert contents(target) == before
    assert [path.name for path in target.parent.iterdir()] == ["images"]


def test_files_that_somebody_else_changes_meanwhile_are_not_lost(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is replaced then, and the sentence says what to do."""
    write = publishing._write  # noqa: SLF001 - to do something while it writes

    def meanwhile(path: Path, content: bytes, like: Path) -> None:
        write(path, content, like)
        (target / "logo.svg").write_bytes(b"redrawn")

    monkeypatch.setattr(publishing, "_write", meanwhile)
    with pytest.raises(NotPublished, match="something else is changing files"), held(target) as folder:
        publish(folder, dict.fromkeys(NAMES, b"new"))
    assert contents(target)["logo.svg"] == b"redrawn"
    assert contents(target)["one.png"] == b"old"


def test_two_commands_do_not_meet(target: Path) -> None:
    """The second is told to wait; another target is not concerned."""
    with held(target):
        with pytest.raises(WrongUsage, match="another command is replacing images"), held(target):
            pass
        with held(target.parent / "others"):
            pass


def test_a_target_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """With the reason."""
    (tmp_path / "images").write_text("")
    with pytest.raises(WrongUsage, match="images cannot hold images: File exists"), held(tmp_path / "images"):
        pass


@pytest.mark.parametrize("closed", [".", ".."], ids=["the images'", "where new ones wait"])
def test_a_folder_that_cannot_be_written_is_refused_at_once(
    target: Path, monkeypatch: pytest.MonkeyPatch, closed: str
) -> None:
    """Before anything is performed for its images; root may write everywhere, so that the system's answer is made up."""
    place = (target / closed).resolve()
    make = tempfile.TemporaryFile

    def refuses(*, dir: Path) -> object:  # noqa: A002 - its name
        if dir == place:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return make(dir=dir)

    monkeypatch.setattr(tempfile, "TemporaryFile", refuses)
    says = f"{re.escape(str(place))} cannot be written: Read-only file system. Make it writable, or use --check"
    with pytest.raises(WrongUsage, match=says), held(target):
        pytest.fail("it was not refused")


def test_an_exchange_that_fails_otherwise_is_an_error(tmp_path: Path) -> None:
    """What is not there cannot change places: that is no reason to replace one by one."""
    (tmp_path / "one").mkdir()
    with pytest.raises(FileNotFoundError):
        exchange(tmp_path / "one", tmp_path / "other")


REPLACE = """
import sys
from pathlib import Path
from runner import publish as publishing
from runner.publish import held, publish

target, way = Path(sys.argv[1]), sys.argv[2]
if way == "list":
    def cannot_exchange(one, other):
        raise publishing.CannotExchange
    publishing.exchange = cannot_exchange

def replace(letter):
    with held(target) as folder:
        publish(folder, {f"{n % 3}/{n}.png": letter.encode() * 20_000 for n in range(10)})

replace("A")
print("there are images", flush=True)
while True:
    for letter in "BCDEFGHA":
        replace(letter)
"""


@pytest.mark.parametrize("ways", ["exchange", "list"])
def test_a_process_that_is_killed_leaves_no_mixture(tmp_path: Path, ways: str) -> None:
    """Killed at twenty random moments: all images are of one letter, at once or when the next command has begun."""
    target = tmp_path / "images"
    if ways == "exchange":
        (tmp_path / "one").mkdir()
        (tmp_path / "other").mkdir()
        try:
            exchange(tmp_path / "one", tmp_path / "other")
        except CannotExchange:
            pytest.skip("this file system cannot have folders change places")
    chance = random.Random(7)  # noqa: S311 - the same moments each time
    for _ in range(20):
        with subprocess.Popen(
            [sys.executable, "-c", REPLACE, str(target), ways],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        ) as process:
            assert process.stdout
            process.stdout.readline()
            time.sleep(chance.uniform(0.005, 0.08))  # the moment is what is tested
            process.kill()
        if ways == "list":
            with held(target):
                pass
        found = {path.read_bytes() for path in target.rglob("*.png")}
        assert len(found) <= 1
        assert found <= {letter.encode() * 20_000 for letter in "ABCDEFGH"}
    assert len(list(target.rglob("*.png"))) == 10
