"""The comparison of the new site with the old: small sites made for one difference each, and a real migrated WordPress."""

from __future__ import annotations

import base64
import gzip
import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from rich.console import Console
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from fixtures.migration_service.transfer import migrate
from fixtures.servers import AppServer
from fixtures.wordpress import SourceOptions
from flows.wordpress_migration.page_text import VARIES, difference, listed, read_page, settled
from flows.wordpress_migration.verification import AT_ONCE, Difference, Site, Verification, render, verify
from flows.wordpress_migration.visitor import Visitor, path_within
from runner.errors import GuiderunnerError
from runner.secrets import Secret
from tests.fixtures.wordpress_helpers import sites_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.requests import Request

NEWS = "<p>The workshop has a new floor, and nobody has to chase a rolling sponge any more.</p>"

SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"

CLOSED = """<?php add_filter( 'rest_authentication_errors', fn( $known ) => is_user_logged_in() ? $known : new WP_Error(
    'rest_login_required', 'Sign in first.', array( 'status' => 401 ) ) );
"""
"""Closes the REST API to visitors, as many security plugins do."""

PLUGIN = "wp-native-php-sessions"


def html(title: str = "News", body: str = NEWS, status: int = 200) -> Response:
    """A page."""
    page = f"<!doctype html><html><head><title>{title}</title></head><body>{body}</body></html>"
    return Response(page, status, media_type="text/html")


def redirect(to: str) -> Response:
    """A redirect."""
    return Response(status_code=302, headers={"location": to})


def sitemap(*addresses: str, of: str = "url") -> str:
    """A sitemap of pages, or, of `sitemap`, of sitemaps."""
    inner = "".join(f"<{of}><loc>{address}</loc></{of}>" for address in addresses)
    return f'<?xml version="1.0"?><urlset xmlns="{SITEMAP}">{inner}</urlset>'


class SmallSite:
    """A site that serves what is put into `pages`, by path and query, and counts what it is asked."""

    def __init__(self) -> None:
        self.server = AppServer("small site")
        self.url = self.server.url
        self.pages: dict[str, Response | Callable[[Request], Response]] = {"/": html("Home")}
        self.asked: list[str] = []
        self.authorizations: set[str | None] = set()
        self.at_once = self.most_at_once = 0
        self.server.start(Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST"])]))

    def lists(self, *paths: str) -> None:
        """Serve a sitemap of these pages, and each page."""
        self.pages["/wp-sitemap.xml"] = Response(sitemap(*(self.url + path for path in paths)))
        for path in paths:
            self.pages.setdefault(path, html())

    def counts(self, **numbers: int) -> None:
        """Serve a REST API that counts."""
        self.pages["/wp-json/?_fields=namespaces"] = Response('{"namespaces": ["wp/v2"]}')
        for kind, number in numbers.items():
            answer = Response("[]", headers={"X-WP-Total": str(number)})
            self.pages[f"/wp-json/wp/v2/{kind}?per_page=1&_fields=id"] = answer

    async def _answer(self, request: Request) -> Response:
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        self.asked.append(f"{request.method} {path}")
        self.authorizations.add(request.headers.get("authorization"))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await anyio.sleep(0.002)  # so that requests that come together meet
        self.at_once -= 1
        page = self.pages.get(path, Response("Not found", 404))
        return page if isinstance(page, Response) else page(request)


@pytest.fixture
def old() -> Iterator[SmallSite]:
    """The old site: a front page."""
    site = SmallSite()
    yield site
    site.server.stop()


@pytest.fixture
def new() -> Iterator[SmallSite]:
    """The new site: a front page."""
    site = SmallSite()
    yield site
    site.server.stop()


def compared(old: SmallSite, new: SmallSite, **options: Any) -> Verification:
    """Compare two small sites."""
    return verify(Site(old.url), Site(new.url), say=lambda _: None, **options)


def in_turn(*answers: Response) -> Callable[[Request], Response]:
    """A page that answers otherwise each time; the last answer stays."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


# -- what is read on a page -------------------------------------------------------------------------------------------


def test_a_page_is_read_as_its_visitor_does() -> None:
    """Scripts, styles, menus and markup are no text; characters written as entities are."""
    page = read_page(
        "<title>Caf&eacute; &amp; bar</title><svg><title>Logo</title></svg><style>p {}</style><body><nav>Menu<nav>Sub</nav>"
        "Menu</nav><p>Open<br/>daily</p><script>if (a < b) {}</script><noscript>No script</noscript> till six</body>",
        [],
    )
    assert page.title == "Café & bar"
    assert page.words == ("Open", "daily", "till", "six")


def test_a_menu_without_an_end_hides_nothing() -> None:
    """The text after a menu that is never closed is still compared."""
    assert "News" in read_page("<body><nav>Menu<p>News</p></body>", []).words


@pytest.mark.parametrize(
    "mess", ["<![foo[x]]>", "<![ >", "<![endif]-->", "<!-- ", "<? php", "<p <p", "</ >", "&#xFFFFFFF;", "<a b='", "<!>"]
)
def test_broken_markup_is_read_all_the_same(mess: str) -> None:
    """No page is too broken to be compared, nor is a sitemap."""
    assert read_page(f"<body>Before {mess}", []).words[0] == "Before"
    assert listed(f"<url><loc>https://a.example/</loc></url>{mess}") == (["https://a.example/"], [])


def test_addresses_of_both_sites_are_one_word() -> None:
    """An address in the text is the same whichever site it names, with www. or not; another's host stays."""
    sites = ["https://www.example.com", "http://dev-x.pantheonsite.io:80"]
    texts = [
        "Write to us at http://example.com/shop, www.example.com or info@example.com.",
        "Write to us at http://dev-x.pantheonsite.io:80/shop, dev-x.pantheonsite.io:80 or [email&#160;protected].",
    ]
    one, other = (read_page(text, sites).words for text in texts)
    assert one == other
    assert "shop.example.com" in read_page("shop.example.com", sites).words
    assert "example.com.au" in read_page("example.com.au", sites).words


@pytest.mark.parametrize(
    ("old", "new", "differing"),
    [
        ("The yard is open", "The yard is open", None),
        ("The yard is open", "The yard is shut", ("open", "shut")),
        ("Posted 3 minutes ago by Mara", "Posted an hour ago by Mara", None),
        ("Seen 128 times", "Seen 131 times", None),
        ("What is 3 + 4 = ?", "What is 11 + 2 = ?", None),
        ("word " * 200, "word " * 199 + "other", None),
        (
            "word " * 2000,
            "word " * 2000 + "this whole sentence is on the new site and never was on the old one",
            ("", "this whole sentence is on the new site and never was on the old one"),
        ),
        ("", "Fatal error", ("", "Fatal error")),
        (
            "陶芸教室は水曜日と木曜日です",
            "陶芸教室は水曜日と土曜日です",
            ("陶芸教室は水曜日と木曜日です", "陶芸教室は水曜日と土曜日です"),
        ),
    ],
)
def test_texts_differ_by_words_that_matter(old: str, new: str, differing: tuple[str, str] | None) -> None:
    """A word in a short text and a passage in a long one differ; numbers, relative dates and a trifle do not."""
    assert difference(read_page(old, []).words, read_page(new, []).words) == differing


def test_what_changes_with_each_visit_is_marked() -> None:
    """A text that was read twice keeps what stayed, and matches another that stayed the same there."""
    words = str.split
    first, second = words("Quote: to be or not. Open daily Bye"), words("Quote: I think. Open daily So long")
    assert settled(first, second) == ("Quote:", VARIES, "Open", "daily", VARIES)
    assert settled(first, first) == tuple(first)
    assert difference(settled(first, second), words("Quote: something else entirely. Open daily Ciao")) is None
    differing = ("… Open daily …", "to be. Closed today Bye")
    assert difference(settled(first, second), words("Quote: to be. Closed today Bye")) == differing


def test_a_sitemap_lists_pages_and_sitemaps() -> None:
    """Whatever its prefix, and as far as it goes; addresses of pictures are not pages'."""
    assert listed(
        f'\n<?xml version="1.0"?><s:urlset xmlns:s="{SITEMAP}" xmlns:image="i"><s:url><s:loc> https://a.example/1/ </s:loc>'
        "<image:image><image:loc>https://a.example/1.jpg</image:loc></image:image></s:url>"
        "<s:url><s:loc><![CDATA[https://a.example/?a=1&copy=2]]></s:loc></s:url><s:url><s:loc>https://a.example/3/</s:loc>"
    ) == (["https://a.example/1/", "https://a.example/?a=1&copy=2", "https://a.example/3/"], [])
    assert listed(sitemap("https://a.example/b.xml", of="sitemap")) == ([], ["https://a.example/b.xml"])
    assert listed("<!doctype html><p>Not found: <a href='https://a.example/'>home</a>") == ([], [])


@pytest.mark.parametrize(
    ("address", "url", "path"),
    [
        ("https://www.example.com", "http://example.com/caf%c3%a9/?a=1#top", "/caf%C3%A9/?a=1"),
        ("https://example.com", "https://www.example.com:443", "/"),
        ("https://example.com/blog", "https://example.com/blog/café/", "/caf%C3%A9/"),
        ("https://example.com/blog", "https://example.com/blogs/", None),
        ("https://example.com", "https://example.com:8443/", None),
        ("https://example.com", "https://shop.example.com/", None),
        ("https://example.com", "https://[broken/", None),
    ],
)
def test_a_page_is_known_by_its_path_below_the_site(address: str, url: str, path: str | None) -> None:
    """Scheme and www. do not matter, port and folder do."""
    assert path_within(address, url) == path


# -- which pages there are --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["/wp-sitemap.xml", "/sitemap_index.xml", "/sitemap.xml", "/my/map.xml"])
def test_pages_are_found_in_the_sitemap(old: SmallSite, new: SmallSite, where: str) -> None:
    """In the usual places, and where robots.txt says; an index leads to further ones, also packed and of each once."""
    for site in (old, new):
        site.pages[where] = Response(sitemap(f"{site.url}/deep.xml.gz", f"{site.url}{where}", of="sitemap"))
        site.pages["/deep.xml.gz"] = Response(
            gzip.compress(sitemap(f"{site.url}/news/", "https://elsewhere.example/").encode()),
            media_type="application/gzip",
        )
        site.pages["/news/"] = html()
    old.pages["/robots.txt"] = new.pages["/robots.txt"] = Response(f"User-agent: *\nSITEMAP: {old.url}/my/map.xml\n")
    found = compared(old, new)
    assert found.pages == 2
    assert found.differences == []
    assert old.asked.count(f"GET {where}") == new.asked.count(f"GET {where}") == 1
    assert "GET /news/" in new.asked


@pytest.mark.parametrize("root", ["/wp-json", "/?rest_route="])
def test_pages_are_found_by_the_rest_api(old: SmallSite, new: SmallSite, root: str) -> None:
    """Without a sitemap all types of pages are listed, a hundred at a time, whatever the permalinks are."""
    more = "&" if "?" in root else "?"
    for site in (old, new):
        types = {
            "page": {"rest_base": "pages"},
            "event": {"rest_base": "events", "rest_namespace": "my/v1"},
            "wp_block": {"rest_base": "blocks"},
        }
        site.pages[f"{root}/{more}_fields=namespaces"] = Response('{"namespaces": ["wp/v2"]}')
        site.pages[f"{root}/wp/v2/types"] = Response(json.dumps(types))
        for route, page, links in (
            ("wp/v2/pages", 1, ["/a/"]),
            ("wp/v2/pages", 2, ["/b/"]),
            ("my/v1/events", 1, ["/c/"]),
        ):
            listing = json.dumps([{"link": site.url + link} for link in links])
            headers = {"X-WP-TotalPages": "2" if route == "wp/v2/pages" else "1"}
            query = f"per_page=100&page={page}&_fields=link".replace("/", "%2F")
            site.pages[f"{root}/{route}{more}{query}"] = Response(listing, headers=headers)
    found = compared(old, new)
    assert [line for line in new.asked if line[4:] in ("/a/", "/b/", "/c/")]
    assert found.pages == 4
    assert f"GET {root}/wp/v2/blocks" not in "".join(old.asked)


def test_without_any_list_the_front_page_is_compared_and_that_is_said(old: SmallSite, new: SmallSite) -> None:
    """What is not known is named and not guessed."""
    found = compared(old, new)
    assert found.pages == 1
    assert "the old site: it lists its pages neither in a sitemap nor in its REST API" in found.unknown


def test_pages_beyond_the_limit_are_named(old: SmallSite, new: SmallSite) -> None:
    """A site with very many pages is compared in part, and that is said."""
    for site in (old, new):
        site.lists(*(f"/{number}/" for number in range(9)))
    found = compared(old, new, limit=4)
    assert found.pages == 4
    assert "6 of 10 pages: more than 4 are not compared" in found.unknown


def test_a_site_gets_four_requests_at_once(old: SmallSite, new: SmallSite) -> None:
    """The old site still serves its visitors."""
    for site in (old, new):
        site.lists(*(f"/{number}/" for number in range(60)))
    assert compared(old, new).pages == 61
    assert 1 < old.most_at_once <= AT_ONCE == 4
    assert 1 < new.most_at_once <= AT_ONCE


# -- the differences --------------------------------------------------------------------------------------------------


def test_the_same_pages_do_not_differ(old: SmallSite, new: SmallSite) -> None:
    """Each page links to its own site, and the counts are the same."""
    for site in (old, new):
        site.lists("/news/", "/gone/")
        site.pages["/news/"] = html(body=f"<p>See {site.url}/shop/</p>")
        site.pages["/gone/"] = html("Gone", status=410)
        site.counts(posts=3, pages=2, media=1, comments=0)
    found = compared(old, new)
    assert found.differences == []
    assert found.pages == 3
    assert found.counts == {"posts": (3, 3), "pages": (2, 2), "media": (1, 1), "comments": (0, 0)}
    assert [line.partition(":")[0] for line in found.unknown] == [f"sessions plugin ({PLUGIN})"]


@pytest.mark.parametrize(
    ("before", "after", "what", "said"),
    [
        (html(), Response("", 404), "missing on the new site", ("200", "404")),
        (Response("", 404), html(), "only on the new site", ("404", "200")),
        (html(), html(status=403), "status", ("200", "403")),
        (html(), redirect("/"), "redirect", ("200", "200 at /")),
        (html(), redirect("http://["), "status", ("200", "302")),
        (redirect("https://shop.example/?s=1"), html(), "status", ("302 at https://shop.example/", "200")),
        (html("News"), html("Novelties"), "title", ("News", "Novelties")),
        (html(), html(body=NEWS.replace("sponge", "cat")), "text", ("sponge", "cat")),
        (html(), html(body=""), "text", (NEWS[3:-4], "")),
    ],
)
def test_each_difference_of_a_page_is_reported(
    old: SmallSite, new: SmallSite, before: Response, after: Response, what: str, said: tuple[str, str]
) -> None:
    """Once, with what each site has."""
    old.lists("/news/")
    new.lists("/news/")
    old.pages["/news/"], new.pages["/news/"] = before, after
    assert compared(old, new).differences == [Difference(what, "/news/", *said)]


def test_the_same_redirect_is_no_difference(old: SmallSite, new: SmallSite) -> None:
    """Within each site, or from both to the same other host, with whatever query."""
    for number, site in enumerate((old, new)):
        site.lists("/news/", "/shop/", "/target/")
        site.pages["/news/"] = redirect(f"{site.url}/target")
        site.pages["/target"] = redirect("/target/")
        site.pages["/shop/"] = redirect(f"https://shop.example/?visit={number}")
    assert compared(old, new).differences == []


def test_a_page_that_links_back_to_the_old_site_is_reported(old: SmallSite, new: SmallSite) -> None:
    """A redirect of the new site to the old one, and a list of pages that names the old one's, are differences."""
    old.lists("/news/")
    new.pages["/news/"] = redirect(f"{old.url}/news/")
    new.pages["/wp-sitemap.xml"] = old.pages["/wp-sitemap.xml"]
    assert compared(old, new).differences == [
        Difference("links back to the old site", "list of pages", "", f"1 pages, such as {old.url}/news/"),
        Difference("links back to the old site", "/news/", "/news/", f"{old.url}/news/"),
    ]


def test_a_page_of_either_list_is_compared(old: SmallSite, new: SmallSite) -> None:
    """A page that only one site lists is looked for on both."""
    old.lists("/both/", "/old/")
    new.lists("/both/", "/new/", "/old-too/")
    old.pages["/old-too/"] = html()
    assert [(one.what, one.where) for one in compared(old, new).differences] == [
        ("only on the new site", "/new/"),
        ("missing on the new site", "/old/"),
    ]


def test_counts_differ(old: SmallSite, new: SmallSite) -> None:
    """A count that is not the same is reported."""
    old.counts(posts=9, pages=6, media=5, comments=4)
    new.counts(posts=9, pages=6, media=5, comments=3)
    assert compared(old, new).differences == [Difference("count", "comments", "4", "3")]


def test_what_changes_with_each_visit_is_no_difference(old: SmallSite, new: SmallSite) -> None:
    """A page with another quotation each time is compared by the rest of it, which may well differ."""
    quoted = [
        html(body=f"<p>{words}</p>{NEWS}")
        for words in ("One swallow makes no summer", "All that glitters", "Time will tell you all of it")
    ]
    for site in (old, new):
        site.lists("/same/", "/other/")
    old.pages["/same/"], new.pages["/same/"] = in_turn(quoted[0], quoted[1]), quoted[2]
    old.pages["/other/"] = in_turn(quoted[0], quoted[1])
    new.pages["/other/"] = html(body=f"<p>All that glitters</p>{NEWS.replace('sponge', 'cat')}")
    assert compared(old, new).differences == [Difference("text", "/other/", "sponge", "cat")]


def test_a_page_that_is_another_at_each_visit_is_not_compared(old: SmallSite, new: SmallSite) -> None:
    """Nothing that stays: nothing to compare, and that is said."""
    old.pages["/"] = in_turn(html(body=""), html(body="one two"), html(body="three four"))
    new.pages["/"] = html(body="five six")
    for site in (old, new):
        site.lists("/news/")
    found = compared(old, new)
    assert found.differences == []
    assert "/: its text is another at each visit" in found.unknown


# -- sites that do not tell -------------------------------------------------------------------------------------------


def test_a_passing_error_is_asked_again(old: SmallSite, new: SmallSite) -> None:
    """A server's error counts only if it comes twice."""
    for site in (old, new):
        site.lists("/passing/", "/lasting/")
    new.pages["/passing/"] = in_turn(Response("", 502), html())
    new.pages["/lasting/"] = Response("", 502)
    assert compared(old, new).differences == [Difference("status", "/lasting/", "200", "502")]
    assert new.asked.count("GET /lasting/") == 2


@pytest.mark.parametrize("answer", [Response("", 429), Response("", 403, {"cf-mitigated": "challenge"})])
def test_a_site_that_turns_programs_away_is_not_judged(old: SmallSite, new: SmallSite, answer: Response) -> None:
    """A page that only a person may see is not compared; without any page there is no comparison at all."""
    for site in (old, new):
        site.lists("/news/")
    old.pages["/news/"] = answer
    found = compared(old, new)
    assert found.differences == []
    assert found.pages == 1
    assert any(line.startswith("/news/: the old site ") for line in found.unknown)
    old.pages["/"] = answer
    with pytest.raises(GuiderunnerError, match="No page could be compared"):
        compared(old, new)


def test_a_site_that_is_not_there_is_named(old: SmallSite) -> None:
    """The sentence says which of the two does not answer, and where."""
    with pytest.raises(GuiderunnerError, match=r"the new site does not answer at http://127\.0\.0\.1:9/"):
        verify(Site(old.url), Site("http://127.0.0.1:9"), say=lambda _: None)


def test_a_site_that_goes_away_meanwhile_ends_the_comparison(old: SmallSite, new: SmallSite) -> None:
    """Not each of its pages is waited for."""
    for site in (old, new):
        site.lists(*(f"/{number}/" for number in range(400)))
    seen: list[str] = []

    def say(words: str) -> None:
        seen.append(words)
        if words == "compared 50 of 401 pages":
            new.server.stop()

    with pytest.raises(GuiderunnerError, match=r"The new site at .* stopped answering"):
        verify(Site(old.url), Site(new.url), say=say)
    assert "compared 400 of 401 pages" not in seen


def test_the_same_address_twice_is_refused(old: SmallSite) -> None:
    """A site is always like itself."""
    with pytest.raises(GuiderunnerError, match="Both addresses are the same"):
        compared(old, old)


def test_basic_auth_goes_to_its_own_site_only(old: SmallSite, new: SmallSite) -> None:
    """A locked site is opened with its user and password, and nobody else is told them."""

    def lock(page: Response) -> Callable[[Request], Response]:
        right = "Basic " + base64.b64encode(b"visitor:let me in").decode()
        return lambda request: page if request.headers.get("authorization") == right else Response("", 401)

    for site in (old, new):
        site.lists("/away/", "/over/")
        site.pages["/away/"] = redirect(f"{(old if site is new else new).url}/seen/")
    new.pages = {path: lock(page) for path, page in new.pages.items() if isinstance(page, Response)}
    key = Secret("visitor:let me in", "basic auth")
    found = verify(Site(old.url), Site(new.url, basic_auth=key), say=lambda _: None)
    assert [one.what for one in found.differences] == []
    assert "/away/: the old site leads to the new one already" in found.unknown
    assert old.authorizations == {None}
    for locked, sentence in (
        (Site(new.url), "The new site at .* is behind HTTP basic auth"),
        (Site(new.url, basic_auth=Secret("visitor:wrong", "basic auth")), "refused the user and password"),
    ):
        with pytest.raises(GuiderunnerError, match=sentence) as refused:
            verify(Site(old.url), locked, say=lambda _: None)
        assert "wrong" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "url", "told"),
    [
        ("https://example.com", "https://www.example.com/wp-login.php", True),
        ("http://example.com", "https://example.com/", True),
        ("http://example.com", "http://example.com/", True),
        ("https://example.com", "http://example.com/", False),
        ("https://example.com", "https://example.com.evil.example/", False),
        ("https://example.com", "https://shop.example.com/", False),
    ],
)
def test_user_and_password_go_no_less_safely_than_the_address_says(address: str, url: str, told: bool) -> None:
    """To the site itself, and unencrypted only if its address is."""
    with Visitor(Site(address), "the old site", other="https://new.example", timeout=1) as visitor:
        assert visitor.trusts(url) is told


def test_a_closed_rest_api_is_no_difference(old: SmallSite, new: SmallSite) -> None:
    """Counts that a site does not tell are named; its administrator is tried once, for fear of login limits."""
    new.counts(posts=1, pages=1, media=1, comments=1)
    closed = Response('{"code": "rest_login_required"}', 401)
    old.pages["/wp-json/?_fields=namespaces"] = closed
    new.pages["/wp-login.php"] = html("Log In")
    for kind in ("posts", "pages", "media", "comments"):
        old.pages[f"/wp-json/wp/v2/{kind}?per_page=1&_fields=id"] = closed
    password = Secret("correct horse", "password")
    signed = [Site(site.url, user="admin", password=password) for site in (old, new)]
    old.pages["/wp-login.php"] = html("Log In")
    found = verify(*signed, say=lambda _: None)
    assert found.differences == []
    assert found.counts == {}
    assert (
        "count of posts, pages, media, comments: the REST API of the old site does not tell (status 401); "
        "the old site did not let the administrator in by user and password alone" in found.unknown
    )
    assert old.asked.count("POST /wp-login.php") == new.asked.count("POST /wp-login.php") == 1


def test_the_sessions_plugin_is_known_by_its_readme_in_part(old: SmallSite, new: SmallSite) -> None:
    """Without the administrator it is said what is seen, and what could not be asked."""
    new.counts()
    [line] = [line for line in compared(old, new).unknown if line.startswith("sessions plugin")]
    assert "whether it is installed could not be asked: no administrator's sign-in" in line
    new.pages[f"/wp-content/plugins/{PLUGIN}/readme.txt"] = Response("=== Native PHP Sessions ===\n")
    [line] = [line for line in compared(old, new).unknown if line.startswith("sessions plugin")]
    assert "it is installed; whether it is active could not be asked" in line


# -- what is said -----------------------------------------------------------------------------------------------------


def test_a_comparison_is_shown_to_a_person_and_to_a_program() -> None:
    """Brackets in titles are text; the JSON has everything."""
    found = Verification("https://old.example", "https://new.example", pages=2, counts={"posts": (9, 8)})
    found.differences += [Difference("title", "/news/", "[b]News", ""), Difference("count", "posts", "9", "8")]
    found.unknown.append("count of pages: closed")
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(render(found))
    shown = console.export_text()
    for words in (
        "https://new.example differs from https://old.example",
        "[b]News",
        "not compared: count of pages: closed",
        "differences: 2, pages compared: 2, posts: 9 and 8",
    ):
        assert words in shown
    assert json.loads(json.dumps(found.as_json())) == {
        "old": "https://old.example",
        "new": "https://new.example",
        "pages": 2,
        "counts": {"posts": [9, 8]},
        "differences": [
            {"what": "title", "where": "/news/", "old": "[b]News", "new": ""},
            {"what": "count", "where": "posts", "old": "9", "new": "8"},
        ],
        "unknown": ["count of pages: closed"],
    }


# -- a real WordPress -------------------------------------------------------------------------------------------------


@pytest.mark.sandbox
def test_a_migrated_wordpress_is_compared_with_its_source(tmp_path: Path) -> None:
    """A fresh copy does not differ; a post, a title and the sessions plugin that are not as they were are reported."""
    key = "fedcba9876543210" * 4
    with sites_in(tmp_path) as sites:
        source = sites.source("source", SourceOptions(plugin="active", basic_auth=("visitor", "let me in")))
        source.wp("option", "update", "bv_pantheon_key", key)
        copy = sites.keep(
            migrate(
                source_url=source.url,
                key=key,
                basic_auth=("visitor", "let me in"),
                destination=tmp_path / "copy",
                progress=lambda *_: None,
            )
        )
        old = Site(source.url, basic_auth=Secret("visitor:let me in", "basic auth"))
        new = Site(copy.url, user=source.admin_user, password=Secret(source.admin_password, "password"))

        found = verify(old, new, say=lambda _: None)
        assert (found.differences, found.unknown) == ([], [])
        assert found.pages == 19
        assert found.counts == {"posts": (9, 9), "pages": (6, 6), "media": (5, 5), "comments": (5, 5)}

        copy.wp("plugin", "deactivate", PLUGIN)
        page = copy.wp("post", "list", "--post_type=page", "--name=shop", "--field=ID").strip()
        copy.wp("post", "update", page, "--post_title=The shop at the mill")
        post = copy.wp("post", "list", "--name=open-yard-on-the-longest-day", "--field=ID").strip()
        copy.wp("post", "delete", post, "--force")
        found = verify(old, new, say=lambda _: None)
        listings = [one.where for one in found.differences if one.what == "text" and one.where != "/shop/"]
        assert sorted(listings) == ["/author/admin/", "/category/news/", "/journal/"]
        assert {(one.what, one.where, one.old, one.new) for one in found.differences if one.where not in listings} == {
            ("title", "/shop/", "Shop – Larkfield Pottery", "The shop at the mill – Larkfield Pottery"),
            ("text", "/shop/", "Shop", "The shop at the mill"),
            ("missing on the new site", "/2025/06/open-yard-on-the-longest-day/", "200", "404"),
            ("count", "posts", "9", "8"),
            ("sessions plugin", PLUGIN, "", "installed, but inactive"),
        }

        copy.wp("plugin", "delete", PLUGIN)
        found = verify(old, new, say=lambda _: None)
        assert Difference("sessions plugin", PLUGIN, "", "not installed") in found.differences

        for site in (source, copy):
            (site.directory / "must-use/closed.php").write_text(CLOSED)
        found = verify(replace(old, user=new.user, password=new.password), new, say=lambda _: None)
        assert found.counts == {"posts": (9, 8), "pages": (6, 6), "media": (5, 5), "comments": (5, 5)}
        assert found.unknown == []
        assert list(verify(old, new, say=lambda _: None).counts) == []
