"""What the documentation says is so."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from _pytest.fixtures import FixtureFunctionDefinition
from PIL import Image

import guiderunner_pytest as plugin
from flows.wordpress_migration.flow import FLOW
from runner.cli.guides import all_settings
from runner.settings import example

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
