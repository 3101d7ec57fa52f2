"""The existing site, looked at before anything is created at Pantheon: whether the migration can work at all.

A browser looks, since a CDN's protection against bots answers plain HTTP clients with something else.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import time
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, Response

from flows.wordpress_migration.pages.loading import AGAIN, FIRST_SERVER_ERROR, not_opened
from flows.wordpress_migration.pages.wp_admin import BEHIND_BASIC_AUTH, TROUBLE_PAUSE, WpAdmin
from flows.wordpress_migration.settings import slug
from runner.controls import Stuck, host_of, plain_url, same_site, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.wordpress_migration.settings import MigrationSettings

LONGEST_NAME = 51
"""Characters that a Pantheon site's name may have; they are letters, digits and dashes, with no dash at either end.

Source: Pantheon's documentation, "Add a New Site" (pull request 9053 of pantheon-systems/documentation).
"""

LOCAL_NAMES = ("localhost", "local", "test", "internal", "invalid")
"""Names at the end of a host's that never lead to a site on the internet (RFC 6761 and 6762; ICANN, for .internal)."""

STAND_IN_ADDRESSES = ipaddress.ip_network("198.18.0.0/15")
"""What some VPN clients answer for every name, to lead on by the name ("fake IP"): it says nothing about the site."""

PROXIES = ("HTTPS_PROXY", "ALL_PROXY", "HTTP_PROXY")
"""Variables that name a proxy: behind one, names may be known to the proxy alone."""

WORDPRESS_COM = ("wordpress.com", "wpcomstaging.com")
"""Where WordPress.com has its sites that have no domain of their own."""

CHALLENGE = re.compile(r"^\W*(just a moment\b|attention required\W+cloudflare|checking your browser\b)", re.IGNORECASE)
"""Titles of the page by which a CDN asks for a human."""

TOO_MANY_REQUESTS = 429
"""HTTP's status for a client that asks too often: as passing as an error of the server."""

POST_REFUSED = (403, 405, 501)
"""HTTP's statuses for a method that is not let through: forbidden, not allowed, not implemented."""

ELSEWHERE = 5.0
"""Seconds after which a page of another host is no longer taken for a stop on the way."""

_SIGNS_JS = """() => ({
    // Where WordPress is: it may be in a folder of the site.
    places: [...document.querySelectorAll(
        'link[rel=EditURI], link[rel=pingback], [src*="/wp-includes/"], link[href*="/wp-includes/"]'
    )].map(el => el.src || el.href),
    others: document.querySelectorAll(
        'link[rel="https://api.w.org/"], meta[name=generator][content^=WordPress],'
        + '[src*="/wp-content/"], [href*="/wp-content/"], [srcset*="/wp-content/"]'
    ).length,
})"""

_POST_JS = """async ([address, patience]) => {
    const status = async (method, credentials) => (await fetch(address, {
        method, credentials, cache: 'no-store', signal: AbortSignal.timeout(patience),
        body: method === 'POST' ? new URLSearchParams({preflight: 'POST'}) : undefined,
    })).status;
    try {
        // Without cookies, as the migration service asks; with them where the site answers nothing without.
        for (const credentials of ['omit', 'same-origin'])
            if (await status('GET', credentials) < 400) return await status('POST', credentials);
    } catch {
        // A content security policy, or a redirect to another host: that tells nothing about POST.
    }
    return 0;
}"""


class Source:
    """The existing site in a tab of its own.

    Args:
        page: The tab.
        wp_admin: The same tab's WordPress.
        settings: The site's address, who its administrator is, and the new site's name.
        say: Told what is looked at and what is waited for.
    """

    def __init__(
        self, page: Page, wp_admin: WpAdmin, settings: MigrationSettings, *, say: Callable[[str], None]
    ) -> None:
        self.page = page
        self._wp_admin = wp_admin
        self._settings = settings
        self._say = say
        self._url = settings.source_url
        self._answer: Response | None = None
        page.on("response", self._keep_answer)

    def check(self) -> None:
        """Check all of it, what costs least first.

        Raises:
            Stuck: The migration cannot work like this; the sentence says why and what to do.
        """
        problems = []
        for look in (self.check_name, self.check_address):
            try:
                look()
            except Stuck as stuck:
                problems.append(stuck)
        if problems:
            raise Stuck("; ".join(map(str, problems)), looked_for=problems[0].looked_for)
        self.check_site()
        self.check_administrator()

    # -- without a browser ----------------------------------------------------------------------------------------

    def check_name(self) -> None:
        """Check that a Pantheon site's name can be made of NEW_SITE_NAME.

        Raises:
            Stuck: It has neither letter nor digit, or is too long.
        """
        typed = self._settings.site_name
        # Whether the dashboard takes the accents off a letter or the letter away is not known: both give a name.
        name = slug(unicodedata.normalize("NFKD", typed))
        if not name:
            raise Stuck(
                f'NEW_SITE_NAME "{typed}" has no letter from a to z and no digit, of which a Pantheon site\'s name is '
                "made: choose another one",
                looked_for="NEW_SITE_NAME",
            )
        if len(name) > LONGEST_NAME:
            raise Stuck(
                f'NEW_SITE_NAME "{typed}" makes the name {name} of {len(name)} characters; Pantheon allows '
                f"{LONGEST_NAME}: choose a shorter one",
                looked_for="NEW_SITE_NAME",
            )

    def check_address(self) -> None:
        """Check that SOURCE_SITE_URL can be reached from the internet, as the migration service has to.

        Raises:
            Stuck: It is local, private or unknown, or it is at WordPress.com.
        """
        host = _host(self._url)
        if _is_below(host, *WORDPRESS_COM):
            raise _hosted_by_wordpress_com(host)
        if self._settings.allow_local_source:
            return
        if _is_below(host, *LOCAL_NAMES):
            raise _not_on_the_internet(f"{host} is a name for local use")
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            if any(os.environ.get(name) or os.environ.get(name.lower()) for name in PROXIES):
                return  # the browser will tell
            reason = getattr(error, "strerror", None) or "it is no host name"
            raise Stuck(
                f"SOURCE_SITE_URL: the name {host} cannot be resolved ({reason}). Check how it is written, and that "
                "this machine has a connection",
                looked_for="SOURCE_SITE_URL",
            ) from None
        addresses = sorted({str(entry[4][0]) for entry in found})
        if not any(_is_public(address) for address in addresses):
            raise _not_on_the_internet(f"{host} is at {', '.join(addresses)}, a private or local address")

    # -- in the browser -------------------------------------------------------------------------------------------

    def check_site(self) -> None:
        """Open the site, see that it lets POST through and is WordPress, and leave the tab in wp-admin or before it.

        Raises:
            Stuck: It does not answer, is elsewhere, is at WordPress.com, refuses POST, or is not WordPress.
        """
        self._say(f"looking at the existing site {plain_url(self._url)}")
        self._open(self._url)
        here, wanted = _host(self.page.url), _host(self._url)
        if self._is_at_wordpress_com():
            raise _hosted_by_wordpress_com(here)
        if not same_site(self.page.url, self._url):
            raise Stuck(
                f"{plain_url(self._url)} leads to another site, from {wanted} to {here}: set SOURCE_SITE_URL to the "
                "address at which WordPress itself is, or have the redirect switched off until the migration is over",
                looked_for=wanted,
            )
        front = self._status
        is_wordpress, places = self._signs()
        self._check_post()
        self._open_wp_admin(places, is_wordpress=is_wordpress, front=front)

    def check_administrator(self) -> None:
        """Sign in, and see that it is no multisite and that the plugin can be installed; after `check_site`.

        Raises:
            Stuck: WordPress refused, a person is needed, it is a multisite, or plugins cannot be installed.
        """
        try:
            self._wp_admin.sign_in()
            self._wp_admin.check_signed_in()
        except Stuck:
            answer = self._answer
            if answer and answer.request.method == "POST" and not self._wp_admin.refuses():
                self._raise_if_post_is_refused(answer.status, "the sign-in form")
            raise
        if self._wp_admin.is_multisite():
            raise Stuck(
                "the existing site is a WordPress multisite, which the guided migration cannot migrate: migrate it by "
                "hand, or ask Pantheon",
                looked_for="a WordPress that is not a multisite",
            )
        self._wp_admin.check_plugin_can_be_installed()

    # -- opening pages --------------------------------------------------------------------------------------------

    def _keep_answer(self, response: Response) -> None:
        """Keep the last answer that became, or will become, the tab's page: not those of its parts."""
        if response.request.is_navigation_request() and response.frame == self.page.main_frame:
            self._answer = response

    @property
    def _status(self) -> int:
        """HTTP's status of the page."""
        return self._answer.status if self._answer else 0

    def _header(self, name: str) -> str:
        """A header of the page's answer."""
        return self._answer.headers.get(name, "") if self._answer else ""

    def _open(self, url: str) -> None:
        """Open a page of the site, again while the site is briefly not there, and wait for a CDN to let it through.

        Raises:
            Stuck: It does not open; the sentence says why.
        """
        deadline = time.monotonic() + self._settings.page_timeout
        while dropped := self._load(url):
            if time.monotonic() >= deadline:
                raise dropped
            self._say(f"{plain_url(url)} did not open; loading it again")
            until(self.page, lambda: None, timeout=AGAIN)
        while True:
            challenged = until(self.page, self._is_challenged, timeout=self._settings.page_timeout)
            if challenged or not self._is_passing() or time.monotonic() >= deadline:
                break
            self._say(f"{plain_url(url)} answered {self._status}; loading the page again")
            until(self.page, lambda: None, timeout=min(TROUBLE_PAUSE, self._settings.page_timeout))
            if dropped := self._load(url):
                raise dropped
        if challenged:
            self._say("waiting for the site's CDN, which checks the browser")
            # It lets a browser through by itself, if it does, and loads the page then.
            if not until(
                self.page, lambda: None if self._is_challenged() else True, timeout=self._settings.page_timeout
            ):
                raise Stuck(
                    f'{plain_url(url)} shows a page of its CDN that asks for a human ("{self.page.title()}"): let this '
                    "machine's address pass in the CDN's settings, or switch the protection off until the migration "
                    "is over",
                    looked_for="the existing site",
                )
        if self._status == 401:  # noqa: PLR2004 - HTTP's number for basic auth
            raise Stuck(BEHIND_BASIC_AUTH, looked_for="the existing site")
        if self._is_passing():
            raise Stuck(
                f"{plain_url(url)} went on to answer {self._status} for {self._settings.page_timeout:.0f} seconds: the "
                "site has to answer to be migrated. Repair it, or end its maintenance, and run this again",
                looked_for="the existing site",
            )

    def _is_passing(self) -> bool:
        """Whether the page's status is one that may be another in a moment."""
        return self._status >= FIRST_SERVER_ERROR or self._status == TOO_MANY_REQUESTS

    def _load(self, url: str) -> Stuck | None:
        """Load a page; returns why it did not open if it may open in a moment, and raises it otherwise."""
        self._answer = None
        try:
            self.page.goto(url, wait_until="domcontentloaded", timeout=self._settings.page_timeout * 1000)
        except PlaywrightError as error:
            if "interrupted by another navigation" in error.message:
                self.page.wait_for_load_state("domcontentloaded")
            elif "AUTH_CREDENTIALS" in error.message:
                raise Stuck(BEHIND_BASIC_AUTH, looked_for="the existing site") from None
            elif "HTTP_RESPONSE_CODE_FAILURE" not in error.message or not self._answer:
                # Chromium shows a page of its own for an error without a word; that has a status like any other.
                if not not_opened(error).passing:
                    raise self._unreachable(url, error) from None
                return self._unreachable(url, error)
        return None

    def _unreachable(self, url: str, error: PlaywrightError) -> Stuck:
        """What the browser says of a page that it could not open."""
        return Stuck(
            f"the existing site did not open: {not_opened(error).because}. Check SOURCE_SITE_URL "
            f"{plain_url(self._url)}, and whether it opens in a browser on this machine",
            looked_for=plain_url(url),
        )

    def _is_challenged(self) -> bool:
        """Whether the page is a CDN's, which asks for a human.

        The header: Cloudflare's documentation, "Detect a Challenge Page response".
        """
        return self._header("cf-mitigated") == "challenge" or bool(CHALLENGE.search(self.page.title()))

    def _is_at_wordpress_com(self) -> bool:
        """Whether WordPress.com hosts the page; neither WordPress VIP nor what Jetpack loads from wp.com tells that.

        The headers: `Host-Header: WordPress.com` (pull request 31 of rviscomi/ismyhostfastyet); VIP's are in its
        documentation, "Change or remove HTTP headers added by VIP Go".
        """
        vip = "vip" in self._header("x-powered-by").lower()
        sent = self._header("host-header").strip().lower() == "wordpress.com"
        return _is_below(_host(self.page.url), *WORDPRESS_COM) or (sent and not vip)

    # -- what it is -----------------------------------------------------------------------------------------------

    def _signs(self) -> tuple[bool, list[str]]:
        """Whether the front page shows that it is WordPress, and in which folders of the site WordPress may be."""
        signs = until(self.page, lambda: self.page.evaluate(_SIGNS_JS), timeout=self._settings.page_timeout)
        found = [*(signs or {}).get("places", []), self._header("x-pingback")]
        places = [re.split(r"/wp-includes/|/xmlrpc\.php", address)[0] for address in found if address]
        own = [place for place in dict.fromkeys(places) if host_of(place) == host_of(self._url)]
        return bool(places or (signs or {}).get("others") or "api.w.org" in self._header("link")), own

    def _check_post(self) -> None:
        """See that the site answers POST where it answers GET: the migration service sends POST.

        Raises:
            Stuck: Something in front of the site refuses POST.
        """
        home = self.page.url.partition("#")[0].partition("?")[0]
        # A page that a web server keeps as a file takes no POST; with a query it has to come from WordPress.
        if self._answer_to_post(home) in POST_REFUSED:
            self._raise_if_post_is_refused(self._answer_to_post(f"{home}?preflight=POST"), plain_url(home))

    def _answer_to_post(self, address: str) -> int:
        """HTTP's status in answer to POST, asked from within the page; 0 where that tells nothing."""
        asked = [address, self._settings.page_timeout * 1000]
        return (
            until(self.page, lambda: int(self.page.evaluate(_POST_JS, asked)), timeout=self._settings.page_timeout) or 0
        )

    @staticmethod
    def _raise_if_post_is_refused(status: int, where: str) -> None:
        if status in POST_REFUSED:
            raise Stuck(
                f"the existing site refuses POST: {where} answered it with {status}, while GET is answered. A CDN or a "
                "firewall in front of the site does that, and the migration needs POST: allow it there, or switch that "
                "off until the migration is over",
                looked_for="an answer to POST",
            )

    def _open_wp_admin(self, places: list[str], *, is_wordpress: bool, front: int) -> None:
        """Open wp-admin, which is decisive: a front page may show no sign of WordPress, or be no page at all.

        Args:
            places: Addresses at which WordPress may be, beside the site's own.
            is_wordpress: Whether the front page shows a sign of it.
            front: HTTP's status of the front page.

        Raises:
            Stuck: There is no wp-admin, or another host's.
        """
        said = ""
        for place in dict.fromkeys([self._url, *places]):
            url = f"{place}/wp-admin/"
            self._open(url)
            if self._status == 404:  # noqa: PLR2004 - HTTP's number for what is not there
                said = said or f"{plain_url(url)} answered 404"
                continue
            self._check_host(url)
            try:
                self._wp_admin.arrive()
            except Stuck as stuck:
                if re.search(r"/wp-login\.php|/wp-admin/upgrade\.php", self.page.url):
                    raise
                said = str(stuck)
            else:
                if place != self._url:
                    self._say(f"WordPress is at {plain_url(place)}")
                return
        home = plain_url(self._url)
        if is_wordpress:
            sentence = (
                f"{home} is WordPress, but {said}: if a plugin hides the sign-in form, switch that off meanwhile, or "
                'sign in by hand where it is, with "guiderunner login wp-admin"'
            )
        elif front >= 400:  # noqa: PLR2004 - HTTP's first status for an error
            sentence = f"{home} answered {front}, and {said}. Check SOURCE_SITE_URL"
        else:
            sentence = f"{home} is not WordPress: its page shows no sign of it, and {said}. Check SOURCE_SITE_URL"
        raise Stuck(sentence, looked_for="wp-admin or WordPress's sign-in form")

    def _check_host(self, url: str) -> None:
        """Step 5 arrives at wp-admin on the site's own host, or stops."""
        wanted = host_of(self._url)
        at_home = until(
            self.page,
            lambda: True if host_of(self.page.url) == wanted else None,
            timeout=min(ELSEWHERE, self._settings.page_timeout),
        )
        if not at_home:
            raise Stuck(
                f"{plain_url(url)} leads to {plain_url(self.page.url)}, which is not on SOURCE_SITE_URL's host "
                f"{wanted}: set SOURCE_SITE_URL to the address at which WordPress itself is",
                looked_for="wp-admin or WordPress's sign-in form",
            )


def _hosted_by_wordpress_com(host: str) -> Stuck:
    return Stuck(
        f"{host} is hosted by WordPress.com, whose sites the guided migration cannot migrate: export it there and "
        "import it by hand",
        looked_for="a WordPress that is not at WordPress.com",
    )


def _not_on_the_internet(why: str) -> Stuck:
    return Stuck(
        f"SOURCE_SITE_URL: {why}, and Pantheon's migration service has to reach the site from the internet. In a test "
        "environment, or if it can be reached all the same, set ALLOW_LOCAL_SOURCE=1",
        looked_for="SOURCE_SITE_URL",
    )


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").rstrip(".")


def _is_below(host: str, *names: str) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in names)


def _is_public(address: str) -> bool:
    """Whether an IP address can be reached from the internet."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped  # older Pythons take every such address for private
    if ip.version == STAND_IN_ADDRESSES.version and ip in STAND_IN_ADDRESSES:
        return True
    return ip.is_global and not ip.is_multicast
