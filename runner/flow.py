"""A flow: the ordered steps of one guide, each a function, with the guide's bold words and images beside it.

A guide is published in editions, whose wording and pages change together: each is a `Flow` of the same name.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import pkgutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from runner.errors import WrongUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import RenderableType

    from runner.run import Run
    from runner.settings import Settings
    from runner.sign_ins import Login

R = TypeVar("R", bound="Run[Any]")


class Findings(Protocol):
    """What a comparison of a run's result with its origin has found."""

    @property
    def differences(self) -> Sequence[object]:
        """In what they differ."""

    def as_json(self) -> dict[str, Any]:
        """All of it as plain values."""

    def __rich__(self) -> RenderableType:
        """All of it for a person."""


@dataclass(frozen=True)
class Wait(Generic[R]):
    """What a step waits for after its act, such as work that goes on outside for hours.

    Args:
        look: Watches for as many seconds as it is given; True when what is waited for is there. It raises Undone when
            the work outside has failed, so that the step has to be performed again.
        timeout: Seconds that it may take, by the settings.
    """

    look: Callable[[R, float], bool]
    timeout: Callable[[Any], float]


class _Performed(Generic[R]):
    """What acts and steps have in common: what is done, whether it is done already, what it waits for."""

    perform: Callable[[R], None]
    asks: Callable[[R], bool] | None
    wait: Wait[R] | None

    def __call__(self, run: R) -> None:
        """Perform it."""
        self.perform(run)

    def already_done(self, look: Callable[[R], bool]) -> Callable[[R], bool]:
        """Declare how to find out whether it is done, when a run was interrupted after `Run.about_to`.

        Args:
            look: True when it is done (its facts are set then), False when it certainly is not; raises Question where
                that cannot be known.
        """
        self.asks = look
        return look

    def waits(
        self, timeout: Callable[[Any], float]
    ) -> Callable[[Callable[[R, float], bool]], Callable[[R, float], bool]]:
        """Declare what it waits for after its act; the arguments are those of `Wait`."""

        def declare(look: Callable[[R, float], bool]) -> Callable[[R, float], bool]:
            self.wait = Wait(look, timeout)
            return look

        return declare

    @property
    def title(self) -> str:
        """What it does, in one sentence of ours."""
        return (self.perform.__doc__ or self.perform.__name__).strip().splitlines()[0].rstrip(".")


@dataclass
class Act(_Performed[R]):
    """What a step does, written once for the editions that have such a step, with all that makes it safe to interrupt.

    Args:
        perform: Does it.
        asks: Says whether it is done already, see `already_done`.
        wait: What it waits for.
    """

    perform: Callable[[R], None]
    asks: Callable[[R], bool] | None = None
    wait: Wait[R] | None = None


@dataclass
class Step(_Performed[R]):
    """One numbered step of the guide and the function that performs it.

    Args:
        number: The guide's number; 0 is the preflight, the one after the last is what is done afterwards.
        says: The guide's bold words of this step, in their order.
        images: The guide's images of this step, in their order, as paths below its image folder.
        adds: Screenshots that the guide does not have, taken after its own.
        perform: Does what the step says.
        enters_from: Number of the step to begin with where this one cannot be entered from a fresh browser.
        asks: Says whether the step is done already; asked when the run was interrupted after `about_to`.
        wait: What it waits for after its act.
        name: What messages call it.
        may_show: Those of the images that are taken only in some cases; one that was not taken replaces none.
    """

    number: int
    says: tuple[str, ...]
    images: tuple[str, ...]
    adds: tuple[str, ...]
    perform: Callable[[R], None]
    enters_from: int = 0
    asks: Callable[[R], bool] | None = None
    wait: Wait[R] | None = None
    name: str = ""
    may_show: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.name = self.name or f"Step {self.number}"
        self.enters_from = self.enters_from or self.number
        if self.screenshots[len(self.screenshots) - len(self.may_show) :] != self.may_show:
            raise ValueError(f"{self.name} may lack {', '.join(self.may_show)}, which are not its last screenshots")

    @property
    def screenshots(self) -> tuple[str, ...]:
        """All screenshots that the step takes, in their order."""
        return (*self.images, *self.adds)

    @property
    def words(self) -> str:
        """The guide's bold words as one text; the sentence of ours where the guide has none."""
        return ", ".join(f'"{words}"' for words in self.says) or self.title


class Flow(Generic[R]):
    """The ordered steps of one guide, in one of its editions.

    Args:
        name: What users call it on the command line.
        edition: The dated version of the guide that it performs; empty where that has to be recognised, see `any_of`.
        run: The class of its runs.
        settings: The class of its settings.
        words: What page objects need to know of its wording, as the flow has it.

    Attributes:
        editions: All editions of the guide, the oldest first; itself alone where there is no other.
    """

    def __init__(
        self, name: str, *, edition: str, run: type[R], settings: type[Settings], words: object = None
    ) -> None:
        self.name = name
        self.edition = edition
        self.run = run
        self.settings = settings
        self.words: Any = words
        self.steps: list[Step[R]] = []
        self.first: Step[R] | None = None
        self.last: Step[R] | None = None
        self.logins: Callable[[Any], Sequence[Login]] = lambda _: ()
        self.compare: Callable[[Any, Mapping[str, str], Callable[[str], None]], Findings] | None = None
        self.is_shown: Callable[[R], bool] | None = None
        self.editions: Sequence[Flow[R]] = (self,)

    @property
    def look(self) -> Path:
        """The file that says how its images look; it lies beside the flow, and need not be there."""
        return Path(inspect.getfile(self.run)).with_name("look.toml")

    @property
    def may_be(self) -> Sequence[Flow[R]]:
        """This edition; all of them as long as it is not known which one it is."""
        return [self] if self.edition else self.editions

    @property
    def most_steps(self) -> int:
        """How many steps it has; the most of any edition as long as it is not known which one it is."""
        return max(len(one.steps) for one in self.may_be)

    def number_of(self, step: int | str) -> int:
        """The number of the step with this number, or in which the guide prints these words in bold.

        Raises:
            WrongUsage: There is none, or more than one.
        """
        if isinstance(step, int):
            if not 1 <= step <= self.most_steps:
                raise WrongUsage(f"there is no step {step}: {self.name} has steps 1 to {self.most_steps}")
            return step
        wanted = step.casefold()
        found = [one.number for one in self.steps if wanted in (words.casefold() for words in one.says)]
        if len(found) != 1:
            known = "; ".join(f"{one.number} {one.words}" for one in self.steps)
            raise WrongUsage(f'"{step}" names {"several steps" if found else "no step"} of {self.name}: {known}')
        return found[0]

    def step(
        self,
        number: int,
        *,
        says: str | Sequence[str] = (),
        images: Sequence[str] = (),
        adds: Sequence[str] = (),
        may_show: Sequence[str] = (),
        enters_from: int = 0,
    ) -> Callable[[Callable[[R], None]], Step[R]]:
        """Make a function, or an act, the step with this number; the arguments are those of `Step`.

        Raises:
            ValueError: The number is not the next one.
        """
        if number != len(self.steps) + 1:
            raise ValueError(f"step {number} of {self.name} does not follow step {len(self.steps)}")

        def declare(perform: Callable[[R], None]) -> Step[R]:
            words = (says,) if isinstance(says, str) else tuple(says)
            act = perform if isinstance(perform, Act) else Act(perform)
            step = Step(
                number,
                words,
                tuple(images),
                tuple(adds),
                act.perform,
                enters_from,
                act.asks,
                act.wait,
                may_show=tuple(may_show),
            )
            self.steps.append(step)
            if self.last:
                self.last.number = self.last.enters_from = number + 1
            return step

        return declare

    def preflight(self, perform: Callable[[R], None]) -> Step[R]:
        """Make a function the preflight: what is checked before the first step, without any effect outside."""
        self.first = Step(0, (), (), (), perform, name="Preflight")
        return self.first

    def afterwards(self, perform: Callable[[R], None]) -> Step[R]:
        """Make a function what is done after the last step, beside the guide."""
        self.last = Step(len(self.steps) + 1, (), (), (), perform, name="Afterwards")
        return self.last

    def is_recognised_by(self, look: Callable[[R], bool]) -> Callable[[R], bool]:
        """Declare how this edition is told from the others, by what the pages show when the first step is done.

        Args:
            look: True when it is this one; it is asked again after each change of the page, and certain of what it says
                only where it has seen that nothing more comes.
        """
        self.is_shown = look
        return look

    def offers_logins(self, places: Callable[[Any], Sequence[Login]]) -> Callable[[Any], Sequence[Login]]:
        """Declare where a person can sign in once for many runs, by the settings."""
        self.logins = places
        return places

    def is_verified_by(
        self, compare: Callable[[Any, Mapping[str, str], Callable[[str], None]], Findings]
    ) -> Callable[[Any, Mapping[str, str], Callable[[str], None]], Findings]:
        """Declare how what a run has made is compared with what it was made from.

        Args:
            compare: Gets the run's settings, its facts, and whom to tell what goes on.
        """
        self.compare = compare
        return compare

    def order(self, *, preflight: bool = True, until: int | None = None) -> list[Step[R]]:
        """What a run performs, in its order.

        Args:
            preflight: With the preflight.
            until: Number of the last step; None for all, and what is done afterwards.

        Raises:
            WrongUsage: There is no such step.
        """
        if until is not None and not 1 <= until <= self.most_steps:
            raise WrongUsage(f"--until: there is no step {until}; {self.name} has steps 1 to {self.most_steps}")
        first = [self.first] if preflight and self.first else []
        last = [self.last] if until is None and self.last else []
        return [*first, *self.steps[:until], *last]


def any_of(editions: Sequence[Flow[R]]) -> Flow[R]:
    """The flow of whichever of these editions it turns out to be; until then it is performed as the newest.

    The first step is the same in all of them, up to the names of its screenshots.

    Args:
        editions: All editions of a guide, the oldest first.
    """
    for one in editions:
        one.editions = editions
    if len(editions) == 1:
        return editions[0]
    flow = copy.copy(editions[-1])
    flow.edition = ""
    return flow


def editions_in(package: str) -> list[Flow[Any]]:
    """All editions of a guide, the oldest first: each is the `FLOW` of a module `edition_...` of this package."""
    folder = importlib.import_module(package).__path__
    names = sorted(name for _, name, _ in pkgutil.iter_modules(folder) if name.startswith("edition_"))
    return [importlib.import_module(f"{package}.{name}").FLOW for name in names]


def load_flows(package: str = "flows") -> dict[str, Flow[Any]]:
    """All flows by name, of whichever edition: each package below `package` has its `EDITIONS` in its module `flow`."""
    folder = importlib.import_module(package)
    found = (
        any_of(importlib.import_module(f"{package}.{name}.flow").EDITIONS)
        for _, name, _ in pkgutil.iter_modules(folder.__path__)
    )
    return {flow.name: flow for flow in found}


def find_flow(name: str, edition: str | None = None) -> Flow[Any]:
    """The flow with this name, in this edition.

    Args:
        name: The flow's name.
        edition: The edition; None, or nothing, for the one that is recognised when the first step is done.

    Raises:
        WrongUsage: There is none; the sentence lists those there are.
    """
    flows = load_flows()
    if name not in flows:
        raise WrongUsage(f'there is no flow "{name}"; there is: {", ".join(sorted(flows))}')
    flow = flows[name]
    if not edition:
        return flow
    for one in flow.editions:
        if one.edition == edition:
            return one
    there = ", ".join(one.edition for one in flow.editions)
    raise WrongUsage(f'--edition: {name} has no edition "{edition}"; there are: {there}')


def editions_of(name: str) -> Sequence[Flow[Any]]:
    """All editions of the flow with this name, the oldest first.

    Raises:
        WrongUsage: There is no such flow.
    """
    return find_flow(name).editions
