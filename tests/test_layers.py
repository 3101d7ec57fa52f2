"""The layers are one-way: cli -> flows -> runner, cli -> fixtures, and each names only what it may know.

`guiderunner_pytest.py` stands where cli does: it brings the flow and the sandbox together.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMMAND_LINE = sorted((ROOT / "runner" / "cli").rglob("*.py"))
ENGINE = sorted({*(ROOT / "runner").rglob("*.py")} - {*COMMAND_LINE})
PARTS = [*sorted((ROOT / "runner" / "templates").iterdir()), *sorted((ROOT / "runner").glob("*.json"))]
FLOWS = sorted((ROOT / "flows").rglob("*.py"))
PLUGIN = ROOT / "guiderunner_pytest.py"
PAGES = [path for path in FLOWS if path.parent.name == "pages"]
STAND_INS = sorted((ROOT / "fixtures").rglob("*.py"))


def imports(path: Path) -> set[str]:
    """The modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def name(path: Path) -> str:
    """A file as a test's id."""
    return str(path.relative_to(ROOT))


def test_there_are_files_to_look_at() -> None:
    """An empty list of files would let every other test here pass."""
    assert len(ENGINE) > 5
    assert ROOT / "runner" / "controls" / "finding.py" in ENGINE
    assert len(PARTS) > 3
    assert PAGES
    assert STAND_INS


@pytest.mark.parametrize("path", ENGINE, ids=name)
def test_the_engine_imports_neither_flows_nor_fixtures(path: Path) -> None:
    """runner/ can be used for any guide."""
    assert not {module for module in imports(path) if module.split(".")[0] in ("flows", "fixtures")}


@pytest.mark.parametrize("path", [*ENGINE, *PARTS], ids=name)
def test_the_engine_never_names_a_product(path: Path) -> None:
    """No word of runner/ is about one guide."""
    assert not re.findall(
        r"pantheon|wordpress|wp-admin|wp_admin|blogvault", path.read_text(encoding="utf-8"), re.IGNORECASE
    )


def test_only_the_module_for_fleets_knows_their_engine() -> None:
    """Everything else works where it is not installed."""
    knows = {path.name for path in ENGINE if {each.split(".")[0] for each in imports(path)} & {"dbos"}}
    assert knows == {"fleet.py"}
    needs = {path.name for path in (*ENGINE, *FLOWS) if imports(path) & {"runner.fleet"}}
    assert needs == set()


def test_nothing_needs_the_tops_of_the_layers() -> None:
    """Neither the command line nor the plugin is imported by what they bring together; pytest is by its own module only."""
    tops = re.compile(rf"(runner\.cli|{PLUGIN.stem})\b")
    assert not {path.name for path in (*ENGINE, *FLOWS, *STAND_INS) if any(map(tops.match, imports(path)))}
    needs_pytest = {path for path in (*ENGINE, *FLOWS, *STAND_INS) if "pytest" in imports(path)}
    assert needs_pytest == {ROOT / "runner" / "pytest_plugin.py"}


def test_the_plugin_imports_nothing_of_ours_before_a_test_asks_for_it() -> None:
    """Every pytest loads it, in projects too that have packages of the same names."""
    code = "import sys, guiderunner_pytest; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "pytest" in loaded.split()
    ours = ("runner", "flows", "fixtures", "playwright")
    assert not [module for module in loaded.split() if module.split(".")[0] in ours]


def test_what_a_run_needs_only_later_is_not_imported_before_its_browser_starts() -> None:
    """Report, verification and notices import much; the run would begin that much later."""
    needed = ("cli.commands", "browser", "ledger", "notices", "performance", "progress", "settings")
    code = f"import sys, flows.wordpress_migration.flow, {', '.join(f'runner.{each}' for each in needed)}"
    loaded = subprocess.run(
        [sys.executable, "-c", f"{code}; print(*sys.modules)"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert {"playwright", "sqlalchemy"} <= set(loaded)
    assert not {"httpx", "jinja2", "numpy", "oxipng"} & set(loaded)


def test_what_is_imported_by_its_name_is_there() -> None:
    """Beside the browser's start a module that is not there would only be slower."""
    named = [each for path in COMMAND_LINE for each in re.findall(r'"(runner\.\w+)"', path.read_text(encoding="utf-8"))]
    assert {"runner.ledger", "runner.performance"} <= set(named)
    assert all(map(find_spec, named))


@pytest.mark.parametrize("path", STAND_INS, ids=name)
def test_the_stand_ins_import_neither_runner_nor_flows(path: Path) -> None:
    """A wrong label cannot be wrong on both sides."""
    assert not {module for module in imports(path) if module.split(".")[0] in ("runner", "flows")}


@pytest.mark.parametrize("path", FLOWS, ids=name)
def test_the_flows_do_not_import_fixtures(path: Path) -> None:
    """A flow knows nothing of the sandbox."""
    assert not {module for module in imports(path) if module.split(".")[0] == "fixtures"}


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_page_objects_use_only_playwright_and_controls(path: Path) -> None:
    """Of runner/ a page object knows `runner.controls` only; beside it its own flow's settings and pages."""
    own = re.compile(r"(runner\.controls|playwright\.sync_api)\b")
    foreign = {
        module
        for module in imports(path)
        if module.split(".")[0] in ("runner", "flows", "playwright") and not own.match(module)
    }
    assert all(module.startswith("flows.wordpress_migration.") for module in foreign)
    assert not {module for module in foreign if module.endswith(".flow")}
