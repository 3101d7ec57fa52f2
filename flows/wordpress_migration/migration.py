"""What is the same in all editions of the migration, beside the guide's numbered steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.wordpress_migration.pages.source import Source
from flows.wordpress_migration.run import MigrationRun
from flows.wordpress_migration.settings import MigrationSettings
from runner.controls import control, host_of
from runner.errors import Stuck
from runner.flow import Flow
from runner.sign_ins import Login

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from playwright.sync_api import Page

    from flows.wordpress_migration.pages.dashboard import Words
    from flows.wordpress_migration.verification import Verification


def migration(edition: str, words: Words) -> Flow[MigrationRun]:
    """An edition of the migration, with all but its numbered steps.

    Args:
        edition: The dated version of the guide.
        words: The dashboard's words in which it differs from other editions.
    """
    flow = Flow("wordpress-migration", edition=edition, run=MigrationRun, settings=MigrationSettings, words=words)
    flow.preflight(check_beforehand)
    flow.afterwards(revoke_machine_tokens)
    flow.is_verified_by(compare_sites)
    flow.offers_logins(logins)
    return flow


def check_beforehand(run: MigrationRun) -> None:
    """Check that the site can be migrated, before anything is created."""
    check_source(run)
    check_workspace(run)


def check_source(run: MigrationRun) -> None:
    """Check that the existing site answers, and lets its administrator install plugins."""
    with run.tab_beside() as page:
        Source(page, run.wp_admin_in(page), run.settings, say=run.say).check()


def check_workspace(run: MigrationRun) -> None:
    """Check that the dashboard can be signed in to, and that no site of the new name stands there."""
    settings = run.settings
    with run.tab_beside() as page:
        dashboard = run.dashboard_in(page)
        run.open_workspace(dashboard)
        stands = dashboard.has_site(settings.site_name)
        run.begin_in(dashboard, dashboard.home)
        if stands:
            raise Stuck(
                f"a site named {settings.site_name} stands in the workspace already: choose another NEW_SITE_NAME",
                looked_for=settings.site_name,
            )
        if dashboard.is_in_workspace or not settings.workspace:
            run.facts["name_was_free"] = "yes"
        else:
            run.say(
                f'the dashboard did not open the workspace "{settings.workspace}": only step 3 can tell whether it is '
                "there and the name is free in it"
            )


def revoke_machine_tokens(run: MigrationRun) -> None:
    """Revoke the machine tokens that the run has had made, where REVOKE_TOKEN is set."""
    if run.settings.revoke_token and "tokens_before" in run.facts:
        run.note_tokens_made(surely=False)
    if not run.settings.revoke_token or not run.tokens_to_revoke:
        run.say("no machine token is to be revoked; to revoke one: Personal Settings > Machine Tokens")
        return
    run.revoke_tokens()


def compare_sites(settings: MigrationSettings, facts: Mapping[str, str], say: Callable[[str], None]) -> Verification:
    """Compare the new site with the existing one, as their visitors see them."""
    from flows.wordpress_migration.verification import Site, verify  # noqa: PLC0415 - most runs do not, and begin sooner

    address = settings.new_site_url or facts.get("new_site") or f"https://dev-{facts['site_name']}.pantheonsite.io"
    user, password = settings.wp_username, settings.wp_password
    old = Site(settings.source_url, basic_auth=settings.source_basic_auth, user=user, password=password)
    new = Site(address, basic_auth=settings.new_site_basic_auth, user=user, password=password)
    return verify(old, new, say=say, timeout=settings.page_timeout)


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
