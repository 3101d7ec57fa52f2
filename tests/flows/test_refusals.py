"""What a page says aloud after something was pressed: whether that is a refusal, and that it may lie over the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flows.wordpress_migration.pages import dashboard as dashboard_page
from flows.wordpress_migration.pages.dashboard import Dashboard, Words
from flows.wordpress_migration.settings import MigrationSettings
from runner.controls import Stuck, Undone, set_default_timeout
from tests.flows.test_recognition import GIVEN

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser

PATIENCE = 4

SETTINGS = GIVEN | {"PAGE_TIMEOUT": f"{PATIENCE}s", "CREATION_TIMEOUT": f"{PATIENCE}s"}


def creating(page: Page, kind: str, words: str, *, comes: bool) -> Dashboard:
    """A dashboard that says this aloud when **Create Site** is pressed, beside its kind in words that nobody sees."""
    toast = f"<div role=alert><span style='position: absolute; clip-path: inset(50%)'>{kind}</span><p>{words}</p></div>"
    script = f"""
        document.querySelector('button').onclick = () => {{
            document.body.insertAdjacentHTML('beforeend', `{toast}`);
            if ({int(comes)}) setTimeout(() => {{
                document.querySelector('main').innerHTML = '<button>Generate Machine Token</button>';
            }}, 2500);
        }};"""
    return dashboard_with(page, f"<main><button>Create Site</button></main><script>{script}</script>")


IN_2024, IN_2025 = Words("Install on /wp-admin"), Words("Go to wp-admin", goes_on="Continue to Migration")


def dashboard_with(page: Page, body: str, words: Words = IN_2024) -> Dashboard:
    """A dashboard whose pages are all this one."""
    page.route("**/*", lambda route: route.fulfill(body=f"<!doctype html>{body}", content_type="text/html"))
    return opened(page, words)


def opened(page: Page, words: Words) -> Dashboard:
    """The dashboard whose pages the tab's routes answer."""
    set_default_timeout(page.context, PATIENCE)
    dashboard = Dashboard(page, MigrationSettings.load(SETTINGS), words=[words], say=lambda _: None)
    page.goto("https://dashboard.example")
    return dashboard


@pytest.mark.parametrize(
    ("kind", "words"),
    [("Working...", "Creating your site..."), ("Success", "Site created"), ("Information", "This takes a while")],
)
def test_what_is_said_aloud_of_the_work_is_no_refusal(page: Page, kind: str, words: str) -> None:
    """The site is waited for, although what was pressed could be pressed again."""
    dashboard = creating(page, kind, words, comes=True)
    dashboard.press_create_site()
    assert dashboard.generate_machine_token.is_visible()


@pytest.mark.parametrize(
    ("kind", "words", "error"),
    [
        ("Critical", "The name widgets is already taken.", Undone),
        ("Critical", "Use fewer letters", Stuck),
        ("Warning", "Use fewer letters", Stuck),
    ],
)
def test_a_refusal_is_repeated_and_not_its_kind(page: Page, kind: str, words: str, error: type[Stuck]) -> None:
    """What the page says is the sentence that a reader sees."""
    with pytest.raises(error, match=f'says "{words}"'):
        creating(page, kind, words, comes=False).press_create_site()


STAYS = """
    <style>
        button { position: fixed; right: 20px; bottom: 20px }
        [role=alert] { position: fixed; right: 0; bottom: 0; width: 300px; height: 90px; background: #fff }
    </style>
    <main><button>Confirm Migration Progress</button></main>
    <script>
        let pressed = 0;
        document.querySelector('button').onclick = () => {
            if (++pressed > 1) { document.querySelector('main').innerHTML = '<h1>writing-widgets</h1>'; return; }
            document.body.insertAdjacentHTML('beforeend', '<div role=alert>The migration is not complete yet.</div>');
            const toast = document.querySelector('[role=alert]');
            toast.onmouseleave = () => setTimeout(() => toast.remove(), 300);
        };
    </script>"""
"""Says at the lower right, where the button is, that it is too early, for as long as the pointer is there."""


def test_what_is_said_under_the_pointer_goes_when_that_has_gone(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pointer that rests where it has pressed would keep such words over the button that is to be pressed again."""
    monkeypatch.setattr(dashboard_page, "CONFIRM_AGAIN", 0.5)
    dashboard = dashboard_with(page, STAYS)
    dashboard.press_confirm_migration_progress("https://dashboard.example", "writing-widgets")
    assert page.get_by_role("heading", name="writing-widgets").is_visible()


UNTIL_CLOSED = """
    <style>
        main button, [role=alert], #closes { position: fixed; right: 0; bottom: 0 }
        [role=alert] { width: 300px; height: 90px; background: #fff }
    </style>
    <section role=status>Keep this page open <button onclick="this.parentNode.remove()">Close</button></section>
    <main><button>Confirm Migration Progress</button></main>
    <script>
        let pressed = 0;
        document.querySelector('main button').onclick = () => {
            if (++pressed > 1) { document.querySelector('main').innerHTML = '<h1>writing-widgets</h1>'; return; }
            document.body.insertAdjacentHTML('beforeend', `<div><div role=alert>The migration is not complete yet.</div>
                <button id=closes aria-label=close onclick="this.parentNode.remove()">x</button></div>`);
        };
    </script>"""
"""The same, until it is closed by a cross beside what is said. Above it something else can be closed."""


def test_what_is_said_until_it_is_closed_does_not_stay_over_the_button(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader who has read it closes it, and nothing else."""
    monkeypatch.setattr(dashboard_page, "CONFIRM_AGAIN", 0.5)
    dashboard = dashboard_with(page, UNTIL_CLOSED)
    dashboard.press_confirm_migration_progress("https://dashboard.example", "writing-widgets")
    assert page.get_by_role("heading", name="writing-widgets").is_visible()
    assert page.get_by_text("Keep this page open").is_visible()


MADE = """
    <style>
        main button, [role=status], #closes { position: fixed; right: 0; bottom: 0 }
        [role=status] { width: 300px; height: 90px; background: #fff }
    </style>
    <main><button onclick="this.textContent = 'Go to wp-admin'">Continue to Migration</button></main>
    <div><div role=status>Machine token created</div>
        <button id=closes aria-label=close onclick="this.parentNode.remove()">x</button></div>"""
"""Says over the button that goes on that the token was made."""


def test_what_is_said_of_the_token_does_not_stay_over_the_button_that_goes_on(page: Page) -> None:
    """As over any other button."""
    dashboard = dashboard_with(page, MADE, IN_2025)
    dashboard.go_on_with_token()
    assert dashboard.to_wp_admin.is_visible()


def test_a_picture_that_does_not_come_has_no_page_loaded_again(page: Page) -> None:
    """What was entered there would be lost, over an avatar."""
    late = "<script>setTimeout(() => document.body.insertAdjacentHTML('beforeend', '<button>Create Site</button>'), 3000)</script>"
    loaded: list[str] = []

    def answer(route: Route) -> None:
        loaded.append(route.request.resource_type)
        page_or_picture = {"document": f"<!doctype html><img src=/me.png><form><input></form>{late}"}
        body = page_or_picture.get(route.request.resource_type)
        route.fulfill(body=body or "Busy", status=200 if body else 503, content_type="text/html")

    page.route("**/*", answer)
    dashboard = opened(page, IN_2024)
    dashboard.reach(dashboard.create_site)
    assert sorted(loaded) == ["document", "image"]
