"""Ten pages as a guide of ten steps, with an image each: `python -m tests.bench.pages FOLDER URL ...`.

The same engine and the same studio as `guiderunner regenerate`, with all that they do; the images go below FOLDER.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from runner.browser import SAME_PIXELS, BrowserSettings, open_browser
from runner.flow import Flow
from runner.ledger import Ledger
from runner.look import Look
from runner.performance import Options, perform
from runner.publish import held
from runner.regenerate import Regeneration, wanted_images
from runner.run import Run
from runner.settings import Settings, environment
from runner.studio import Studio

LOOK = Look(viewport=(1280, 800), scale=2)


def guide_of(urls: list[str]) -> Flow[Run[Settings]]:
    """A flow whose steps each look at a page and take its image."""
    flow: Flow[Run[Settings]] = Flow("pages", edition="1", run=Run, settings=Settings)

    def look_at(url: str, run: Run[Settings]) -> None:
        run.page.goto(url)
        run.screenshot()

    for number, url in enumerate(urls, 1):
        look = partial(look_at, url)
        look.__doc__ = f"Look at page {number}."
        flow.step(number, images=[f"{number}.png"])(look)
    return flow


def regenerate(flow: Flow[Run[Settings]], folder: Path) -> None:
    """Take the flow's images, and publish them below a folder."""
    images = wanted_images(flow, None)
    with held(folder / "images") as target:
        take(flow, images, Regeneration(target, images), folder)


def take(flow: Flow[Run[Settings]], images: list[str], regeneration: Regeneration, folder: Path) -> None:
    """Perform the flow once, and publish what it has taken."""
    studio = Studio(LOOK, {}, developed=regeneration.decide, wanted=images)
    launch = partial(open_browser, BrowserSettings.load(environment()), switches=SAME_PIXELS["chromium"])
    perform(
        flow,
        Settings.load({}),
        partial(regeneration.open_browser, launch, studio, images),
        runs=folder / "runs",
        ledger=Ledger.beside(folder / "runs"),
        options=Options(studio=studio),
    )
    regeneration.publish()


if __name__ == "__main__":
    regenerate(guide_of(sys.argv[2:]), Path(sys.argv[1]))
