"""What the documentation says is so."""

from __future__ import annotations

import re
import subprocess
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from _pytest.fixtures import FixtureFunctionDefinition
from PIL import Image

import guiderunner_pytest as plugin
from flows.wordpress_migration.flow import FLOW
from runner.cli.guides import all_settings
from runner.flow import load_flows
from runner.ledger import Ledger
from runner.performance import perform
from runner.settings import example

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TESTING = (ROOT / "TESTING.md").read_text(encoding="utf-8")
TABLES = [TESTING.partition(f"## {title}\n")[2].partition("\n## ")[0] for title in ("Marks", "Fixtures")]


def test_the_gallery_shows_every_picture_that_the_flow_takes() -> None:
    """In the flow's order, each of them there, wide enough for a sharp screen."""
    shown = re.findall(r"\]\((screenshots/wordpress-migration/[^)]+)\)", README)
    taken = [f"screenshots/wordpress-migration/{name}" for step in FLOW.steps for name in step.screenshots]
    assert shown == taken
    for path in shown:
        with Image.open(ROOT / path) as picture:
            assert picture.width >= 2560


def test_every_alternative_text_says_something_else() -> None:
    """A reader who does not see the pictures can tell them apart."""
    texts = re.findall(r"!\[([^\]]*)\]", README)
    assert len(texts) == len(set(texts))
    assert all(len(text) > 20 for text in texts)


def test_the_example_of_the_settings_is_complete() -> None:
    """.env.example is what `guiderunner list --env` prints."""
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == example(*all_settings(FLOW))


def test_every_target_that_is_named_exists() -> None:
    """No `make` target of the documentation is made up."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    others = ((ROOT / name).read_text(encoding="utf-8") for name in ("CONTRIBUTING.md", "FAULTS.md", "HOW-FAST.md"))
    for page in (README, TESTING, *others):
        for target in re.findall(r"\bmake ([a-z]+)", page):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_mark_and_every_fixture_of_the_plugin_is_described() -> None:
    """The tables name what there is, and nothing else; what other fixtures are made of stays unsaid."""
    marks, fixtures = (set(re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)) for table in TABLES)
    described = {name for cell in marks for name in re.findall(r"`(\w+)\(", cell)}
    assert described == {text.partition("(")[0] for text in plugin.MARKERS}
    there = {name for name, value in vars(plugin).items() if isinstance(value, FixtureFunctionDefinition)}
    named = {name for cell in fixtures for name in re.findall(r"`(\w+)`", cell)}
    assert named == (there | {"page", "context"}) - {"session_sandbox", "performer"}


def test_nothing_names_a_machine_or_a_registry() -> None:
    """No path of somebody's machine and no host of a package registry is in the repository."""
    ls_files = ["git", "ls-files", "-z"]
    tracked = subprocess.run(ls_files, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    unwanted = re.compile(r"/home/\w+/|registry\.npm" + r"js|pypi\.org/simple|files\.python" + r"hosted", re.IGNORECASE)
    for name in filter(None, tracked.split("\0")):
        path = ROOT / name
        if path.is_file() and path.suffix not in (".png", ".ico"):
            assert not unwanted.search(path.read_text(encoding="utf-8", errors="replace")), name


@pytest.mark.browser
def test_the_example_of_a_new_guide_is_performed_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, browser: Browser
) -> None:
    """Whoever begins with it has a flow that is found, and that works."""
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    package = tmp_path / "guides_of_others" / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "flow.py").write_text(re.search(r"```python\n(.*?)```", contributing, re.DOTALL)[1])  # type: ignore[index]
    monkeypatch.syspath_prepend(tmp_path)
    (name,) = re.findall(r"`run ([a-z-]+)`", contributing)
    flow = load_flows("guides_of_others")[name]
    settings = flow.settings.load({"SHOP_URL": "https://shop.example/"})
    page = "<button onclick='document.title = 1; box.textContent = 1720'>Order</button><p id=box role=status></p>"
    pages = Mock(wraps=browser)
    pages.new_context = lambda **options: routed(browser.new_context(**options), page)
    runs = tmp_path / "runs"
    result = perform(flow, settings, lambda: nullcontext(pages), runs=runs, ledger=Ledger.beside(runs))
    assert (result.state, result.facts, result.screenshots) == ("done", {"number": "1720"}, ["order.png"])


def routed(context: BrowserContext, page: str) -> BrowserContext:
    """A context in which every address is this page."""
    context.route("**/*", lambda route: route.fulfill(content_type="text/html", body=page))
    return context
