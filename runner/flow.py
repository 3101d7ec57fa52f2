"""A flow: the ordered steps of one guide, each a function, with the guide's bold words and images beside it."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from runner.errors import WrongUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.run import Run
    from runner.settings import Settings

R = TypeVar("R", bound="Run[Any]")


@dataclass(frozen=True)
class Step(Generic[R]):
    """One numbered step of the guide and the function that performs it.

    Args:
        number: The guide's number.
        says: The guide's bold words of this step, in their order.
        images: The guide's images of this step, in their order, as paths below its image folder.
        adds: Screenshots that the guide does not have, taken after its own.
        perform: Does what the step says.
    """

    number: int
    says: tuple[str, ...]
    images: tuple[str, ...]
    adds: tuple[str, ...]
    perform: Callable[[R], None]

    def __call__(self, run: R) -> None:
        """Perform the step."""
        self.perform(run)

    @property
    def screenshots(self) -> tuple[str, ...]:
        """All pictures that the step takes, in their order."""
        return (*self.images, *self.adds)

    @property
    def title(self) -> str:
        """What the step does, in one sentence of ours."""
        return (self.perform.__doc__ or self.perform.__name__).strip().splitlines()[0].rstrip(".")

    @property
    def words(self) -> str:
        """The guide's bold words as one text; the sentence of ours where the guide has none."""
        return ", ".join(f'"{words}"' for words in self.says) or self.title


class Flow(Generic[R]):
    """The ordered steps of one guide.

    Args:
        name: What users call it on the command line.
        edition: The dated version of the guide that it performs.
        run: The class of its runs.
        settings: The class of its settings.
    """

    def __init__(self, name: str, *, edition: str, run: type[R], settings: type[Settings]) -> None:
        self.name = name
        self.edition = edition
        self.run = run
        self.settings = settings
        self.steps: list[Step[R]] = []

    def step(
        self,
        number: int,
        *,
        says: str | Sequence[str] = (),
        images: Sequence[str] = (),
        adds: Sequence[str] = (),
    ) -> Callable[[Callable[[R], None]], Step[R]]:
        """Make a function the step with this number; the arguments are those of `Step`.

        Raises:
            ValueError: The number is not the next one.
        """
        if number != len(self.steps) + 1:
            raise ValueError(f"step {number} of {self.name} does not follow step {len(self.steps)}")

        def declare(perform: Callable[[R], None]) -> Step[R]:
            words = (says,) if isinstance(says, str) else tuple(says)
            step = Step(number, words, tuple(images), tuple(adds), perform)
            self.steps.append(step)
            return step

        return declare


def load_flows(package: str = "flows") -> dict[str, Flow[Any]]:
    """All flows by name: each package below `package` has one in its module `flow`, named `FLOW`."""
    folder = importlib.import_module(package)
    found = (
        importlib.import_module(f"{package}.{name}.flow").FLOW for _, name, _ in pkgutil.iter_modules(folder.__path__)
    )
    return {flow.name: flow for flow in found}


def find_flow(name: str) -> Flow[Any]:
    """The flow with this name.

    Raises:
        WrongUsage: There is none; the sentence lists those there are.
    """
    flows = load_flows()
    if name not in flows:
        raise WrongUsage(f'there is no flow "{name}"; there is: {", ".join(sorted(flows))}')
    return flows[name]
