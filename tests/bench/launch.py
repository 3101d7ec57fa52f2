"""Bare Playwright's beginning: its import, a browser, a tab, and one address; `python -m tests.bench.launch`."""

from __future__ import annotations

import os

from playwright.sync_api import sync_playwright

if __name__ == "__main__":
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["BROWSER_EXECUTABLE"])
        browser.new_page().goto(os.environ["PANTHEON_DASHBOARD_URL"])
        browser.close()
