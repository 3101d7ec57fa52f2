"""Regenerates a guide's images in place: takes them with the flow, and replaces those in which a reader sees a change.

Beside the images lies a record of how each was taken: the environment's fingerprint, and what its page said, as a hash
of each line: an image shows a part of its page only, and the record is published with it.
"""

from __future__ import annotations

import difflib
import hashlib
import itertools
import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from PIL import Image

from runner.darkroom import printed_anew
from runner.difference import SAME_FILE, SAME_PIXELS, Region, boxes_said, difference
from runner.drift import Comparison
from runner.environment import differences, fingerprint
from runner.errors import GuideDiffers, NotPublished, WrongUsage
from runner.image_files import opened
from runner.publish import publish
from runner.studio import Variant, suffix

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from playwright.sync_api import Browser

    from runner.darkroom import Prints
    from runner.flow import Flow
    from runner.guide import Guide
    from runner.look import Look
    from runner.studio import Studio, Taken

RECORD = ".fingerprint.json"
"""Beside the images: in which environment each was taken, and what its page said."""

THUMBNAIL = (160, 100)
"""Pixels of the small pictures by which images are compared that might be the same."""

ALIKE = 24
"""How far a pixel of two thumbnails may be off (0 to 255) for the images to be compared in full."""

State = Literal["new", "changed", "unchanged"]


@dataclass(frozen=True)
class Decision:
    """What becomes of one image, and why.

    Attributes:
        name: Its path below the target.
        step: Number of the step.
        state: Whether readers get another image.
        rule: Which rule has decided.
        regions: Where a reader sees a change, in pixels.
        said: What the page says otherwise, as lines of a diff.
        before: The image that is there.
        after: The image that was taken; as small as it gets if it is to be published.
        prints: Those of the image that was taken, for the review.
        prints_before: The same of the image that is there.
    """

    name: str
    step: int
    state: State
    rule: str
    before: bytes | None
    after: bytes
    regions: tuple[Region, ...] = ()
    said: tuple[str, ...] = ()
    prints: Prints | None = None
    prints_before: Prints | None = None

    def __str__(self) -> str:
        where = f": {boxes_said(self.regions)}" if self.regions else ""
        return f"{self.state:9}  {self.name}  ({self.rule}{where})"

    def as_json(self) -> dict[str, Any]:
        """All but the images."""
        return {
            "name": self.name,
            "step": self.step,
            "state": self.state,
            "rule": self.rule,
            "regions": [list(region) for region in self.regions],
            "said": list(self.said),
            "bytes": {"before": self.before and len(self.before), "after": len(self.after)},
        }


@dataclass(frozen=True)
class Noted:
    """What the record says of one image.

    Attributes:
        environment: In which it was taken.
        sha256: Of its file.
        tree: What its page said, a hash for each line.
        taken: The hash of the same pixels as they were taken, before their file was made small; empty if not known.
    """

    environment: dict[str, str]
    sha256: str
    tree: tuple[str, ...]
    taken: str = ""

    def is_of(self, before: bytes, after: bytes) -> bool:
        """Whether both are known to have the same pixels, without looking at any."""
        return (self.sha256, self.taken) == (sha256(before), sha256(after))


@dataclass(frozen=True)
class Record:
    """How the images below a target were taken."""

    images: dict[str, Noted] = field(default_factory=dict)

    @classmethod
    def read(cls, target: Path) -> Record:
        """The record of a target; an empty one if there is none.

        Raises:
            WrongUsage: It cannot be read.
        """
        path = target / RECORD
        if not path.is_file():
            return cls()
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            environments = said["environments"]
            return cls(
                {
                    name: Noted(
                        environments[about["environment"]],
                        about["sha256"],
                        tuple(about["tree"]),
                        about.get("taken", ""),
                    )
                    for name, about in said["images"].items()
                }
            )
        except (OSError, ValueError, KeyError, TypeError):
            raise WrongUsage(f"{path} cannot be read. Remove it: the images are compared without it then") from None

    def text(self) -> str:
        """The record as it is written; the same record always in the same bytes."""
        environments = {_id(noted.environment): noted.environment for noted in self.images.values()}
        images = {
            name: {
                "environment": _id(noted.environment),
                "sha256": noted.sha256,
                "tree": noted.tree,
                **({"taken": noted.taken} if noted.taken else {}),
            }
            for name, noted in self.images.items()
        }
        told = {"environments": environments, "images": images}
        return json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _id(environment: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(environment, sort_keys=True).encode()).hexdigest()[:12]


def line_hash(line: str) -> str:
    """What stands in the record for a line of a page."""
    return hashlib.sha256(line.strip().encode()).hexdigest()[:12]


def sha256(content: bytes) -> str:
    """The hash of a file's content."""
    return hashlib.sha256(content).hexdigest()


def wanted_images(flow: Flow[Any], guide: Guide | None) -> list[str]:
    """The images that are regenerated, by their paths: the guide's, or without one all that the flow takes.

    Raises:
        GuideDiffers: Guide and flow disagree.
    """
    if guide is None:
        return [image for step in flow.steps for image in step.screenshots]
    if disagreement := Comparison(guide, flow).differences:
        raise GuideDiffers(list(map(str, disagreement)))
    return [image for step in flow.steps for image in step.images]


def may_show(flow: Flow[Any]) -> list[str]:
    """The images that the flow takes only in some cases."""
    return [image for step in flow.steps for image in step.may_show]


def sittings(look: Look, wanted: Mapping[str, Sequence[Any]]) -> list[tuple[Look, list[Variant]]]:
    """What is taken in each run of the flow: language and scale are a browser's own, the rest changes within a run.

    Args:
        look: How images look.
        wanted: By the look's own names, in which forms they are wanted; all combinations are taken.
    """

    def forms(*names: str) -> list[dict[str, Any]]:
        given = [wanted.get(name) or [getattr(look, name)] for name in names]
        return [dict(zip(names, values, strict=True)) for values in itertools.product(*given)]

    return [
        (
            replace(look, **of_run),
            [Variant(suffix(look, of_run | within), within) for within in forms("color_scheme", "viewport")],
        )
        for of_run in forms("locale", "scale")
    ]


class Regeneration:
    """The images of one target, and what becomes of each.

    Args:
        target: The folder that they lie below.
        names: The images that are wanted, by their paths.
        may_lack: Those of them that are taken only in some cases; one that was not taken replaces none.
        accept: Compare also with images from another environment.
        check: They are only compared, so that there has to be something to compare with.
        plain: Their paths in the form that is taken without any wish.

    Raises:
        WrongUsage: There is nothing, or what is there cannot be read.
    """

    def __init__(
        self,
        target: Path,
        names: Sequence[str],
        *,
        may_lack: Collection[str] = (),
        accept: bool = False,
        check: bool = False,
        plain: Collection[str] = (),
    ) -> None:
        self.target = target
        self.names = names
        self.record = Record.read(target)
        self.decisions: dict[str, Decision] = {}
        self._may_lack = may_lack
        self._accept = accept
        self._environments: dict[str, dict[str, str]] = {}
        self._trees: dict[str, tuple[str, ...]] = {}
        self._hashes: dict[str, str] = {}
        self._alike: list[_Thumbnail] = []
        self._twins: list[tuple[str, str]] = []
        if check and not any((target / name).is_file() for name in names):
            if any((target / name).is_file() for name in plain):
                raise WrongUsage(
                    f"--check: there is nothing to compare with, as no image below {target} has been taken in this "
                    f"form yet, such as {names[0]}. Leave out --check to take them for the first time"
                )
            raise WrongUsage(
                f"--check: there is nothing to compare with, as none of the {len(names)} images is below {target}. "
                "Name their folder with --images-root, or leave out --check to take them for the first time"
            )
        for name in names:
            _check_image(target / name)

    @contextmanager
    def open_browser(
        self, launch: Callable[[], AbstractContextManager[Browser]], studio: Studio, images: Sequence[str]
    ) -> Iterator[Browser]:
        """Open a browser, if images that it takes can be compared with those that are there.

        Args:
            launch: Opens one.
            studio: Takes the images.
            images: Those that are wanted, by their paths.

        Raises:
            WrongUsage: The environment is another one, so that images differ for other reasons than the pages.
        """
        with launch() as browser:
            for variant in studio.variants:
                environment = fingerprint(browser, variant.look(studio.look))
                self._environments |= {variant.name(image): environment for image in images}
            if not self._accept:
                self._check_environments()
            yield browser

    def _check_environments(self) -> None:
        for name, environment in self._environments.items():
            noted = self.record.images.get(name)
            if noted and (differ := differences(noted.environment, environment)):
                raise WrongUsage(
                    f"{self.target / name} was taken in another environment ({'; '.join(differ)}), so that images "
                    "would change though no page has. Take them there, or say --accept-environment"
                )

    def decide(self, taken: Taken, image: bytes, prints: Prints) -> None:
        """Decide what becomes of an image, and make it small if it is to be published; called in the background."""
        self._look_for_twin(taken, image, prints)
        if taken.name in self.names:
            self._trees[taken.name] = tuple(map(line_hash, taken.tree.splitlines()))
            self._hashes[taken.name] = sha256(image)
            decision = self._decision(taken, image)
            prints, there = replace(prints, full=decision.after), None
            if decision.before is not None:
                there = prints if decision.rule in (SAME_FILE, SAME_PIXELS) else printed_anew(decision.before)
            self.decisions[taken.name] = replace(decision, prints=prints, prints_before=there)

    def _decision(self, taken: Taken, image: bytes) -> Decision:
        path = self.target / taken.name
        if not path.is_file():
            return Decision(taken.name, taken.step, "new", "there was none", None, small(image))
        before = path.read_bytes()
        noted = self.record.images.get(taken.name)
        if noted and noted.is_of(before, image):
            return Decision(taken.name, taken.step, "unchanged", SAME_PIXELS, before, image)
        found = difference(before, image, scale=taken.scale)
        said = self._said_otherwise(taken, before)
        if found.changed:
            after = small(image)
            return Decision(taken.name, taken.step, "changed", found.rule, before, after, found.regions, said)
        if said and not found.is_the_same:
            rule = f"{found.rule}, but the page says something else"
            return Decision(taken.name, taken.step, "changed", rule, before, small(image), said=said)
        return Decision(taken.name, taken.step, "unchanged", found.rule, before, image)

    def _said_otherwise(self, taken: Taken, before: bytes) -> tuple[str, ...]:
        """What the page says otherwise than when the image was taken that is there."""
        noted = self.record.images.get(taken.name)
        if noted is None or noted.sha256 != sha256(before):
            return ()
        now = taken.tree.splitlines()
        said: list[str] = []
        matcher = difflib.SequenceMatcher(None, noted.tree, list(map(line_hash, now)), autojunk=False)
        for what, first, last, start, end in matcher.get_opcodes():
            if what != "equal":
                said += ["- (a line that is no longer there)"] * (last - first)
                said += [f"+ {line.strip()}" for line in now[start:end]]
        return tuple(said)

    def _look_for_twin(self, taken: Taken, image: bytes, prints: Prints) -> None:
        """Look whether another step has the same image; in another form the same page may look the same."""
        # A step may have been performed again.
        self._alike = [each for each in self._alike if each.name != taken.name]
        self._twins = [twins for twins in self._twins if taken.name not in twins]
        now = _Thumbnail.of(taken, image, prints)
        for each in self._alike:
            if each.is_like(now) and not difference(each.image, image, scale=1).changed:
                self._twins.append((each.name, taken.name))
        self._alike.append(now)

    def in_order(self) -> list[Decision]:
        """What was decided, in the order of the images.

        Raises:
            NotPublished: An image is missing, or two steps have the same.
        """
        for one, other in self._twins:
            raise NotPublished(f"{one} and {other} show the same, so that one of them is not what its step says")
        missing = [name for name in self.names if name not in self.decisions and name not in self._may_lack]
        if missing:
            raise NotPublished(f"the flow has taken no image {', '.join(missing)}")
        return [self.decisions[name] for name in self.names if name in self.decisions]

    def publish(self) -> None:
        """Replace what has changed, all or nothing.

        Raises:
            NotPublished: See `in_order`, or they could not be replaced.
        """
        decisions = self.in_order()
        images = {each.name: each.after for each in decisions if each.state != "unchanged"}
        noted = dict(self.record.images)
        for each in decisions:
            if each.state == "unchanged" and each.name in noted and not self._accept:
                continue
            content = each.before if each.state == "unchanged" and each.before is not None else each.after
            same = each.state != "unchanged" or each.rule in (SAME_FILE, SAME_PIXELS)
            noted[each.name] = Noted(
                self._environments[each.name],
                sha256(content),
                self._trees[each.name],
                self._hashes[each.name] if same else "",
            )
        text = Record(noted).text().encode()
        path = self.target / RECORD
        if not path.is_file() or path.read_bytes() != text:
            images[RECORD] = text
        publish(self.target, images)


@dataclass(frozen=True)
class _Thumbnail:
    """A small picture of an image, by which it is told quickly that two images are not the same."""

    name: str
    form: str
    size: tuple[int, int]
    dots: bytes
    image: bytes

    @classmethod
    def of(cls, taken: Taken, image: bytes, prints: Prints) -> _Thumbnail:
        """The image's; made of a print, which is unpacked at once."""
        dots = opened(prints.frame).convert("L").resize(THUMBNAIL).tobytes()
        return cls(taken.name, taken.form, (prints.width, prints.height), dots, image)

    def is_like(self, other: _Thumbnail) -> bool:
        """Whether the images may be the same."""
        near = all(abs(a - b) <= ALIKE for a, b in zip(self.dots, other.dots, strict=True))
        return (self.form, self.size) == (other.form, other.size) and near


def _check_image(path: Path) -> None:
    """Look before anything is done whether the image that is there can be compared.

    Raises:
        WrongUsage: It is no image.
    """
    if path.is_file():
        try:
            with Image.open(path) as image:
                image.verify()
        except (OSError, SyntaxError):  # what Pillow raises for a PNG that is broken
            raise WrongUsage(
                f"{path} is not an image that can be read, such as one that Git LFS has not fetched yet. Get it, or "
                "remove it"
            ) from None


def small(image: bytes) -> bytes:
    """The same pixels in fewer bytes; the process that makes them is not interrupted with this one.

    A screen is smallest without a filter, a photograph on it with one: whichever looks better at a glance. oxipng's own
    level 2 saves another 6 to 15 % in six times the time, most of which a run would wait for at its end.
    """
    command: list[str | Path] = [sys.executable, "-P", Path(__file__).with_name("smaller.py")]
    try:
        made = subprocess.run(command, input=image, capture_output=True, check=False, start_new_session=True)
    except OSError as error:
        # As an OSError it would be reported as a problem with the run's folder.
        raise RuntimeError(f"an image could not be made small: {error.strerror}") from None
    if made.returncode:
        why = made.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise RuntimeError(f"an image could not be made small: {why or f'exit code {made.returncode}'}")
    return made.stdout
