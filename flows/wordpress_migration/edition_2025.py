"""Pantheon's guided WordPress migration, edition 2025: eight steps, as the guide has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.wordpress_migration import acts
from flows.wordpress_migration.migration import migration
from flows.wordpress_migration.pages.dashboard import Words

if TYPE_CHECKING:
    from flows.wordpress_migration.run import MigrationRun

FLOW = guide = migration("2025", Words(opens_wp_admin="Go to wp-admin", goes_on="Continue to Migration"))


@guide.is_recognised_by
def asks_for_cms_alone(run: MigrationRun) -> bool:
    """The wizard begins with a view for the CMS alone."""
    return run.dashboard.asks_for_cms_alone()


guide.step(1, says="Migrate Existing Site", images=["dashboard/new-dashboard/2025/migrate-site-button.png"])(
    acts.migrate_existing_site
)


@guide.step(
    2,
    says=["WordPress", "Continue"],
    images=[
        "dashboard/new-dashboard/2025/migrate-site-cms.png",
        "dashboard/new-dashboard/2025/migrate-wp-site-url.png",
    ],
    enters_from=1,
)
def choose_site_to_migrate(run: MigrationRun) -> None:
    """Say that the existing site is WordPress, and enter its address."""
    dashboard = run.dashboard
    run.screenshot(highlight=dashboard.cms_to_choose("WordPress"))
    dashboard.choose_cms_first("WordPress")
    dashboard.enter_website_url(run.settings.source_url)
    run.screenshot(highlight=dashboard.continue_)
    dashboard.press_continue()


guide.step(
    3,
    says=["Create Site", "Confirm"],
    images=[
        "dashboard/new-dashboard/2025/migrate-site-wp-create-site.png",
        "dashboard/new-dashboard/2025/confirm-workspace-prompt.png",
    ],
    may_show=["dashboard/new-dashboard/2025/confirm-workspace-prompt.png"],
    enters_from=1,
)(acts.create_site)

guide.step(
    4,
    says=["Generate Machine Token", "Continue to Migration"],
    images=["dashboard/new-dashboard/2025/migrate-create-token.png"],
)(acts.generate_machine_token)

guide.step(5, says="Go to wp-admin", images=["dashboard/new-dashboard/2025/migrate-install-plugin.png"])(
    acts.to_wp_admin
)


@guide.step(
    6, says=["Install Now", "Activate"], images=["dashboard/new-dashboard/2025/pantheon-migrations-plugin-install.png"]
)
def install_plugin(run: MigrationRun) -> None:
    """Install the plugin on its own page in wp-admin, and activate it."""
    wp_admin = run.wp_admin
    wp_admin.sign_in()
    wp_admin.open_plugin()
    run.screenshot(highlight=wp_admin.plugin_button)
    wp_admin.install_plugin()
    wp_admin.activate_plugin()


guide.step(
    7,
    images=["dashboard/new-dashboard/2025/migrate-site-wp-activate-info.png", "migrate-site-wp-successful.png"],
)(acts.migrate)

guide.step(8, says="Confirm migration progress", adds=["dashboard/new-dashboard/2025/migrate-site-confirm.png"])(
    acts.confirm_migration_progress
)
