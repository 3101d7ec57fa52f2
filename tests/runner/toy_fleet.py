"""The real command line with a toy for its only flow and without any browser: what fleets are tested with.

What happens to each toy is told by a file of its name in the folder TOY_WORLD; the file `did` there says what was done.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock, patch

from runner import cli, fleet, phase, summary
from runner import flow as flow_module
from runner.cli import fleets
from runner.errors import NeedsPerson, Question, Stuck
from runner.flow import Flow
from runner.run import Run
from runner.settings import Settings, setting
from tests.command_line import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.secrets import Secret


SILENT = 20.0
"""Seconds after which a machine counts as lost: longer than a command takes on a machine that is busy."""


@dataclass(frozen=True, kw_only=True)
class ToySettings(Settings):
    """What a toy is about."""

    name: str = setting("TOY_NAME", help="name", fixed=True)
    shop: str = setting("TOY_SHOP", help="where it is from", default="", fixed=True)
    owner: str = setting("TOY_OWNER", help="owner", default="nobody")
    password: Secret = setting("TOY_PASSWORD", help="password", secret=True)
    world: Path = setting("TOY_WORLD", help="folder", parse=Path)

    @property
    def subject(self) -> str:
        """The toy's name."""
        return self.name

    @property
    def site(self) -> str:
        """The same."""
        return self.name

    @property
    def account(self) -> str:
        """The toy's owner."""
        return self.owner

    def behaviour(self) -> dict[str, Any]:
        """What happens to it: `fails`, `looks`: how often; `asks`, `hangs`, `refused`: whether; `needs`: a file to wait for."""
        file = self.world / self.name
        behaviour: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
        return behaviour

    def did(self, what: str) -> None:
        """Say what was done, in one write."""
        line = f"{what} {self.name} {os.environ.get('GUIDERUNNER_MACHINE', '-')}\n"
        with (self.world / "did").open("a") as file:
            file.write(line)

    def count(self, what: str) -> int:
        """How often that was done."""
        return (self.world / "did").read_text().count(f"{what} {self.name} ")


FLOW: Flow[Run[ToySettings]] = Flow("toy", edition="1", run=Run, settings=ToySettings)


@FLOW.step(1)
def make(run: Run[ToySettings]) -> None:
    """Make the toy."""
    toy, behaviour = run.settings, run.settings.behaviour()
    toy.did("begin")
    run.say(f"with {toy.password.reveal()}")
    if toy.count("begin") <= behaviour.get("fails", 0):
        raise Stuck(f"the toy {toy.password.reveal()} does not come")
    if behaviour.get("refused"):
        raise NeedsPerson("the password was refused")
    if behaviour.get("asks"):
        raise Question("does it?")
    if behaviour.get("hangs"):
        until("the end of the world", lambda: False)
    run.about_to("make the toy")
    toy.did("make")
    toy.did(f"from-{toy.shop}")
    if needs := behaviour.get("needs"):
        until(needs, (toy.world / needs).is_file)


@make.already_done
def stands(run: Run[ToySettings]) -> bool:
    """Whether the toy stands."""
    return run.settings.count("make") > 0


@FLOW.step(2)
def play(run: Run[ToySettings]) -> None:
    """Play with it."""
    run.settings.did("play")


@play.waits(timeout=lambda _: 600)
def is_over(run: Run[ToySettings], _: float) -> bool:
    """Whether it is over."""
    run.settings.did("look")
    return run.settings.count("look") > int(run.settings.behaviour().get("looks", 0))


@contextmanager
def no_browser(*_: object, **__: object) -> Iterator[MagicMock]:
    """What takes a browser's place."""
    yield MagicMock()


if __name__ == "__main__":
    with (
        patch.object(flow_module, "load_flows", lambda: {"toy": FLOW}),
        patch.object(phase, "open_browser", no_browser),
        patch.object(phase, "TRACE", "off"),
        patch.object(fleets, "PROGRAM", [*fleets.PROGRAM[:2], "tests.runner.toy_fleet"]),
        patch.multiple(fleet, FIRST_PAUSE=0.2, RETRY_PAUSES=(0.2, 0.2), BEAT=0.5, POLL=0.2, SILENT=SILENT),
        patch.object(summary, "SILENT", SILENT),
    ):
        cli.main()
