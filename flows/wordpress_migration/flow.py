"""Pantheon's guided WordPress migration, edition 2024: nine steps, as the guide has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.wordpress_migration.pages.source import Source
from flows.wordpress_migration.run import MigrationRun
from flows.wordpress_migration.settings import MigrationSettings
from flows.wordpress_migration.verification import Site, Verification, verify
from runner.controls import control, host_of
from runner.errors import Question, Stuck, Undone
from runner.flow import Flow
from runner.sign_ins import Login
from runner.studio import Carried

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from playwright.sync_api import Page

FLOW = migration = Flow("wordpress-migration", edition="2024", run=MigrationRun, settings=MigrationSettings)


@migration.preflight
def check_beforehand(run: MigrationRun) -> None:
    """Check that the site can be migrated, before anything is created."""
    settings = run.settings
    with run.tab_beside() as page:
        Source(page, run.wp_admin_in(page), settings, say=run.say).check()
    with run.tab_beside() as page:
        dashboard = run.dashboard_in(page)
        dashboard.open()
        if settings.workspace:
            dashboard.open_workspace(settings.workspace)
        if dashboard.has_site(settings.site_name):
            raise Stuck(
                f"a site named {settings.site_name} stands in the workspace already: choose another NEW_SITE_NAME",
                looked_for=settings.site_name,
            )
        if dashboard.is_in_workspace:
            run.facts["name_was_free"] = "yes"


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


@migration.step(2, says=["WordPress", "Continue"], images=["migrate-site-cms.png"], enters_from=1)
def choose_site_to_migrate(run: MigrationRun) -> None:
    """Enter the current website's address and say that it is WordPress."""
    dashboard = run.dashboard
    dashboard.website_url.fill(run.settings.source_url)
    wordpress = dashboard.choose_cms("WordPress")
    run.screenshot(highlight=wordpress)
    dashboard.press_continue()


@migration.step(3, says="Create Site", images=["migrate-site-info.png"], enters_from=1)
def create_site(run: MigrationRun) -> None:
    """Name the new site, choose its workspace if one is set, and create it."""
    dashboard = run.dashboard
    dashboard.site_name.fill(run.settings.site_name)
    if run.settings.workspace:
        dashboard.choose_workspace(run.settings.workspace)
    run.screenshot(highlight=dashboard.create_site)
    run.about_to("create the site; this can take minutes")
    try:
        dashboard.press_create_site()
    except Undone as refused:
        if run.tried_before:
            # The name may be taken by what an earlier try of this run has made after all.
            raise Stuck(str(refused), looked_for=refused.looked_for, place=refused.place) from None
        run.facts.forget("name_was_free")
        raise
    run.facts["site_page"] = dashboard.page.url


@create_site.already_done
def site_exists(run: MigrationRun) -> bool:
    """Whether this run's site stands in the workspace; before the run no site of that name did."""
    if "site_page" in run.facts:
        return True
    dashboard = run.dashboard
    dashboard.open()
    if run.settings.workspace:
        dashboard.open_workspace(run.settings.workspace)
    stands = dashboard.has_site(run.settings.site_name)
    if not stands and dashboard.is_in_workspace:
        return False
    if not stands:
        raise Question(
            f'it is not known whether the site was created: the dashboard did not open "{run.settings.workspace}". If '
            "it was, give the address of its page in the dashboard",
            fact="site_page",
        )
    if "name_was_free" not in run.facts:
        raise Question(
            f"a site named {run.settings.site_name} stands in the workspace, and it is not known whether this run has "
            "made it: what is there would be overwritten. If it did, give the address of its page in the dashboard",
            fact="site_page",
        )
    dashboard.open_site(run.settings.site_name)
    run.facts["site_page"] = dashboard.page.url
    return True


@migration.step(4, says="Generate Machine Token", images=["migrate-site-wp-plugin.png"])
def generate_machine_token(run: MigrationRun) -> None:
    """Have a machine token made, signing in once more as the same account if the dashboard asks for it."""
    run.return_to_site_page()
    dashboard = run.dashboard
    dashboard.reach(dashboard.generate_machine_token)
    run.screenshot(highlight=dashboard.generate_machine_token)
    run.make_machine_token()


@migration.step(5, says="Install on /wp-admin", images=["migrate-site-wp-install.png"])
def install_on_wp_admin(run: MigrationRun) -> None:
    """Open the existing site's WordPress in a new tab; the Pantheon tab stays open."""
    run.return_to_token_page()
    dashboard = run.dashboard
    run.screenshot(highlight=dashboard.install_on_wp_admin)
    wp_admin = run.take_new_tab(dashboard.press_install_on_wp_admin())
    wp_admin.check_arrival()


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
    wp_admin.return_to_plugin(run.settings.search_for)
    run.screenshot(highlight=wp_admin.plugin_button)
    wp_admin.activate_plugin()


@migration.step(
    8,
    says=["Migrate", "Migration completed successfully"],
    images=["migrate-site-wp-activate-info.png", "migrate-site-wp-successful.png"],
)
def migrate(run: MigrationRun) -> None:
    """Paste the machine token and the site name into the plugin's form, and migrate."""
    machine_token = run.machine_token
    wp_admin = run.wp_admin
    run.switch_to(wp_admin.page)
    wp_admin.open_plugin_page()
    form = wp_admin.migration_form
    with run.off_camera(wp_admin.page):
        form.fill_in(run.facts["site_name"], machine_token)
    carried = Carried(
        run.dashboard.page, [(run.facts["site_name"], form.site_name), (machine_token, form.machine_token)]
    )
    run.screenshot(highlight=form.migrate, carried=carried)
    with run.off_camera(wp_admin.page):
        run.facts.forget("migration_page")
        run.service.expect_migration()
        run.about_to("start the migration")
        form.press_migrate()
        run.service.follow_hand_shake(form, run.facts["site_name"], machine_token)
    run.facts["migration_page"] = run.service.page.url


@migrate.already_done
def migration_began(run: MigrationRun) -> bool:
    """Whether **Migrate** led to a migration: it did, or does when opened, if the browser was sent to its page."""
    if "migration_page" in run.facts:
        return True
    raise Question(
        "Migrate was pressed, and the run was interrupted before it could see whether a migration began. Look at "
        f"{run.facts['site_page']}, at the plugin's page in wp-admin and into the account's mail; if one began, give "
        "the address of its page",
        fact="migration_page",
    )


@migrate.waits(timeout=lambda settings: settings.migration_timeout)
def migration_is_completed(run: MigrationRun, seconds: float) -> bool:
    """Watch the migration's page until it says that the migration is complete."""
    service = run.service
    if not service.watch(seconds):
        return False
    run.facts["migration_page"] = service.page.url
    if address := service.migrated_site():
        run.facts["new_site"] = address
    run.screenshot(service.page)
    return True


@migration.step(9, says="Confirm migration progress", adds=["migrate-site-confirm.png"])
def confirm_migration_progress(run: MigrationRun) -> None:
    """Go back to the Pantheon tab and confirm; the site's dashboard appears."""
    dashboard = run.dashboard
    run.switch_to(dashboard.page)
    run.return_to_site_page()
    if not dashboard.offers_to_confirm(run.facts["site_name"]):
        run.make_machine_token()
    with run.off_camera(dashboard.page):
        dashboard.press_confirm_migration_progress(run.facts["site_page"], run.facts["site_name"])
        dashboard.check_site_dashboard(run.facts["site_name"])
    run.facts["site_dashboard"] = dashboard.page.url
    run.screenshot(dashboard.page)


@migration.afterwards
def revoke_machine_tokens(run: MigrationRun) -> None:
    """Revoke the machine tokens that the run has had made, where REVOKE_TOKEN is set."""
    if run.settings.revoke_token and "tokens_before" in run.facts:
        run.note_tokens_made(surely=False)
    if not run.settings.revoke_token or not run.tokens_to_revoke:
        run.say("no machine token is to be revoked; to revoke one: Personal Settings > Machine Tokens")
        return
    run.revoke_tokens()


@migration.is_verified_by
def compare_sites(settings: MigrationSettings, facts: Mapping[str, str], say: Callable[[str], None]) -> Verification:
    """Compare the new site with the existing one, as their visitors see them."""
    address = settings.new_site_url or facts.get("new_site") or f"https://dev-{facts['site_name']}.pantheonsite.io"
    user, password = settings.wp_username, settings.wp_password
    old = Site(settings.source_url, basic_auth=settings.source_basic_auth, user=user, password=password)
    new = Site(address, basic_auth=settings.new_site_basic_auth, user=user, password=password)
    return verify(old, new, say=say, timeout=settings.page_timeout)


@migration.offers_logins
def logins(settings: MigrationSettings) -> list[Login]:
    """The Pantheon account, and the existing site's administrator."""
    dashboard, source = settings.dashboard_url, settings.source_url

    def in_dashboard(page: Page) -> bool:
        return host_of(page.url) == host_of(dashboard) and control(page, "Migrate Existing Site").is_visible()

    def in_wp_admin(page: Page) -> bool:
        return host_of(page.url) == host_of(source) and page.locator("body.wp-admin").is_visible()

    return [
        Login("dashboard", f"dashboard {dashboard} {settings.email}", dashboard, in_dashboard),
        Login("wp-admin", f"wp-admin {source} {settings.wp_username}", f"{source}/wp-admin/", in_wp_admin),
    ]
