"""The real command line with a toy for its only flow: one page, whose fields without a label TOY_FIELDS counts."""

from __future__ import annotations

from dataclasses import dataclass
from unittest.mock import patch

from runner import cli
from runner import flow as flow_module
from runner.flow import Flow
from runner.run import Run
from runner.settings import Settings, setting


@dataclass(frozen=True, kw_only=True)
class ToySettings(Settings):
    """How the page is made."""

    fields: int = setting("TOY_FIELDS", help="fields without a label", parse=int)


FLOW: Flow[Run[ToySettings]] = Flow("toy", edition="1", run=Run, settings=ToySettings)


@FLOW.step(1, says="Toy", images=["one.png"])
def open_toy(run: Run[ToySettings]) -> None:
    """Open the toy."""
    body = f"<html lang=en><title>Toy</title><main><h1>Toy</h1>{'<input>' * run.settings.fields}</main>"
    run.page.route("**/*", lambda route: route.fulfill(content_type="text/html", body=body))
    run.page.goto("https://toy.example/")
    run.screenshot()


if __name__ == "__main__":
    with patch.object(flow_module, "load_flows", lambda: {"toy": FLOW}):
        cli.main()
