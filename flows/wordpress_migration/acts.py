"""What the steps of the migration do where the editions of the guide do the same: each written once.

Where an interruption could come between an act's effect and its record, how to find out stands beside the act.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.errors import Question, Stuck, Undone
from runner.flow import Act
from runner.studio import Carried

if TYPE_CHECKING:
    from flows.wordpress_migration.run import MigrationRun


def migrate_existing_site(run: MigrationRun) -> None:
    """Open the workspace's dashboard and begin to migrate an existing site."""
    dashboard = run.dashboard
    run.open_workspace(dashboard)
    run.screenshot(highlight=dashboard.migrate_existing_site)
    run.begin_in(dashboard, dashboard.page.url)
    dashboard.begin_to_migrate()


@Act
def create_site(run: MigrationRun) -> None:
    """Name the new site, choose its workspace if one is set, and create it."""
    dashboard = run.dashboard
    dashboard.site_name.fill(run.settings.site_name)
    if run.settings.workspace:
        dashboard.choose_workspace(run.settings.workspace)
    run.screenshot(highlight=dashboard.create_site)
    run.about_to("create the site; this can take minutes")
    try:
        dashboard.press_create_site(lambda confirm: run.may_screenshot(highlight=confirm))
    except Undone as refused:
        if stands_now(run):
            run.facts.forget("name_was_free")
            raise Question(
                f"{refused}; and a site named {run.settings.site_name} stands in the workspace, which it did not "
                "before. It is this run's if the connection dropped and the browser asked twice; else it is somebody "
                "else's and would be overwritten. If it is this run's, give the address of its page in the dashboard",
                fact="site_page",
            ) from None
        if run.tried_before:
            # The name may be taken by what an earlier try of this run has made after all.
            raise Stuck(str(refused), looked_for=refused.looked_for, place=refused.place) from None
        run.facts.forget("name_was_free")
        raise
    run.facts["site_page"] = dashboard.page.url


def stands_now(run: MigrationRun) -> bool:
    """Whether a site of the run's name stands there although that was free, and the dashboard says that it is taken.

    When a connection drops, a browser may send its request a second time, which is answered so.
    """
    if "name_was_free" not in run.facts:
        return False
    with run.tab_beside() as page:
        dashboard = run.dashboard_in(page)
        run.open_workspace(dashboard)
        return dashboard.is_in_workspace and dashboard.has_site(run.settings.site_name)


@create_site.already_done
def site_exists(run: MigrationRun) -> bool:
    """Whether this run's site stands in the workspace; before the run no site of that name did."""
    if "site_page" in run.facts:
        return True
    dashboard = run.dashboard
    run.open_workspace(dashboard)
    if not dashboard.is_in_workspace:
        # A site of that name in another workspace is somebody else's.
        where = f'"{run.settings.workspace}"' if run.settings.workspace else "the workspace in which this run began"
        raise Question(
            f"it is not known whether the site was created: the dashboard did not open {where}. If it was, give the "
            "address of its page in the dashboard",
            fact="site_page",
        )
    if not dashboard.has_site(run.settings.site_name):
        return False
    if "name_was_free" not in run.facts:
        raise Question(
            f"a site named {run.settings.site_name} stands in the workspace, and it is not known whether this run has "
            "made it: what is there would be overwritten. If it did, give the address of its page in the dashboard",
            fact="site_page",
        )
    dashboard.open_site(run.settings.site_name)
    run.facts["site_page"] = dashboard.page.url
    return True


def generate_machine_token(run: MigrationRun) -> None:
    """Have a machine token made, signing in once more as the same account if the dashboard asks for it."""
    run.return_to_site_page()
    dashboard = run.dashboard
    dashboard.reach(dashboard.generate_machine_token)
    run.screenshot(highlight=dashboard.generate_machine_token)
    run.make_machine_token()


def to_wp_admin(run: MigrationRun) -> None:
    """Open the existing site's WordPress in a new tab; the Pantheon tab stays open."""
    run.return_to_token_page()
    dashboard = run.dashboard
    run.screenshot(highlight=dashboard.to_wp_admin)
    wp_admin = run.take_new_tab(dashboard.press_to_wp_admin())
    wp_admin.check_arrival()


@Act
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
        run.service.follow_hand_shake(form, run.facts["site_name"], machine_token, wp_admin.sign_in_again)
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
    if not service.watch(seconds, answered=run.answered):
        return False
    run.facts["migration_page"] = service.page.url
    if address := service.migrated_site():
        run.facts["new_site"] = address
    run.screenshot(service.page)
    return True


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
