"""Where Doc Detective cannot be had, the benchmark says why, and measures the rest."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.bench.doc_detective import DocDetective, NotHere, find_driver, install, place, tried
from tests.bench.processes import TheBrowser

if TYPE_CHECKING:
    from collections.abc import Callable

BROWSER = TheBrowser(Path("chromium"), "150.0.1.2")


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Puts a ChromeDriver on the PATH that says this version of itself."""

    def put(version: str) -> Path:
        program = tmp_path / "chromedriver"
        program.write_text(f"#!/bin/sh\necho 'ChromeDriver {version} (b5a9b5)'\n")
        program.chmod(0o755)
        return program

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return put


def test_without_a_driver_of_the_browsers_version_it_says_which(driver: Callable[[str], Path]) -> None:
    """None at all, another version's, the right one."""
    with pytest.raises(NotHere, match="needs ChromeDriver, and there is none here: apt-get install chromium-driver"):
        find_driver(BROWSER)
    driver("149.0.9.9")
    with pytest.raises(NotHere, match=r"the ChromeDriver of Chromium 150\.0\.1\.2; there is ChromeDriver 149"):
        find_driver(BROWSER)
    there = driver("150.0.3.4")
    assert find_driver(BROWSER) == str(there)


def test_what_is_not_installed_is_said_without_a_path(tmp_path: Path) -> None:
    """What was not measured is told in the documentation."""
    with pytest.raises(NotHere, match=r"^it was not installed: FileNotFoundError$"):
        install([str(tmp_path / "npm")], DocDetective(tmp_path))
    with pytest.raises(NotHere, match=r"^it was not installed: python[\d.]* ended with exit code 3$"):
        install([sys.executable, "-c", "raise SystemExit(3)"], DocDetective(tmp_path))


def test_one_that_takes_no_page_is_not_timed(tmp_path: Path) -> None:
    """Whatever it says about it."""
    there = DocDetective(tmp_path)
    program = Path(there.command()[0])
    program.parent.mkdir(parents=True)
    shutil.copy("/bin/false", program)
    with pytest.raises(NotHere, match="took no page here"):
        tried(there, "http://127.0.0.1:9/")
    shutil.copy("/bin/true", program)
    with pytest.raises(NotHere, match="took no page here"):
        tried(there, "http://127.0.0.1:9/")


def test_programs_are_placed_where_it_looks_for_its_own(tmp_path: Path) -> None:
    """By browser, system and version."""
    place(DocDetective(tmp_path), "chrome", BROWSER, "#!/bin/sh\n")
    placed = tmp_path / "cache/browsers/chrome/linux-150.0.1.2/chrome-linux64/chrome"
    assert os.access(placed, os.X_OK)
