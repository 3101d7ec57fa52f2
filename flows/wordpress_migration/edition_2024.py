"""Pantheon's guided WordPress migration, edition 2024: nine steps, as the guide has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.wordpress_migration import acts
from flows.wordpress_migration.migration import migration
from flows.wordpress_migration.pages.dashboard import Words

if TYPE_CHECKING:
    from flows.wordpress_migration.run import MigrationRun

FLOW = guide = migration("2024", Words(opens_wp_admin="Install on /wp-admin"))


@guide.is_recognised_by
def asks_for_website_and_cms(run: MigrationRun) -> bool:
    """The wizard begins with one view for the website's URL and the CMS."""
    return run.dashboard.asks_for_cms and run.dashboard.asks_for_website


guide.step(
    1,
    says="Migrate Existing Site",
    images=["dashboard/new-dashboard/2024/migrate-site-button.png"],
)(acts.migrate_existing_site)


@guide.step(2, says=["WordPress", "Continue"], images=["migrate-site-cms.png"], enters_from=1)
def choose_site_to_migrate(run: MigrationRun) -> None:
    """Enter the current website's address and say that it is WordPress."""
    dashboard = run.dashboard
    dashboard.enter_website_url(run.settings.source_url)
    wordpress = dashboard.choose_cms("WordPress")
    run.screenshot(highlight=wordpress)
    dashboard.press_continue()


guide.step(3, says="Create Site", images=["migrate-site-info.png"], enters_from=1)(acts.create_site)

guide.step(4, says="Generate Machine Token", images=["migrate-site-wp-plugin.png"])(acts.generate_machine_token)

guide.step(5, says="Install on /wp-admin", images=["migrate-site-wp-install.png"])(acts.to_wp_admin)


@guide.step(6, images=["migrate-site-wp-search-plugin.png"])
def install_plugin(run: MigrationRun) -> None:
    """Search for the plugin and install it."""
    wp_admin = run.wp_admin
    wp_admin.sign_in()
    wp_admin.search_plugin(run.settings.search_for)
    run.screenshot(highlight=wp_admin.plugin_button)
    wp_admin.install_plugin()


@guide.step(7, says="Activate", images=["migrate-site-wp-activate.png"])
def activate_plugin(run: MigrationRun) -> None:
    """Activate the plugin."""
    wp_admin = run.wp_admin
    wp_admin.return_to_plugin(run.settings.search_for)
    run.screenshot(highlight=wp_admin.plugin_button)
    wp_admin.activate_plugin()


guide.step(
    8,
    says=["Migrate", "Migration completed successfully"],
    images=["migrate-site-wp-activate-info.png", "migrate-site-wp-successful.png"],
)(acts.migrate)

guide.step(9, says="Confirm migration progress", adds=["migrate-site-confirm.png"])(acts.confirm_migration_progress)
