"""Ten pages as a guide of ten steps, with an image each: `python -m tests.bench.pages FOLDER URL ...`.

The same engine and the same studio as `guiderunner regenerate`, with all that they do; the images go below FOLDER.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from runner.browser import SAME_PIXELS, BrowserSettings, open_browser, open_while_importing
from runner.flow import Flow
from runner.look import Look
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
    launch = partial(open_browser, BrowserSettings.load(environment()), switches=SAME_PIXELS["chromium"])
    with (
        held(folder / "images") as target,
        open_while_importing(launch, "runner.ledger", "runner.performance", "runner.review") as browsers,
    ):
        from runner.ledger import Ledger  # noqa: PLC0415 - imported meanwhile, as the command does it
        from runner.performance import Options, perform  # noqa: PLC0415

        regeneration = Regeneration(target, images)
        studio = Studio(LOOK, {}, developed=regeneration.decide, wanted=images)
        perform(
            flow,
            Settings.load({}),
            partial(regeneration.open_browser, browsers, studio, images),
            runs=folder / "runs",
            ledger=Ledger.beside(folder / "runs"),
            options=Options(studio=studio),
        )
        regeneration.publish()


if __name__ == "__main__":
    regenerate(guide_of(sys.argv[2:]), Path(sys.argv[1]))
