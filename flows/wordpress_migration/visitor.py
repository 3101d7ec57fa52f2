"""A site as its visitors meet it: pages, sitemaps, the REST API, and what only its administrator is told.

It asks and never changes anything. User and password go to the site's own address only, never to where it redirects.
"""

from __future__ import annotations

import json
import re
import threading
import time
import zlib
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import cached_property
from http.cookiejar import CookieJar, DefaultCookiePolicy
from itertools import count, islice
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import httpx

from flows.wordpress_migration.page_text import PageText, listed, read_page
from runner.errors import GuiderunnerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.secrets import Secret

WAKE = 120.0
"""Seconds that a site may take for its first answer: a Pantheon environment that nobody visited sleeps."""

MOST_HOPS = 10
"""Redirects that are followed for one page."""

MOST_BYTES = 10_000_000
"""Bytes of one page that are read."""

MOST_SITEMAP_BYTES = 50_000_000
"""Bytes of one sitemap that are read; sitemaps.org allows no more."""

MOST_SITEMAPS = 100
"""Sitemaps that are read for one site; each may list 50,000 pages."""

SILENT = 8
"""Pages in a row without any answer after which a site counts as gone."""

SITEMAPS = ("/wp-sitemap.xml", "/sitemap_index.xml", "/sitemap.xml")
"""Where WordPress (5.5 and later) and the plugins for it keep their sitemaps."""

INTERNAL = re.compile(r"^(wp_|nav_menu_item$|attachment$)")
"""Types of the REST API that are no pages: templates, blocks, menus, media."""

AGENT = "Mozilla/5.0 (compatible; guiderunner)"
"""How it introduces itself; some sites refuse programs that do not say so in this form."""

_NONCE = re.compile(r"\w{6,20}")


@dataclass(frozen=True)
class Site:
    """A site and the ways into it.

    Attributes:
        address: Where it is, such as https://www.example.com.
        basic_auth: user:password, if it is behind HTTP basic auth.
        user: User name of an administrator, if one is known.
        password: Password of that administrator.
    """

    address: str
    basic_auth: Secret | None = None
    user: str = ""
    password: Secret | None = None


@dataclass(frozen=True)
class Answer:
    """What a site answered.

    Attributes:
        url: Address that answered, after redirects within the site.
        status: HTTP's status.
        headers: HTTP's headers.
        body: The content, as far as it was read.
        leads_to: Address outside of the site that it redirects to; empty if it does not.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    leads_to: str = ""

    @property
    def text(self) -> str:
        """The content as text, in the encoding that the header or the page itself names."""
        named = re.search(r"charset=[\"']?([\w-]+)", self.headers.get("content-type", ""))
        stated = re.search(rb"<meta[^>]{1,200}?charset=[\"']?([\w-]+)", self.body[:4096], re.IGNORECASE)
        encoding = named[1] if named else stated[1].decode() if stated else "utf-8"
        try:
            return self.body.decode(encoding, "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:  # noqa: ANN401 - anything that JSON can say
        """The content read as JSON; None if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True)
class Look:
    """One page as it was met.

    Attributes:
        status: HTTP's status.
        at: Path where it was found after redirects, or the address outside of the site.
        leads_to: Address outside of the site that it redirects to.
        text: What a visitor reads.
        refused: Why the site did not show it to a program; empty if it did.
    """

    status: int
    at: str
    leads_to: str
    text: PageText
    refused: str = ""


class CannotAsk(GuiderunnerError):
    """A site does not tell what is asked; the sentence says why."""


class NoAnswer(CannotAsk):
    """A site did not answer a request, nor when asked again."""


class Visitor:
    """Asks one site.

    Args:
        site: Which.
        name: What the sentences call it, such as "the old site".
        other: Address of the site that it is compared with.
        timeout: Seconds that each answer may take.
    """

    def __init__(self, site: Site, name: str, *, other: str, timeout: float) -> None:
        self.site = site
        self.name = name
        self.address = site.address.rstrip("/")
        self.notes: list[str] = []
        self._other = other.rstrip("/")
        self._timeout = timeout
        self._unanswered = 0
        self._counting = threading.Lock()
        self._stack = ExitStack()
        # A page is compared as a first visit shows it, whatever other pages have set.
        self._client = self._open(CookieJar(DefaultCookiePolicy(allowed_domains=[])))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def arrive(self) -> None:
        """Ask for the front page, and take the scheme and www that it redirects to as the site's own.

        Raises:
            GuiderunnerError: The site does not answer, or asks for HTTP basic auth.
        """
        home = self.get("/", timeout=max(self._timeout, WAKE))
        if home.status == httpx.codes.UNAUTHORIZED:
            does = "refused the user and password of its" if self.site.basic_auth else "is behind"
            raise GuiderunnerError(
                f"{self.name.capitalize()} at {self.address} {does} HTTP basic auth: give them as user:password."
            )
        if home.leads_to and path_within(self._other, home.leads_to) is None:
            self.notes.append(
                f"{self.name}: its front page leads to another host, {_without_query(home.leads_to)}, where nothing "
                "is compared; if the site is there, give that address"
            )
        there = urlsplit(home.url)
        self.address = f"{there.scheme}://{there.netloc}{urlsplit(self.address).path}"

    def look(self, path: str) -> Look:
        """Look at a page.

        Raises:
            NoAnswer: It did not answer.
        """
        answer = self.get(path)
        kind = answer.headers.get("content-type", "text/html")
        text = read_page(answer.text, (self._other, self.address)) if "html" in kind else PageText()
        at = _without_query(answer.leads_to or path_within(self.address, answer.url) or answer.url)
        refused = ""
        if answer.status == httpx.codes.TOO_MANY_REQUESTS:
            refused = "asked for fewer requests (status 429)"
        elif "cf-mitigated" in answer.headers:
            refused = f"wants to see a person first (status {answer.status}, Cloudflare)"
        return Look(answer.status, at, answer.leads_to, text, refused)

    # -- pages --------------------------------------------------------------------------------------------------------

    def pages(self, limit: int) -> list[str]:
        """Addresses of the site's pages, as its sitemap lists them, or else its REST API.

        Args:
            limit: Pages that are enough.
        """
        robots = self._file("/robots.txt")
        named = re.findall(r"^\s*sitemap\s*:\s*(\S+)", robots, re.IGNORECASE | re.MULTILINE)
        found: list[str] = []
        self._read_sitemaps(named, found)
        for path in SITEMAPS:
            if not found:
                self._read_sitemaps([self.address + path], found)
        if not found:
            found = self._pages_by_rest(limit)
        if not found:
            self.notes.append(f"{self.name}: it lists its pages neither in a sitemap nor in its REST API")
        return found

    def _file(self, path: str, *, most: int = MOST_BYTES) -> str:
        """The text of a file; empty if there is none."""
        try:
            answer = self.get(path, most=most)
        except NoAnswer as error:
            self.notes.append(str(error))
            return ""
        return _unpacked(answer).text if answer.status == httpx.codes.OK and not answer.leads_to else ""

    def _read_sitemaps(self, waiting: list[str], found: list[str]) -> None:
        """Read sitemaps and those that they list, each once."""
        seen: set[str] = set()
        waiting = list(waiting)
        while waiting and len(seen) < MOST_SITEMAPS:
            path = self.path_of(waiting.pop(0))
            if path is None or path in seen:
                continue
            seen.add(path)
            pages, sitemaps = listed(self._file(path, most=MOST_SITEMAP_BYTES))
            found += [page for page in pages if self.path_of(page) is not None]
            waiting += sitemaps
        if waiting:
            self.notes.append(f"{self.name}: of its sitemaps only the first {MOST_SITEMAPS} were read")

    def path_of(self, url: str) -> str | None:
        """The path of a page of this site, also if it is given by the other site's address; None for another's."""
        own = path_within(self.address, url)
        return path_within(self._other, url) if own is None else own

    def _pages_by_rest(self, limit: int) -> list[str]:
        try:
            answer = self.rest("/wp/v2/types")
            types = answer.json if answer.status == httpx.codes.OK and isinstance(answer.json, dict) else {}
            routes = [
                f"/{kind.get('rest_namespace') or 'wp/v2'}/{kind['rest_base']}"
                for slug, kind in types.items()
                if not INTERNAL.match(slug) and isinstance(kind, dict) and kind.get("rest_base")
            ]
            links = (link for route in routes for link in self._links(route))
            return list(islice((link for link in links if self.path_of(link) is not None), limit + 1))
        except CannotAsk as error:
            self.notes.append(str(error))
            return []

    def _links(self, route: str) -> Iterator[str]:
        """The addresses of everything of one type, a hundred at a time."""
        for page in count(1):
            answer = self.rest(route, per_page=100, page=page, _fields="link")
            if answer.status != httpx.codes.OK or not isinstance(answer.json, list):
                return
            yield from (item["link"] for item in answer.json if isinstance(item, dict) and item.get("link"))
            total = answer.headers.get("x-wp-totalpages", "")
            if not total.isdecimal() or page >= int(total):
                return

    # -- the REST API ------------------------------------------------------------------------------------------------

    def count(self, kind: str, *, signed_in: bool = False) -> int:
        """How many there are of posts, pages, media or comments that visitors see.

        Args:
            kind: The word in the REST API's address.
            signed_in: Ask as the administrator.

        Raises:
            CannotAsk: The REST API does not tell.
        """
        answer = self.rest(f"/wp/v2/{kind}", signed_in=signed_in, per_page=1, _fields="id")
        total = answer.headers.get("x-wp-total", "")
        if answer.status != httpx.codes.OK or not total.isdecimal():
            raise CannotAsk(f"the REST API of {self.name} does not tell (status {answer.status})")
        return int(total)

    def plugin_status(self, slug: str) -> str:
        """Whether a plugin is `active`, `inactive`, … as the administrator sees it; empty if it is not installed.

        Raises:
            CannotAsk: There is no administrator's sign-in, or it does not work, or the REST API is closed.
        """
        answer = self.rest("/wp/v2/plugins", signed_in=True)
        if answer.status != httpx.codes.OK or not isinstance(answer.json, list):
            raise CannotAsk(f"the REST API of {self.name} does not list the plugins (status {answer.status})")
        for plugin in answer.json:
            if isinstance(plugin, dict) and str(plugin.get("plugin", "")).partition("/")[0] == slug:
                return str(plugin.get("status", ""))
        return ""

    def has_plugin_file(self, slug: str) -> bool:
        """Whether a plugin's readme is served; False says nothing, since many sites hide it."""
        readme = self._file(f"/wp-content/plugins/{slug}/readme.txt")
        return readme.lstrip("\ufeff \r\n").startswith("===")

    def rest(self, route: str, *, signed_in: bool = False, **query: str | int) -> Answer:
        """Ask the REST API.

        Args:
            route: Such as /wp/v2/posts.
            signed_in: Ask as the administrator.
            query: Parameters.

        Raises:
            CannotAsk: It is closed, or the sign-in does not work.
        """
        if isinstance(self._rest_root, CannotAsk):
            raise self._rest_root
        path = f"{self._rest_root}{route}"
        if query:
            path += ("&" if "?" in path else "?") + str(httpx.QueryParams(query))
        if not signed_in:
            return self.get(path)
        if isinstance(self._administrator, CannotAsk):
            raise self._administrator
        client, nonce = self._administrator
        return self._ask(client, self.address + path, headers={"X-WP-Nonce": nonce})

    @cached_property
    def _rest_root(self) -> str | CannotAsk:
        """Where the REST API is: with plain permalinks it has no path of its own."""
        statuses = []
        for root, asked in (("/wp-json", "/wp-json/?"), ("/?rest_route=", "/?rest_route=/&")):
            try:
                answer = self.get(f"{asked}_fields=namespaces")
            except NoAnswer as error:
                return error
            said = answer.json if isinstance(answer.json, dict) else {}
            closed = answer.status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN) and "code" in said
            if closed or "wp/v2" in (said.get("namespaces") or ()):
                return root
            statuses.append(str(answer.status))
        return CannotAsk(f"{self.name} has no REST API open to visitors (status {', '.join(statuses)})")

    @cached_property
    def _administrator(self) -> tuple[httpx.Client, str] | CannotAsk:
        """A client that is signed in, and WordPress's nonce for the REST API; tried once, for fear of login limits."""
        if not self.site.user or self.site.password is None:
            return CannotAsk(f"no administrator's sign-in for {self.name} was given")
        login = f"{self.address}/wp-login.php"
        if not self.trusts(login):
            return CannotAsk(f"the sign-in of {self.name} is not encrypted, although its address is https")
        client = self._open(CookieJar())
        form = {"log": self.site.user, "pwd": self.site.password.reveal(), "wp-submit": "Log In", "testcookie": "1"}
        try:
            self._ask(client, login)  # sets the cookie by which WordPress sees that there are cookies
            self._ask(client, login, form=form)
            nonce = self._ask(client, f"{self.address}/wp-admin/admin-ajax.php?action=rest-nonce").text.strip()
        except NoAnswer as error:
            return error
        if not any(cookie.name.startswith("wordpress_logged_in_") for cookie in client.cookies.jar):
            return CannotAsk(f"{self.name} did not let the administrator in by user and password alone")
        if not _NONCE.fullmatch(nonce):
            return CannotAsk(f"{self.name} gave the administrator no nonce for its REST API")
        return client, nonce

    # -- requests -----------------------------------------------------------------------------------------------------

    def get(self, path: str, *, most: int = MOST_BYTES, timeout: float = 0) -> Answer:
        """Ask for a page, following redirects within the site.

        Args:
            path: Path and query, below the site's address.
            most: Bytes that are read.
            timeout: Seconds that the answer may take; 0 means as always.

        Raises:
            NoAnswer: The site did not answer, nor when asked again.
        """
        url = self.address + path
        for _ in range(MOST_HOPS):
            answer = self._ask(self._client, url, most=most, timeout=timeout)
            location = answer.headers.get("location") if httpx.codes.is_redirect(answer.status) else None
            if location is None:
                return answer
            try:
                url = urljoin(url, location)
            except ValueError:  # it is no address: browsers stay where they are
                return answer
            if place(url) != place(self.site.address):
                return Answer(answer.url, answer.status, answer.headers, answer.body, url)
        return answer

    def _ask(
        self,
        client: httpx.Client,
        url: str,
        *,
        form: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        most: int = MOST_BYTES,
        timeout: float = 0,
    ) -> Answer:
        """Ask once, and once again after a server's error or no answer; a form is sent once."""
        patience = timeout or self._timeout
        reason = ""
        for last in (True,) if form else (False, True):
            try:
                request = client.build_request("POST" if form else "GET", url, data=form, headers=headers)
                answer = self._exchange(client, request, most, patience)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                reason = _reason(error)
                continue
            if last or not httpx.codes.is_server_error(answer.status):
                self._count(answered=True)
                return answer
        self._count(answered=False)
        raise NoAnswer(
            f"{self.name} does not answer at {_without_query(url)}: {reason}. Open it in a browser, and try again."
        )

    def _exchange(self, client: httpx.Client, request: httpx.Request, most: int, patience: float) -> Answer:
        ends = time.monotonic() + patience
        request.extensions["timeout"] = httpx.Timeout(patience).as_dict()
        auth = None
        if self.site.basic_auth and self.trusts(str(request.url)):
            user, _, password = self.site.basic_auth.reveal().partition(":")
            auth = httpx.BasicAuth(user, password)
        response = client.send(request, auth=auth, stream=True)
        with closing(response):
            body = bytearray()
            for part in response.iter_bytes():
                body += part
                if len(body) >= most:
                    break
                if time.monotonic() > ends:
                    raise httpx.ReadTimeout(f"it was not whole within {patience:g} s")
        return Answer(str(response.url), response.status_code, response.headers, bytes(body[:most]))

    def trusts(self, url: str) -> bool:
        """Whether user and password may go there: to the site's own address, and never unencrypted if that is https."""
        given = urlsplit(self.site.address).scheme
        return place(url) == place(self.site.address) and urlsplit(url).scheme in ("https", given)

    def _count(self, *, answered: bool) -> None:
        """Give up a site that has gone, instead of waiting for each of its pages."""
        with self._counting:
            self._unanswered = 0 if answered else self._unanswered + 1
            if self._unanswered >= SILENT:
                raise GuiderunnerError(
                    f"{self.name.capitalize()} at {self.address} stopped answering: {SILENT} requests in a row had no "
                    "answer. Compare again when it is back."
                )

    def _open(self, jar: CookieJar) -> httpx.Client:
        headers = {"User-Agent": AGENT, "Accept": "text/html,application/json;q=0.9,*/*;q=0.8"}
        direct: dict[str, None] = {"all://127.0.0.1": None, "all://localhost": None}  # as browsers do: without a proxy
        return self._stack.enter_context(httpx.Client(cookies=jar, headers=headers, mounts=direct))


def place(url: str) -> str:
    """Which site an address belongs to: its host without www., and a port that is not the scheme's own."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").removeprefix("www."), parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https"):
        return ""
    return host if port in (None, {"http": 80, "https": 443}[parts.scheme]) else f"{host}:{port}"


def path_within(address: str, url: str) -> str | None:
    """Path and query of a page below a site's address, written in one way; None if it is elsewhere."""
    if not place(url) or place(url) != place(address):
        return None
    base, parts = urlsplit(address).path.rstrip("/"), urlsplit(url)
    path = parts.path or "/"
    if path != base and not path.startswith(f"{base}/"):
        return None
    path = re.sub(r"%[0-9a-f]{2}", lambda found: found[0].upper(), quote(path[len(base) :], safe="%/:@!$&'()*+,;=~"))
    return urlunsplit(("", "", path or "/", parts.query, ""))


def _unpacked(answer: Answer) -> Answer:
    """The answer with its content unpacked, if that is a gzip file."""
    if not answer.body.startswith(b"\x1f\x8b"):
        return answer
    unpacking = zlib.decompressobj(wbits=31)
    try:
        body = unpacking.decompress(answer.body, MOST_SITEMAP_BYTES)
    except zlib.error:
        body = b""  # lists nothing, as a sitemap that is not there
    return Answer(answer.url, answer.status, answer.headers, body)


def _without_query(url: str) -> str:
    """An address for a sentence; a query may hold what nobody should read, and differs from visit to visit."""
    if not url:
        return ""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _reason(error: Exception) -> str:
    """Why there was no answer, in words."""
    if isinstance(error, httpx.TimeoutException):
        return str(error) if str(error).startswith("it ") else "it took too long"
    return str(error).rstrip(".") or type(error).__name__
