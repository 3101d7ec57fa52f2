"""The images that the repository publishes are those that its own command takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.command_line import guiderunner

if TYPE_CHECKING:
    import subprocess

pytestmark = [pytest.mark.sandbox, pytest.mark.browser]

PUBLISHED = Path(__file__).parents[1] / "screenshots" / "wordpress-migration"


def regenerate(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Look whether the published images would change."""
    return guiderunner(
        "regenerate", "--sandbox", "--check", "--images-root", PUBLISHED, *more, cwd=folder, NO_COLOR="1"
    )


def test_the_published_images_are_up_to_date(tmp_path: Path) -> None:
    """None would change; with another browser or other fonts, no page says anything else than when it was taken.

    They were taken after a preflight, and are the same without one.
    """
    done = regenerate(tmp_path, "--no-preflight")
    assert "preflight" not in done.stderr
    if "was taken in another environment" in done.stderr:
        done = regenerate(tmp_path, "--accept-environment", "--json")
        assert done.returncode in (0, 4), done.stderr
        assert [image["name"] for image in json.loads(done.stdout) if image["said"]] == []
        return
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("unchanged") == len(list(PUBLISHED.rglob("*.png")))
