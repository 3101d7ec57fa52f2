"""The migration as a script of an expert who knows this one dashboard: the same clicks, ten pictures, and nothing else.

No run folder, no ledger, no redaction, no report, no second look at anything: `python -m tests.bench.bare FOLDER`, with
the settings of a run in the environment. With `--trace` it has Playwright record the trace that a run records unless told
otherwise, and with addresses it takes their pages instead: `python -m tests.bench.bare FOLDER URL ...`.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from playwright.sync_api import Browser, BrowserContext


def open_context(browser: Browser) -> BrowserContext:
    """A context like that of a run."""
    return browser.new_context(viewport={"width": 1280, "height": 800}, device_scale_factor=2, reduced_motion="reduce")


def migrate(
    browser: Browser, settings: Mapping[str, str], shoot: Callable[[Page, str], object], *, trace: bool
) -> None:
    """Perform the guide's nine steps.

    Args:
        browser: Where.
        settings: A run's, by the names of their environment variables.
        shoot: Takes the picture of a page under a name.
        trace: Record a trace, which is kept by nobody when all has gone well.
    """
    context = open_context(browser)
    if trace:
        context.tracing.start(snapshots=True)
    dashboard = context.new_page()

    # 1
    dashboard.goto(settings["PANTHEON_DASHBOARD_URL"])
    dashboard.get_by_label("Email address").fill(settings["PANTHEON_EMAIL"])
    dashboard.get_by_label("Password", exact=True).fill(settings["PANTHEON_PASSWORD"])
    dashboard.get_by_role("button", name="Continue", exact=True).click()
    begin = dashboard.get_by_role("link", name="Migrate Existing Site")
    expect(begin).to_be_visible()
    shoot(dashboard, "1")
    begin.click()

    # 2
    dashboard.get_by_placeholder("https://example.com").fill(settings["SOURCE_SITE_URL"])
    dashboard.get_by_text("WordPress", exact=True).click()
    shoot(dashboard, "2")
    dashboard.get_by_role("button", name="Continue").click()

    # 3
    dashboard.get_by_label("Name Your Pantheon Site").fill(settings["NEW_SITE_NAME"])
    shoot(dashboard, "3")
    dashboard.get_by_role("button", name="Create Site").click()

    # 4
    generate = dashboard.get_by_role("button", name="Generate Machine Token")
    expect(generate).to_be_visible()
    shoot(dashboard, "4")
    generate.click()
    token = dashboard.get_by_label("Machine Token").input_value()
    site_name = dashboard.get_by_label("Pantheon Site Name").input_value()

    # 5
    shoot(dashboard, "5")
    with context.expect_page() as opened:
        dashboard.get_by_role("link", name="Install on /wp-admin").click()
    bring_over(opened.value, settings, site_name, token, shoot)

    # 9
    dashboard.bring_to_front()
    dashboard.get_by_role("button", name="Confirm Migration Progress").click()
    expect(dashboard.get_by_role("heading", name=site_name)).to_be_visible()
    shoot(dashboard, "9")
    context.close()


def bring_over(
    wp_admin: Page, settings: Mapping[str, str], site_name: str, token: str, shoot: Callable[[Page, str], object]
) -> None:
    """Perform what is done in wp-admin, steps 6 to 8, until the service says that the migration is complete.

    Args:
        wp_admin: The tab that has opened.
        settings: A run's.
        site_name: As the dashboard shows it.
        token: The machine token.
        shoot: Takes the picture of a page under a name.
    """
    # 6
    username, password = (
        wp_admin.get_by_label("Username or Email Address"),
        wp_admin.get_by_label("Password", exact=True),
    )
    given = (settings["WP_ADMIN_USERNAME"], settings["WP_ADMIN_PASSWORD"])
    while (username.input_value(), password.input_value()) != given:
        # WordPress's script moves the focus meanwhile (wp_attempt_focus), so that one value may land in the other field.
        username.fill(given[0])
        password.fill(given[1])
    wp_admin.get_by_role("button", name="Log In").click()
    expect(wp_admin.locator("body.wp-admin")).to_be_visible()
    wp_admin.goto(
        f"{settings['SOURCE_SITE_URL']}/wp-admin/plugin-install.php?s=pantheon+migrations&tab=search&type=term"
    )
    card = wp_admin.locator(".plugin-card", has=wp_admin.get_by_role("heading", name="Pantheon Migrations"))
    install = card.get_by_role("button", name="Install Pantheon Migrations")
    expect(install).to_be_visible()
    shoot(wp_admin, "6")
    install.click()

    # 7
    activate = card.get_by_role("button", name="Activate Pantheon Migrations")
    expect(activate).to_be_visible()
    shoot(wp_admin, "7")
    activate.click()

    # 8
    wp_admin.locator("[name=newurl]").fill(site_name)
    wp_admin.locator("[name=machine_token]").fill(token)
    wp_admin.locator("[name=consent]").check()
    shoot(wp_admin, "8a")
    wp_admin.get_by_role("button", name="Migrate", exact=True).click()
    expect(wp_admin.get_by_role("heading", name="Migration completed successfully")).to_be_visible(timeout=120_000)
    shoot(wp_admin, "8b")


def take(browser: Browser, urls: Sequence[str], shoot: Callable[[Page, str], object]) -> None:
    """Take pages one after the other."""
    page = open_context(browser).new_page()
    for number, url in enumerate(urls, 1):
        page.goto(url)
        shoot(page, str(number))


def picture(folder: Path, page: Page, name: str) -> None:
    """Take the picture of a page."""
    page.screenshot(path=folder / f"{name}.png")


if __name__ == "__main__":
    folder, options = Path(sys.argv[1]), sys.argv[2:]
    trace, urls = options == ["--trace"], [each for each in options if each != "--trace"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=os.environ["BROWSER_EXECUTABLE"])
        if urls:
            take(chromium, urls, partial(picture, folder))
        else:
            migrate(chromium, os.environ, partial(picture, folder), trace=trace)
        chromium.close()
