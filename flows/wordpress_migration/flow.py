"""Pantheon's guided WordPress migration, edition 2024: nine steps, as the guide has them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flows.wordpress_migration.pages.dashboard import Dashboard
from flows.wordpress_migration.pages.migration_service import MigrationService
from flows.wordpress_migration.pages.wp_admin import WpAdmin
from flows.wordpress_migration.settings import MigrationSettings
from runner.flow import Flow
from runner.one_time_codes import OneTimeCodes
from runner.run import Run

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from runner.secrets import Secret


class MigrationRun(Run[MigrationSettings]):
    """A run of the migration: its two tabs and the token that is carried from one to the other."""

    machine_token: Secret
    wp_admin: WpAdmin
    service: MigrationService

    @cached_property
    def dashboard(self) -> Dashboard:
        """The Pantheon tab."""
        return Dashboard(self.page, self.settings, say=self.say, codes=self._codes(self.settings.totp))

    def take_new_tab(self, page: Page) -> None:
        """Take the tab that **Install on /wp-admin** has opened: wp-admin, and after **Migrate** the service."""
        self.wp_admin = WpAdmin(page, self.settings, say=self.say, codes=self._codes(self.settings.wp_totp))
        self.service = MigrationService(page, self.settings, say=self.say)
        self.switch_to(page)

    def _codes(self, secret: Secret | None) -> OneTimeCodes | None:
        return OneTimeCodes(secret, keep=self.keep_secret, off_camera=self.off_camera) if secret else None

    def context_options(self) -> dict[str, Any]:
        """Basic auth is answered for the existing site only, and only when that asks for it."""
        login = self.settings.source_basic_auth
        if login is None:
            return {}
        user, _, password = login.reveal().partition(":")
        self.keep_secret(password, "SOURCE_BASIC_AUTH password")
        address = urlsplit(self.settings.source_url)
        origin = f"{address.scheme}://{address.netloc}"
        return {
            "http_credentials": {
                "username": user,
                "password": password,
                "origin": origin,
                "send": "unauthorized",
            }
        }

    def patience(self) -> float:
        """As the settings say."""
        return self.settings.page_timeout


FLOW = migration = Flow("wordpress-migration", edition="2024", run=MigrationRun, settings=MigrationSettings)


@migration.step(1, says="Migrate Existing Site", images=["dashboard/new-dashboard/2024/migrate-site-button.png"])
def migrate_existing_site(run: MigrationRun) -> None:
    """Open the workspace's dashboard and begin to migrate an existing site."""
    dashboard = run.dashboard
    dashboard.open()
    if run.settings.workspace:
        dashboard.open_workspace(run.settings.workspace)
    run.screenshot(highlight=dashboard.migrate_existing_site)
    dashboard.migrate_existing_site.click()
    dashboard.reach(dashboard.continue_)


@migration.step(2, says=["WordPress", "Continue"], images=["migrate-site-cms.png"])
def choose_site_to_migrate(run: MigrationRun) -> None:
    """Enter the current website's address and say that it is WordPress."""
    dashboard = run.dashboard
    dashboard.website_url.fill(run.settings.source_url)
    wordpress = dashboard.choose_cms("WordPress")
    run.screenshot(highlight=wordpress)
    dashboard.press_continue()


@migration.step(3, says="Create Site", images=["migrate-site-info.png"])
def create_site(run: MigrationRun) -> None:
    """Name the new site, choose its workspace if one is set, and create it."""
    dashboard = run.dashboard
    dashboard.site_name.fill(run.settings.site_name)
    if run.settings.workspace:
        dashboard.choose_workspace(run.settings.workspace)
    run.screenshot(highlight=dashboard.create_site)
    run.say("creating the site; this can take minutes")
    dashboard.press_create_site()
    run.facts["site_page"] = dashboard.page.url


@migration.step(4, says="Generate Machine Token", images=["migrate-site-wp-plugin.png"])
def generate_machine_token(run: MigrationRun) -> None:
    """Have a machine token made, signing in once more as the same account if the dashboard asks for it."""
    dashboard = run.dashboard
    run.screenshot(highlight=dashboard.generate_machine_token)
    run.stay_off_camera(dashboard.page)
    dashboard.press_generate_machine_token()
    run.machine_token = run.keep_secret(dashboard.machine_token(), "machine token")
    run.facts["site_name"] = dashboard.shown_site_name(run.machine_token)
    run.facts["site_page"] = dashboard.page.url


@migration.step(5, says="Install on /wp-admin", images=["migrate-site-wp-install.png"])
def install_on_wp_admin(run: MigrationRun) -> None:
    """Open the existing site's WordPress in a new tab; the Pantheon tab stays open."""
    dashboard = run.dashboard
    run.screenshot(highlight=dashboard.install_on_wp_admin)
    run.take_new_tab(dashboard.press_install_on_wp_admin())
    run.wp_admin.check_arrival()


@migration.step(6, images=["migrate-site-wp-search-plugin.png"])
def install_plugin(run: MigrationRun) -> None:
    """Search for the plugin and install it."""
    wp_admin = run.wp_admin
    wp_admin.sign_in()
    wp_admin.search_plugin(run.settings.search_for)
    run.screenshot(highlight=wp_admin.plugin_button)
    wp_admin.install_plugin()


@migration.step(7, says="Activate", images=["migrate-site-wp-activate.png"])
def activate_plugin(run: MigrationRun) -> None:
    """Activate the plugin."""
    wp_admin = run.wp_admin
    run.screenshot(highlight=wp_admin.plugin_button)
    wp_admin.activate_plugin()


@migration.step(
    8,
    says=["Migrate", "Migration completed successfully"],
    images=["migrate-site-wp-activate-info.png", "migrate-site-wp-successful.png"],
)
def migrate(run: MigrationRun) -> None:
    """Paste the machine token and the site name into the plugin's form, migrate, and wait until it is complete."""
    run.switch_to(run.wp_admin.page)
    run.wp_admin.open_plugin_page()
    with run.off_camera(run.wp_admin.page):
        form = run.wp_admin.migration_form
        form.fill_in(run.facts["site_name"], run.machine_token)
        run.screenshot(highlight=form.migrate)
        form.press_migrate()
        run.service.follow_hand_shake(form, run.facts["site_name"], run.machine_token)
    run.service.wait_until_completed()
    run.facts["migration_page"] = run.service.page.url
    run.screenshot(run.service.page)


@migration.step(9, says="Confirm migration progress", adds=["migrate-site-confirm.png"])
def confirm_migration_progress(run: MigrationRun) -> None:
    """Go back to the Pantheon tab and confirm; the site's dashboard appears."""
    dashboard = run.dashboard
    run.switch_to(dashboard.page)
    dashboard.press_confirm_migration_progress(run.facts["site_page"], run.facts["site_name"])
    dashboard.check_site_dashboard(run.facts["site_name"])
    run.facts["site_dashboard"] = dashboard.page.url
    run.screenshot(dashboard.page)
