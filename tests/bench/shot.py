"""shot-scraper with the browser that all subjects drive: by itself it starts only those that Playwright installs."""

from __future__ import annotations

import os
from unittest.mock import patch

from playwright.sync_api import Browser, BrowserType
from shot_scraper.cli import cli

launch = BrowserType.launch


def launch_ours(kind: BrowserType, **options: object) -> Browser:
    """Start the browser that the environment names."""
    return launch(kind, **{**options, "executable_path": os.environ["BROWSER_EXECUTABLE"]})  # type: ignore[arg-type]


if __name__ == "__main__":
    with patch.object(BrowserType, "launch", launch_ours):
        cli()
