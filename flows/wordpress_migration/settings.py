"""What a migration needs to know: the accounts, the existing site, the new site's name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.one_time_codes import totp_secret
from runner.secrets import SHORTEST
from runner.settings import Settings, optional, seconds, setting, switch, url

if TYPE_CHECKING:
    from runner.secrets import Secret


def slug(name: str) -> str:
    """The name as the dashboard makes it: lower case, dashes but for letters and digits (guide's image of step 3)."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def optional_url(text: str) -> str | None:
    """An address, see `url`; nothing means None."""
    return url(text) if text else None


def hosts(text: str) -> tuple[str, ...]:
    """Names of hosts, separated by commas.

    Raises:
        ValueError: One of them is no such name.
    """
    names = tuple(name.strip().casefold() for name in text.split(",") if name.strip())
    if wrong := [name for name in names if not re.fullmatch(r"[\w.-]+(:\d+)?", name)]:
        raise ValueError(f'"{wrong[0]}" is not the name of a host, such as login.example.com')
    return names


def basic_auth(text: str) -> str:
    """User and password of HTTP basic auth, as `user:password`.

    Raises:
        ValueError: There is no colon, or nothing on one side of it, or the password is too short to be kept secret.
    """
    user, _, password = text.partition(":")
    if not user or not password:
        raise ValueError("it is not written user:password")
    if len(password) < SHORTEST:
        raise ValueError(f"its password has fewer than {SHORTEST} characters")
    return text


@dataclass(frozen=True, kw_only=True)
class MigrationSettings(Settings):
    """Settings of the guided WordPress migration."""

    dashboard_url: str = setting(
        "PANTHEON_DASHBOARD_URL",
        help="Address of the dashboard",
        default="https://dashboard.pantheon.io",
        parse=url,
        fixed=True,
    )
    email: str = setting(
        "PANTHEON_EMAIL", help="E-mail address of the Pantheon account", example="you@example.com", fixed=True
    )
    password: Secret | None = setting(
        "PANTHEON_PASSWORD",
        help='Password of the Pantheon account, or the word login: only what "guiderunner login dashboard" has kept',
        secret=True,
        instead="login",
    )
    totp: Secret | None = setting(
        "PANTHEON_TOTP",
        help="Secret in base32, or otpauth:// address, that the account's one-time codes are made from",
        default="",
        secret=True,
        parse=totp_secret,
    )
    sign_in_hosts: tuple[str, ...] = setting(
        "PANTHEON_SIGN_IN_HOSTS",
        help="Hosts of the account's identity provider, separated by commas; those of the dashboard's own domain need "
        "not be named",
        default="",
        example="login.example.com",
        parse=hosts,
    )
    workspace: str | None = setting(
        "PANTHEON_WORKSPACE",
        help="Workspace that the new site belongs to; unset, the one that the dashboard opens with",
        default="",
        example="Widgets",
        parse=optional,
        fixed=True,
    )
    source_url: str = setting(
        "SOURCE_SITE_URL",
        help="Address of the existing WordPress site",
        example="https://www.example.com",
        parse=url,
        fixed=True,
    )
    allow_local_source: bool = setting(
        "ALLOW_LOCAL_SOURCE",
        help="1 if the existing site may be at a local or private address, as in a test environment",
        default="0",
        parse=switch,
    )
    wp_username: str = setting(
        "WP_ADMIN_USERNAME", help="User name of an administrator of the existing site", example="admin"
    )
    wp_password: Secret | None = setting(
        "WP_ADMIN_PASSWORD",
        help='Password of that administrator, or the word login: only what "guiderunner login wp-admin" has kept',
        secret=True,
        instead="login",
    )
    wp_totp: Secret | None = setting(
        "WP_ADMIN_TOTP",
        help="Secret in base32, or otpauth:// address, that the administrator's one-time codes are made from",
        default="",
        secret=True,
        parse=totp_secret,
    )
    site_name: str = setting(
        "NEW_SITE_NAME",
        help="Name of the new Pantheon site; it cannot be changed later",
        example="Writing Widgets",
        fixed=True,
    )
    source_basic_auth: Secret | None = setting(
        "SOURCE_BASIC_AUTH",
        help="user:password, if the existing site is behind HTTP basic auth",
        default="",
        secret=True,
        parse=basic_auth,
    )
    search_for: str = setting(
        "PLUGIN_SEARCH",
        help="Words that the plugin is searched by in wp-admin",
        default="pantheon migrations",
    )
    page_timeout: float = setting(
        "PAGE_TIMEOUT",
        help="How long a page may take to show what a step waits for",
        default="30s",
        parse=seconds,
    )
    creation_timeout: float = setting(
        "CREATION_TIMEOUT",
        help="How long the dashboard may take to create the site",
        default="15m",
        parse=seconds,
    )
    migration_timeout: float = setting(
        "MIGRATION_TIMEOUT", help="How long the migration may take", default="6h", parse=seconds
    )

    revoke_token: bool = setting(
        "REVOKE_TOKEN",
        help="1 to revoke the machine token that a run has had made when its migration is confirmed; fleets do",
        default="0",
        parse=switch,
        in_fleets="1",
    )

    new_site_url: str | None = setting(
        "NEW_SITE_URL",
        help="Address of the new site for its verification; unset, the one that the migration's page or the dashboard "
        "shows",
        default="",
        example="https://dev-writing-widgets.pantheonsite.io",
        parse=optional_url,
    )
    new_site_basic_auth: Secret | None = setting(
        "NEW_SITE_BASIC_AUTH",
        help="user:password, if the new site is behind HTTP basic auth when it is verified",
        default="",
        secret=True,
        parse=basic_auth,
    )

    @property
    def subject(self) -> str:
        """The new site's name at its dashboard: two runs must not create it, whatever they migrate."""
        return f"{slug(self.site_name)} at {self.dashboard_url}"

    @property
    def site(self) -> str:
        """The existing site and the new one's name."""
        return f"{self.source_url} to {self.site_name}"

    @property
    def account(self) -> str:
        """The account at the dashboard."""
        return f"{self.email} at {self.dashboard_url}"
