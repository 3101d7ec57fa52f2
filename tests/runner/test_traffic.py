"""What a step asks of servers is recorded with it: by names that another run has too, and never with a secret."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from runner.errors import StartAgain, StepFailed, Stuck
from runner.flow import Flow
from runner.run import Run
from runner.settings import Settings, setting, url
from runner.traffic import AT_MOST, DEEPEST, Places
from tests.evidence import holds_a_secret
from tests.runs import new_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser, Route

    from runner.secrets import Secret

Entry = dict[str, Any]

SITE = "https://toy.example"
PASSWORD = "Heron-Basket-17-Quarry"
KEY = "walnut-harbour-lantern-seven"


@dataclass(frozen=True, kw_only=True)
class ToySettings(Settings):
    """Two addresses, what the run is about, and a secret."""

    address: str = setting("TOY_SITE", help="site", default=SITE, parse=url)
    account_name: str = setting("TOY_ACCOUNT", help="account", default="rowan.ellis@toy.example", fixed=True)
    shop: str = setting("TOY_SHOP", help="shop", default="http://127.0.0.1:4000/shop", parse=url)
    name: str = setting("TOY_NAME", help="name", default="Wooden Rattle", fixed=True)
    colour: str = setting("TOY_COLOUR", help="colour", default="admin")
    password: Secret = setting("TOY_PASSWORD", help="password", default=PASSWORD, secret=True)


def places(*entries: Entry, **settings: str) -> Places:
    """The names for a run with these settings."""
    return Places(ToySettings.load(settings), entries)


@pytest.mark.parametrize(
    ("path", "called"),
    [
        ("/", "/"),
        ("/wp-admin/plugin-install.php", "/wp-admin/plugin-install.php"),
        ("/api/v2/siteInfo/my_page", "/api/v2/siteInfo/my_page"),
        ("/posts/4711/page-2/2024", "/posts/{n}/page-{n}/{n}"),
        ("/sites/shop17", "/sites/shop{n}"),
        ("/sites/12ce30b8edc06556", "/sites/{…}"),
        ("/sites/3f2504e0-4f89-11d3-9a0c-0305e82c3301/files", "/sites/{…}/files"),
        ("/s/deadbeef", "/s/{…}"),
        ("/s/tok_0123abcdXYZ", "/s/{…}"),
        ("/s/QwErTyUiOpAsDf", "/s/{…}"),
        ("/s/xkcdqwrtpsdfgh", "/s/{…}"),
        ("/s/averyveryverylongwordwithoutabreak", "/s/{…}"),
        ("/s/eyJhbGciOiJIUzI1NiJ9.e30.x", "/s/{…}"),
        ("/s/abcdef123", "/s/{…}"),
        ("/s/ABCD-EFGH", "/s/{…}"),
        ("/api/GET-ALL/README", "/api/GET-ALL/{…}"),
        ("/invite/walnut-harbour/accept", "/invite/{…}/{…}"),
        ("/inv%69te/walnut/", "/invite/{…}/"),
        ("/reset-password/lantern", "/reset-password/{…}"),
        ("/verify/ABCD-EFGH", "/verify/{…}"),
        ("/confirm/tulip-table-seven", "/confirm/{…}"),
        ("/activate/sunflower", "/activate/{…}"),
        ("/otp/quick", "/otp/{…}"),
        ("/password/monkey", "/password/{…}"),
        ("/session/AbcdefGhij.KlmnopQrst", "/session/{…}"),
        ("/auth/callback/hello", "/auth/{…}/{…}"),
        ("/login/hello", "/login/{…}"),
        ("/invite/x/hello-world", "/invite/{…}/{…}"),
        ("/sites/wooden-rattle/dev", "/sites/{TOY_NAME}/dev"),
        ("/sites/dev-wooden-rattle-2", "/sites/dev-{TOY_NAME}-{n}"),
        ("/sites/Wooden%20Rattle", "/sites/{TOY_NAME}"),
        ("/admin/wooden-rattles", "/admin/wooden-rattles"),
        ("/users/rowan.ellis@toy.example", "/users/{TOY_ACCOUNT}"),
        ("/gr%C3%BC%C3%9Fe", "/{…}"),
        ("/a" * (DEEPEST + 3), "/a" * (DEEPEST - 1) + "/…"),
    ],
)
def test_a_path_is_called_what_it_is_called_in_another_run(path: str, called: str) -> None:
    """Words stay; ids, numbers, hashes and what may open something do not."""
    assert places().path(path) == called


@pytest.mark.parametrize(
    ("address", "called"),
    [
        (f"{SITE}/", "TOY_SITE"),
        ("https://TOY.example/", "TOY_SITE"),
        ("https://user:word@toy.example/", "TOY_SITE"),
        ("http://127.0.0.1:4000/x", "TOY_SHOP"),
        ("https://elsewhere.example:8443/", "elsewhere.example:8443"),
        ("https://dev-wooden-rattle.toys.example/", "dev-{TOY_NAME}.toys.example"),
        ("https://tok-aBcDeF123.x.com/", "{…}.x.com"),
        ("https://web3.cdn.rattles24.example:8443/", "web{n}.cdn.rattles24.example:8443"),
        ("https://192.0.2.7:8443/", "192.0.2.7:8443"),
    ],
)
def test_a_host_is_called_after_its_setting(address: str, called: str) -> None:
    """Any other has its own name, without what the run is about."""
    assert places().host(urlsplit(address)) == called


def test_hosts_of_this_machine_are_numbered_and_keep_their_number() -> None:
    """Their ports are others each time; a process that goes on with the run knows the numbers."""
    ours = places()
    hosts = ("localhost:81", "127.0.0.2", "[::1]:9", "toys.localhost", "localhost:81")
    assert [ours.host(urlsplit(f"http://{host}/")) for host in hosts] == [
        *("local 1", "local 2", "local 3", "local 4", "local 1"),
    ]
    told = {"event": "requests", "hosts": {"local 2": "127.0.0.2", "local 1": "localhost:81"}}
    later = places(told)
    assert [later.host(urlsplit(f"http://{host}/")) for host in ("localhost:5", "127.0.0.2", "127.0.0.1:4000")] == [
        *("local 3", "local 2", "TOY_SHOP"),
    ]


# -- in a browser --------------------------------------------------------------------------------------------------


class Toy:
    """A flow whose steps are functions of a test, on a page that asks for what the test says."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._folder = folder
        self._page = browser.new_context().new_page()
        self.flow: Flow[Run[ToySettings]] = Flow("toy", edition="1", run=Run, settings=ToySettings)

    def step(self, perform: Callable[[Run[ToySettings]], None]) -> None:
        """Add a step."""
        perform.__doc__ = "Do it."
        self.flow.step(len(self.flow.steps) + 1)(perform)

    def perform(self) -> list[Entry]:
        """Perform all steps; what the run has recorded of its requests."""
        run = new_run(Run[ToySettings], self.flow, ToySettings.load({}), self._folder)
        run.attach(self._page)
        try:
            while not run.perform(self.flow.order(), self.flow):
                pass
        finally:
            self._page.context.close()
        return [entry for entry in run.ledger.entries if entry["event"] == "requests"]


@pytest.fixture
def toy(browser: Browser, tmp_path: Path) -> Toy:
    """A flow without steps."""
    return Toy(browser, tmp_path)


def answer(run: Run[ToySettings], *, body: str = "<h1>Toy</h1>") -> None:
    """Answer all that is asked: with the page, with an error where the path says so, or not at all."""

    def how(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path == "/broken":
            route.fulfill(status=503, body="")
        elif path == "/refused":
            route.abort("connectionrefused")
        elif path != "/silent":
            route.fulfill(content_type="text/html", body=body)

    run.page.route("**/*", how)


def fetch(run: Run[ToySettings], *paths: str, method: str = "GET") -> None:
    """Ask for these at once in the page, and wait for the answers."""
    script = (
        "([paths, method]) => Promise.allSettled(paths.map(path => fetch(path, {method}).then(each => each.text())))"
    )
    run.page.evaluate(script, [list(paths), method])


def told(entry: Entry) -> list[tuple[Any, ...]]:
    """What an entry says was asked, without times."""
    return [tuple(one[name] for name in ("kind", "method", "host", "path", "times")) for one in entry["asked"]]


@pytest.mark.browser
def test_each_step_s_requests_are_recorded_with_it(toy: Toy) -> None:
    """By method, host and path; how often, how they were answered; of pictures and the like only the number."""

    def open_it(run: Run[ToySettings]) -> None:
        answer(run, body="<h1>Toy</h1><img src=/a.png><img src=/b.png><link rel=icon href=data:,>")
        run.page.goto(f"{SITE}/sites/4711?token=x")

    def ask(run: Run[ToySettings]) -> None:
        fetch(run, "/api/me", "/api/me", "/broken", "/refused")
        fetch(run, "/api/me", method="POST")

    toy.step(open_it)
    toy.step(ask)
    toy.step(lambda _: None)
    first, second = toy.perform()
    assert (first["step"], second["step"]) == (1, 2)
    assert told(first) == [("document", "GET", "TOY_SITE", "/sites/{n}", 1)]
    assert (first["others"]["image"], first["more"], first["hosts"]) == (2, 0, {"TOY_SITE": "toy.example"})
    assert [(*one[1:], each["statuses"]) for one, each in zip(told(second), second["asked"], strict=True)] == [
        ("GET", "TOY_SITE", "/api/me", 2, {"2xx": 2}),
        ("GET", "TOY_SITE", "/broken", 1, {"5xx": 1}),
        ("GET", "TOY_SITE", "/refused", 1, {"failed": 1}),
        ("POST", "TOY_SITE", "/api/me", 1, {"2xx": 1}),
    ]
    assert all(0 <= one["slowest"] <= one["seconds"] for one in second["asked"])
    assert second["others"] == {}


@pytest.mark.browser
def test_what_is_not_answered_has_no_status_and_is_not_told_again(toy: Toy) -> None:
    """It belongs to the step that asked, whose failure records it too."""

    def ask(run: Run[ToySettings]) -> None:
        answer(run)
        run.page.goto(SITE)
        with run.page.expect_request("**/silent"):
            run.page.evaluate("() => { fetch('/silent'); }")

    def leave(run: Run[ToySettings]) -> None:
        with run.page.expect_request("**/silent"):
            run.page.evaluate("() => { fetch('/silent'); }")
        run.page.goto(f"{SITE}/next")
        expect(run.page.get_by_role("heading")).to_be_visible()
        fetch(run, "/broken")
        raise Stuck("no further")

    toy.step(ask)
    toy.step(leave)
    with pytest.raises(StepFailed):
        toy.perform()
    lines = next(toy._folder.glob("*/ledger.jsonl")).read_text().splitlines()  # noqa: SLF001 - the test's own
    first, second = (entry for entry in map(json.loads, lines) if entry["event"] == "requests")
    assert [(one["path"], one["times"], one["statuses"]) for one in first["asked"]] == [
        ("/", 1, {"2xx": 1}),
        ("/silent", 1, {}),
    ]
    assert [(one["path"], one["times"], one["statuses"]) for one in second["asked"]] == [
        ("/silent", 1, {}),
        ("/next", 1, {"2xx": 1}),
        ("/broken", 1, {"5xx": 1}),
    ]


@pytest.mark.browser
def test_each_look_and_each_try_has_a_record_of_its_own(toy: Toy) -> None:
    """What a step asks while it waits, and what it asked before it was performed again, is told apart."""
    tries, looks = [], []

    def ask(run: Run[ToySettings]) -> None:
        answer(run)
        run.page.goto(SITE)

    def again(run: Run[ToySettings]) -> None:
        tries.append(1)
        fetch(run, "/first" if len(tries) == 1 else "/second")
        if len(tries) == 1:
            raise StartAgain("the session had ended", step=2)

    def look(run: Run[ToySettings], seconds: float) -> bool:
        looks.append(seconds)
        fetch(run, "/status")
        return len(looks) > 1

    toy.step(ask)
    toy.step(again)
    toy.flow.steps[1].waits(timeout=lambda _: 60)(look)
    entries = toy.perform()
    assert [(entry["step"], *(one[3] for one in told(entry))) for entry in entries] == [
        *((1, "/"), (2, "/first"), (2, "/second"), (2, "/status"), (2, "/status")),
    ]


@pytest.mark.browser
def test_no_secret_is_recorded_with_a_request(toy: Toy, tmp_path: Path) -> None:
    """Neither a setting's nor one that a page has shown, whole, encoded or with another around it."""

    def ask(run: Run[ToySettings]) -> None:
        answer(run)
        run.page.goto(f"{SITE}/open/{PASSWORD}/now?password={PASSWORD}")
        fetch(
            run, f"/{KEY}", f"/keep/x-{KEY}-y/on", f"/{KEY.upper()}", "/" + "".join(f"%{ord(one):02x}" for one in KEY)
        )
        run.keep_secret(KEY, "door")  # known only after it was asked with

    toy.step(ask)
    (entry,) = toy.perform()
    assert [one[3] for one in told(entry)][:3] == ["/open/{…}/{…}", "/{…}", "/keep/{…}/on"]
    assert holds_a_secret(tmp_path, PASSWORD, KEY) == []


@pytest.mark.browser
def test_a_page_that_asks_for_everything_fills_no_ledger(toy: Toy) -> None:
    """Of what is too much the number is kept."""

    def ask(run: Run[ToySettings]) -> None:
        answer(run)
        run.page.goto(SITE)
        words = [first + second for first in "abcdefghijklmnopq" for second in "aeiouyt"]
        fetch(run, *(f"/{word}" for word in words))

    toy.step(ask)
    (entry,) = toy.perform()
    assert (len(entry["asked"]), entry["more"]) == (AT_MOST, 1 + 17 * 7 - AT_MOST)
