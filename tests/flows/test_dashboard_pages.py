"""The dashboard's page object on parts of pages that a reader of the guide would get on with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flows.wordpress_migration.flow import EDITIONS
from flows.wordpress_migration.pages import dashboard as dashboard_page
from flows.wordpress_migration.pages.dashboard import Dashboard
from flows.wordpress_migration.pages.machine_tokens import MachineTokens
from flows.wordpress_migration.pages.sites import sites_link
from flows.wordpress_migration.run import MigrationRun
from flows.wordpress_migration.settings import MigrationSettings
from runner.controls import Stuck, Undone, set_default_timeout, until
from tests.flows.test_unseen_dashboards import GIVEN as UNSEEN
from tests.runs import new_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

GIVEN = UNSEEN | {"PAGE_TIMEOUT": "3s", "CREATION_TIMEOUT": "3s"}


@pytest.fixture
def at(page: Page, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Dashboard]:
    """The dashboard, on a page with this content, where nothing comes late."""
    monkeypatch.setattr(dashboard_page, "LATE", 0.4)

    def show(body: str) -> Dashboard:
        page.route(
            "**/*",
            lambda route: route.fulfill(body=f"<!doctype html><meta charset=utf-8>{body}", content_type="text/html"),
        )
        set_default_timeout(page.context, 3)
        words = [flow.words for flow in EDITIONS]
        dashboard = Dashboard(page, MigrationSettings.load(GIVEN), words=words, say=lambda _: None)
        page.goto("https://dashboard.example/")
        return dashboard

    return show


WIZARD = "<div><h1>Current website</h1><label>URL <input></label><button>Continue</button></div>"


@pytest.mark.parametrize(
    "over",
    [
        "<div role=dialog><h2>New: backups</h2><button>Continue</button></div>",
        "<div><p>Cookies</p><button>Continue</button></div>",
        "<div><p>Cookies</p><button>Continue</button></div><label>Ask us <input></label>",
    ],
)
def test_continue_is_none_of_what_lies_over_the_wizard(at: Callable[[str], Dashboard], over: str) -> None:
    """A reader cannot press the wizard's while it is inert, and another one is not what the guide means."""
    dashboard = at(f"<div inert>{WIZARD}</div>{over}")
    assert not dashboard.continue_.is_visible()
    dashboard.page.evaluate("() => document.querySelector('[inert]').inert = false")
    assert dashboard.continue_.evaluate("el => el.parentElement.textContent").startswith("Current website")


MIGRATE = "<button>Migrate Existing Site</button>"
PICKS = 'onclick="s.textContent = this.firstChild.data; l.hidden = true"'
ENTRIES = (
    f"<div role=menu id=l hidden><div role=menuitem {PICKS}>Jo</div><div role=menuitem {PICKS}>Widgets</div></div>"
)
OPENS = "onclick='l.hidden = false'"

SWITCHERS = {
    "in a sidebar of its own": (
        f"<div><button id=s aria-haspopup=menu {OPENS}>Jo</button>{ENTRIES}</div><main><p>Jo</p>{MIGRATE}</main>"
    ),
    "behind the account's menu": (
        f"<header><button aria-haspopup=menu>Account</button></header><aside><button id=s aria-expanded=false {OPENS}>Jo"
        f"</button>{ENTRIES}</aside><main>{MIGRATE}</main>"
    ),
    "a select": f"<div><select id=s><option>Jo<option>Widgets</select></div><main>{MIGRATE}</main>",
}


@pytest.mark.parametrize("body", SWITCHERS.values(), ids=SWITCHERS.keys())
def test_the_workspace_is_switched_wherever_the_switcher_stands(at: Callable[[str], Dashboard], body: str) -> None:
    """That a list shows it is no proof that the dashboard does, as long as no heading says so."""
    dashboard = at(body)
    dashboard.open_workspace("Widgets")
    shown = dashboard.page.locator("#s").evaluate("el => el.selectedOptions?.[0].text ?? el.textContent")
    assert (shown, dashboard.is_in_workspace) == ("Widgets", False)


def test_create_site_is_the_forms_and_not_the_menus(at: Callable[[str], Dashboard]) -> None:
    """A menu may have a control of the same words; the form's may stand in a footer."""
    form = "<article><label>Name <input></label><footer><button id=right>Create Site</button></footer></article>"
    dashboard = at(f"<nav><a href='/new'>Create Site</a></nav>{form}")
    assert dashboard.create_site.get_attribute("id") == "right"
    dashboard.site_name.fill("Writing Widgets")


FOOTERS = {
    "a bar at the window's lower end": "<main><label>Name <input></label></main><footer><button id=right>Create Site</button></footer>",
    "a form's own": "<form><label>Name <input></label><footer><button id=right>Create Site</button></footer></form>",
}


@pytest.mark.parametrize("form", FOOTERS.values(), ids=FOOTERS.keys())
def test_create_site_may_stand_in_a_footer(at: Callable[[str], Dashboard], form: str) -> None:
    """Of the form, or of the whole page."""
    dashboard = at(f"<header><a href='/new'>Create Site</a></header>{form}")
    assert dashboard.create_site.get_attribute("id") == "right"


def test_a_dialogue_that_shows_the_machine_token_stays(at: Callable[[str], Dashboard]) -> None:
    """The token is shown this once, whatever its Copy button is called."""
    dashboard = at(
        "<dialog id=d open><h2>Your machine token</h2><code>v3Nq8xTbR1mZ-kYw0cLdUe7JgPa_s5HiFo2XtCVnB4QyE</code>"
        "<button aria-label='Copy value'>c</button><button onclick='d.close()'>Close modal</button></dialog>"
    )
    assert until(dashboard.page, lambda: True)
    assert dashboard.page.locator("dialog").is_visible()


TOKEN = "v3Nq8xTbR1mZ-kYw0cLdUe7JgPa_s5HiFo2XtCVnB4QyE"
IN_DIALOGUES = {
    "as text": f"<h2>Machine token</h2><p>It is shown once.</p><pre>{TOKEN}</pre>",
    "in a field": f"<h2>Machine token created</h2><label>Your Machine Token <input readonly value={TOKEN}></label>",
    "from its Copy button": f"""<h2>Your token</h2>v3Nq… <button onclick="navigator.clipboard.writeText('{TOKEN}')">Copy</button>""",
}


@pytest.mark.parametrize("shown", IN_DIALOGUES.values(), ids=IN_DIALOGUES.keys())
@pytest.mark.parametrize("leave", ["Done", "Close"])
def test_a_token_is_taken_from_a_dialogue_before_that_is_closed(
    at: Callable[[str], Dashboard], shown: str, leave: str
) -> None:
    """It hides the page, and shows the token this once."""
    dashboard = at(
        f"<div id=p><button onclick='d.showModal(); p.inert = true'>Generate Machine Token</button></div><dialog id=d>{shown}"
        f"<button onclick=\"d.remove(); p.inert = false; p.innerHTML = '<a href=/>Install on /wp-admin</a>'\">{leave}"
        "</button></dialog>"
    )
    dashboard.words = [EDITIONS[0].words]
    dashboard.press_generate_machine_token()
    assert dashboard.token_page.machine_token() == TOKEN
    dashboard.leave_token_dialogue()
    assert dashboard.to_wp_admin.is_visible()


def test_a_dialogue_that_has_what_follows_stays_open(at: Callable[[str], Dashboard]) -> None:
    """Such as one that the whole of the work is in."""
    dashboard = at(
        f"<dialog id=d open><label>Your Machine Token <input readonly value={TOKEN}></label><a href=/>Install on /wp-admin</a>"
        "<button onclick='d.remove()'>Close</button></dialog>"
    )
    dashboard.words = [EDITIONS[0].words]
    dashboard.leave_token_dialogue()
    assert dashboard.to_wp_admin.is_visible()


@pytest.mark.parametrize(
    "asks",
    [
        "<h2>Machine token</h2>Sign in again to have it made. <input type=password><button>Copy</button>",
        "<h2>Make a machine token?</h2>It is shown once.<button>Cancel</button><button>Generate</button>",
    ],
)
def test_a_dialogue_that_asks_before_a_token_is_made_shows_none(at: Callable[[str], Dashboard], asks: str) -> None:
    """Though it tells of the token."""
    assert not at(f"<dialog open>{asks}</dialog>").token_page.dialogue.is_visible()


def test_news_about_tokens_are_closed(at: Callable[[str], Dashboard]) -> None:
    """They show none."""
    dashboard = at(
        "<dialog id=d open><h2>What's new</h2>Copy your machine tokens faster.<button onclick='d.remove()'>Got it</button></dialog>"
    )
    assert until(dashboard.page, lambda: not dashboard.page.locator("dialog").count() or None)


@pytest.mark.parametrize("stay", ["Stay signed in", "Keep me logged in", "Yes, I\u2019m still here", "Extend session"])
def test_a_session_that_is_about_to_end_is_kept(at: Callable[[str], Dashboard], stay: str) -> None:
    """As a reader keeps it who is asked."""
    dashboard = at(
        "<div id=d role=dialog style='position: fixed; inset: 0; background: #fff'><h2>Are you still there?</h2>You will be "
        "signed out in 60 seconds. <button onclick='document.body.textContent = 1'>Sign out</button>"
        f"<button onclick='d.remove()'>{stay}</button></div>{MIGRATE}"
    )
    dashboard.migrate_existing_site.click()
    assert not dashboard.page.locator("#d").count()


def test_a_workspace_is_searched_in_a_long_list(at: Callable[[str], Dashboard]) -> None:
    """Radio buttons of which a part is shown, with a field that filters them."""
    radio = "<label hidden><input type=radio name=w> {}</label>"
    dashboard = at(
        "<form><label>Name <input></label><input type=search placeholder='Filter workspaces' oninput=\""
        "for (const one of document.querySelectorAll('label:has([type=radio])'))"
        ' one.hidden = !one.textContent.includes(this.value)">'
        f"{radio.format('Jo').replace('hidden', '')}{radio.format('Widgets')}<button>Create Site</button></form>"
    )
    dashboard.choose_workspace("Widgets")
    assert dashboard.page.get_by_role("radio", name="Widgets").is_checked()


CONFIRM = "<h1>writing-widgets</h1><div id=v><button>Confirm Migration Progress</button></div>"


def test_what_a_page_begins_with_is_not_what_it_offers(at: Callable[..., Dashboard]) -> None:
    """A part that it has kept may stand there until the server has told how far the migration is."""
    dashboard = at(
        f"{CONFIRM}<script>setTimeout(() => v.innerHTML = '<button>Generate Machine Token</button>', 500)</script>"
    )
    assert not dashboard.offers_to_confirm("writing-widgets")


def test_a_tab_that_was_left_is_at_rest(at: Callable[..., Dashboard], monkeypatch: pytest.MonkeyPatch) -> None:
    """It has shown that all the time."""
    dashboard = at(CONFIRM)
    monkeypatch.setattr("flows.wordpress_migration.pages.lists.LASTING", 0.1)
    assert until(dashboard.page, lambda: dashboard.rest.lasts or None)
    monkeypatch.setattr(dashboard.rest, "reached", lambda: pytest.fail("waited for"))
    assert dashboard.offers_to_confirm("writing-widgets")


@pytest.mark.parametrize(
    ("hint", "refusal"),
    [
        ("Enter your domain without https://, such as www.example.com", ""),
        ("", "This address is not valid. Do not include the protocol (http:// or https://)."),
    ],
    ids=["said at once", "said as a refusal"],
)
def test_an_address_may_be_wanted_without_its_scheme(at: Callable[..., Dashboard], hint: str, refusal: str) -> None:
    """A reader enters it as the page says."""
    dashboard = at(
        f"<form onsubmit='send(); return false'><label>Website URL <input id=u></label><p>{hint}</p><p id=r></p>"
        "<button>Continue</button></form><script>function send() {"
        f" if (u.value.includes('/')) r.textContent = '{refusal}'; else document.body.innerHTML ="
        " `<p>${u.value}</p><label>Name <input></label><button>Create Site</button>` }</script>"
    )
    dashboard.enter_website_url("https://www.example.com")
    dashboard.press_continue()
    assert dashboard.page.locator("p").inner_text() == "www.example.com"


def test_an_address_that_is_refused_for_something_else_is_not_entered_anew(at: Callable[..., Dashboard]) -> None:
    """What the page says is the reason."""
    dashboard = at(
        "<form onsubmit='r.textContent = `This address is not valid: it must begin with https://`; return false'>"
        "<label>Website URL <input></label><p id=r></p><button>Continue</button></form>"
        "<p>Sites without HTTPS cannot be migrated.</p>"
    )
    dashboard.enter_website_url("https://www.example.com")
    with pytest.raises(Undone, match="it must begin with https"):
        dashboard.press_continue()
    assert dashboard.page.get_by_role("textbox").input_value() == "https://www.example.com"


def test_no_workspace_of_a_longer_name_is_chosen(at: Callable[[str], Dashboard]) -> None:
    """The site would be made there."""
    radios = "".join(f"<label><input type=radio name=w> {name}</label>" for name in ("Jo", "Widgets International"))
    dashboard = at(f"<form><label>Name <input></label>{radios}<button>Create Site</button></form>")
    with pytest.raises(Stuck, match='"Widgets" is not offered, only workspaces of a longer name'):
        dashboard.choose_workspace("Widgets")
    assert not dashboard.page.locator(":checked").count()


FORM = "<form><label>Name Your Pantheon Site <input></label>{}<button>Create Site</button></form>"
ADDRESS = "<p>Your Pantheon Development Site URL</p><p>https://dev-writing-widgets.pantheonsite.io</p>"


@pytest.mark.parametrize(
    "shown",
    [
        f"<p>Workspace</p><p>Jo Example</p>{ADDRESS}",
        f"<p>Workspace: Jo Example</p><p>writing-widgets</p>{ADDRESS}",
        "<p>Workspace: More Widgets</p>",
        "<p>Workspace</p><p>Widgets Ltd.</p>",
    ],
)
def test_a_name_in_another_one_is_not_the_workspaces(at: Callable[[str], Dashboard], shown: str) -> None:
    """A site whose name has the workspace's in it would be made in another workspace."""
    dashboard = at(f"<h1>Widgets</h1><button>Migrate Existing Site</button>{FORM.format(shown)}")
    dashboard.open_workspace("Widgets")
    assert dashboard.is_in_workspace
    with pytest.raises(Stuck, match='no choice of a workspace, and it is not known to be in "Widgets"'):
        dashboard.choose_workspace("Widgets")


@pytest.mark.parametrize(
    "shown",
    [
        "<p>Workspace</p><p>Widgets</p>",
        "<p>Workspace: Widgets</p>",
        "<p>Workspace <b>Widgets</b> <i>Gold</i></p>",
        "<p>Your workspace</p><p>The site belongs to the Widgets workspace.</p>",
        "<p>Workspace: Widgets (Professional)</p>",
    ],
)
def test_a_form_may_only_say_what_its_workspace_is(at: Callable[[str], Dashboard], shown: str) -> None:
    """In whatever words."""
    dashboard = at(f"<h1>Widgets</h1><button>Migrate Existing Site</button>{FORM.format(shown)}")
    dashboard.open_workspace("Widgets")
    dashboard.choose_workspace("Widgets")


def test_optional_is_no_label(at: Callable[[str], Dashboard]) -> None:
    """It stands between the label of a list and what opens that."""
    dashboard = at(
        FORM.format(
            "<p><b>Choose a Workspace for the Site</b> (optional)</p><button type=button id=o aria-haspopup=dialog "
            "onclick='d.showModal()'>Jo Example</button>"
            "<dialog id=d><ul role=listbox><li role=option onclick='d.close(); o.textContent = this.textContent'>Widgets</ul>"
            "</dialog>"
        )
    )
    dashboard.choose_workspace("Widgets")
    assert dashboard.page.locator("#o").inner_text() == "Widgets"


@pytest.mark.parametrize(
    "card",
    [
        "<div><div><b>{0}</b><i>Gold</i></div><button onclick='open_(\"{0}\")'>Open</button></div>",
        "<li><span>{0}</span> <a href=# aria-label='Open {0}' onclick='open_(\"{0}\")'>\u2192</a></li>",
    ],
)
def test_a_workspace_may_have_to_be_selected_first(at: Callable[[str], Dashboard], card: str) -> None:
    """Its name is no control; what opens it stands beside."""
    cards = "".join(map(card.format, ("Jo Example", "More Widgets", "Widgets", "Widgets Ltd.")))
    dashboard = at(
        f"<h1>Select a workspace to continue</h1><div>{cards}</div><script>const open_ = name => {{"
        " document.body.innerHTML = `<h2>${name}</h2><button>Migrate Existing Site</button>`; }</script>"
    )
    dashboard.open()
    assert dashboard.page.get_by_role("heading").inner_text() == "Widgets"


SECTIONS = (
    "<form onsubmit='return false'><label>Name <input></label><p id=p></p><button id=c onclick=\"{}\">Create Site</button>"
    "</form><fieldset id=f disabled><button>Generate Machine Token</button></fieldset>"
)
"""A wizard that is one page, which shows what is to come and lets nobody press it yet."""


def test_what_a_page_shows_for_later_tells_of_no_site(at: Callable[[str], Dashboard]) -> None:
    """It was taken for the next page, and the site for made, while that was made or refused."""
    dashboard = at(SECTIONS.format("setTimeout(() => f.disabled = false, 1500)"))
    dashboard.press_create_site()
    assert dashboard.generate_machine_token.is_enabled()
    dashboard = at(SECTIONS.format("setTimeout(() => p.textContent = 'That name is taken.', 500)"))
    with pytest.raises(Undone, match="That name is taken"):
        dashboard.press_create_site()


def test_what_can_be_pressed_is_found_beside_its_disabled_twin(at: Callable[[str], Dashboard]) -> None:
    """A page may have each control twice, for wide windows and for narrow ones."""
    token = "<button disabled>Generate Machine Token</button><button>Generate Machine Token</button>"
    dashboard = at(f"<button onclick='document.body.innerHTML = `{token}`'>Create Site</button>")
    dashboard.press_create_site()
    assert dashboard.page.get_by_text("Generate Machine Token").count() == 2


def test_what_a_page_shows_for_later_tells_of_no_token(at: Callable[[str], Dashboard]) -> None:
    """The password that is asked for first is given."""
    dashboard = at(
        "<button onclick='d.hidden = false'>Generate Machine Token</button><button id=i disabled>Install on /wp-admin</button>"
        "<form id=d hidden onsubmit='this.remove(); i.disabled = false; return false'><label>Password <input type=password>"
        "</label><button>Confirm</button></form>"
    )
    dashboard.words = [EDITIONS[0].words]
    dashboard.press_generate_machine_token()
    assert not dashboard.page.locator("form").count()


LONG_LIST = (
    "<p>Choose a Workspace for the Site</p><button type=button id=o aria-haspopup=dialog onclick='show(); d.showModal()'>"
    "Jo Example</button><dialog id=d><input placeholder='Search workspaces' oninput='setTimeout(show, 700)'>"
    "<ul role=listbox id=l onclick='picked = event.target.textContent; {}'></ul><button type=button>Cancel</button>{}"
    "</dialog><script>const all = [...Array(40).keys()].map(n => `Client ${{n}}`).concat('More Widgets', 'Widgets');"
    "let picked; const set = () => {{ o.textContent = picked; d.close() }};"
    "const show = () => {{ const q = d.querySelector('input').value; l.innerHTML = all.filter(w => w.includes(q))"
    ".slice(0, 6).map(w => `<li role=option>${{w}}</li>`).join('') }};</script>"
)


@pytest.mark.parametrize("ends", [("set()", ""), ("", "<button type=button onclick='set()'>Select</button>")])
def test_a_workspace_is_searched_in_a_dialogue(at: Callable[[str], Dashboard], ends: tuple[str, str]) -> None:
    """Which shows some of a long list, and may have to be told when the choice is made."""
    dashboard = at(FORM.format(LONG_LIST.format(*ends)))
    dashboard.choose_workspace("Widgets")
    assert dashboard.page.locator("#o").inner_text() == "Widgets"
    assert dashboard.site_name.input_value() == ""


def test_what_is_marked_in_a_searched_list_is_no_name(at: Callable[[str], Dashboard]) -> None:
    """The list shows what was typed in bold, in a longer name too."""
    long_list = LONG_LIST.format("set()", "").replace("'More Widgets', 'Widgets'", "'Widgets Ltd.'")
    dashboard = at(FORM.format(long_list.replace("${w}</li>", "${w.replace(q, `<b>${q}</b>`)}</li>")))
    with pytest.raises(Undone, match=r'"Widgets" is not offered; offered are: "Widgets Ltd\."'):
        dashboard.choose_workspace("Widgets")
    assert dashboard.page.locator("#o").inner_text() == "Jo Example"


def test_a_popup_without_a_role_asks_to_confirm(at: Callable[[str], Dashboard]) -> None:
    """It is known by the word, which was not there before."""
    dashboard = at(
        "<form onsubmit='return false'><label>Name <input></label><button onclick=\"p.innerHTML = '<button onclick="
        "made()>Confirm</button>'\">Create Site</button></form><div id=p></div><script>function made() {"
        " document.body.innerHTML = '<button>Generate Machine Token</button>'; }</script>"
    )
    asked: list[Locator] = []
    dashboard.press_create_site(asked.append)
    assert len(asked) == 1


@pytest.mark.parametrize(
    "words",
    [
        "We couldn\u2019t confirm your migration: it hasn\u2019t completed yet. Please try again in a few minutes.",
        "Your migration isn't finished yet",
        "Not complete yet.",
    ],
)
def test_it_is_confirmed_again_when_it_was_too_early(
    at: Callable[[str], Dashboard], monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """However the dashboard says that the migration is not complete."""
    monkeypatch.setattr(dashboard_page, "CONFIRM_AGAIN", 0.5)
    said: list[str] = []
    dashboard = at(
        "<button onclick='press()'>CONFIRM MIGRATION PROGRESS</button><p id=p></p><script>let n = 0; function press() {"
        f' if (n++) document.body.innerHTML = "<h1>writing-widgets</h1>"; else p.textContent = {words!r}; }}</script>'
    )
    dashboard._say = said.append  # noqa: SLF001 - it is told nothing else here
    dashboard.press_confirm_migration_progress("https://dashboard.example/", "writing-widgets")
    assert said == [f'the dashboard says "{words}"; confirming again']


NOT_OPENED = {
    "links and what leads away": "<a href=/pro aria-expanded=false>Plans</a><button id=gone aria-haspopup=menu "
    "onclick='this.remove()'>Help</button>",
    "menus of sites": "<div><button aria-haspopup=menu>More about shop</button></div>",
    "buttons named like headings": "<h2>Delete Workspace</h2><button>Delete Workspace</button><h3>Upgrade</h3>"
    "<aside><button>Upgrade</button></aside>",
}


@pytest.mark.parametrize("around", NOT_OPENED.values(), ids=NOT_OPENED.keys())
def test_what_is_no_switcher_is_not_pressed_for_one(at: Callable[[str], Dashboard], around: str) -> None:
    """The workspace is chosen in step 3 then."""
    dashboard = at(
        f"{around}{MIGRATE}<script>for (const one of document.querySelectorAll('a, button:not(#gone)'))"
        " one.addEventListener('click', event => { event.preventDefault(); pressed = one.textContent; })</script>"
    )
    dashboard.open_workspace("Widgets")
    assert not dashboard.is_in_workspace
    assert dashboard.page.evaluate("() => window.pressed") is None


def test_a_workspace_of_a_longer_name_is_another_one(at: Callable[[str], Dashboard]) -> None:
    """Whatever signs its name has: it is no icon's."""
    dashboard = at(f"<h1>Widgets old_2023</h1>{MIGRATE}")
    dashboard.open_workspace("Widgets")
    assert not dashboard.is_in_workspace


def test_a_password_is_not_sent_in_place_of_a_workspace_s_confirmation(at: Callable[[str], Dashboard]) -> None:
    """A page that asks for the password may send it by Confirm."""
    dashboard = at(
        "<form onsubmit='return false'><label>Name <input></label><button onclick=\"p.innerHTML = '<form onsubmit=sent(event)>"
        "<label>Password <input type=password></label><button>Confirm</button></form>'\">Create Site</button></form>"
        "<div id=p></div><script>let all = []; function sent(event) { event.preventDefault();"
        " all.push(document.querySelector('[type=password]').value); p.innerHTML = '<button>Generate Machine Token</button>' }"
        "</script>"
    )
    asked: list[Locator] = []
    dashboard.press_create_site(asked.append)
    assert (dashboard.page.evaluate("all"), asked) == ([GIVEN["PANTHEON_PASSWORD"]], [])


def test_create_site_is_no_entry_of_a_stepper(at: Callable[[str], Dashboard]) -> None:
    """Which may be a link without an address."""
    dashboard = at("<ol><li><a>Create Site</a></ol><label>Name <input></label><button id=right>Create Site</button>")
    assert dashboard.create_site.get_attribute("id") == "right"


def test_a_form_in_a_drawer_has_its_create_site(at: Callable[[str], Dashboard]) -> None:
    """Though a drawer stands beside the page."""
    dashboard = at(
        "<nav><a href=/>Create Site</a></nav><aside><form><input><button id=right>Create Site</button></form></aside>"
    )
    assert dashboard.create_site.get_attribute("id") == "right"


def test_a_site_is_opened_by_the_link_that_lies_over_its_card(at: Callable[[str], Dashboard]) -> None:
    """The card's name does nothing by itself, and is covered by what the card is pressed for."""
    card = (
        "<div style='position: relative'><h5>{0}</h5><a href='#' onclick=\"document.body.innerHTML = '<h1>{0}</h1>'\">"
        "<i style='position: absolute; inset: 0'></i>Open</a></div>"
    )
    dashboard = at(f"<main>{card.format('blog')}{card.format('Writing Widgets')}{MIGRATE}</main>")
    dashboard.open_site("Writing Widgets")
    assert dashboard.page.locator("h1").inner_text() == "Writing Widgets"


TOKENS = (
    '<div id=m role=menu hidden><div role=menuitem onclick="document.body.innerHTML ='
    " '<h1>Machine Tokens</h1><p>You have no tokens</p>'\">Personal Settings</div></div>"
)
ACCOUNTS = {
    "a link without an address, that the pointer opens": (
        f"<header><a onmouseenter='m.hidden = false'><span>J</span></a>{TOKENS}</header>"
    ),
    "initials at the lower left": (
        f"<div><button style='position: fixed; left: 9px; bottom: 9px' onclick='m.hidden = false'>JE</button>{TOKENS}</div>"
    ),
}


@pytest.mark.parametrize("account", ACCOUNTS.values(), ids=ACCOUNTS.keys())
def test_the_account_s_menu_is_found(at: Callable[[str], Dashboard], account: str) -> None:
    """By what a reader takes for it, without any attribute that says that it opens something."""
    dashboard = at(f"{account}<h1>Jo</h1><h2>Widgets</h2>{MIGRATE}")
    assert MachineTokens(dashboard).tokens() == []


def test_tokens_are_listed_whose_buttons_are_components(at: Callable[[str], Dashboard]) -> None:
    """The control is in a shadow tree, its words and its card are not; an icon font's word stands before them."""
    card = "<section><div>{0}</div>Created Nov 26, 2026 <my-button><i>delete_forever</i> Revoke Token</my-button></section>"
    dashboard = at(
        f"<a onclick='tokens.hidden = false'>Machine Tokens</a><h1>Jo</h1><h2>Widgets</h2>{MIGRATE}<div id=tokens hidden>"
        f"{card.format('laptop')}{card.format('deploy')}</div><script>for (const one of document.querySelectorAll('my-button'))"
        " one.attachShadow({mode: 'open'}).innerHTML = '<button><slot></slot></button>'</script>"
    )
    assert [token.words[0] for token in MachineTokens(dashboard).tokens()] == ["laptop", "deploy"]


def test_tokens_of_one_component_are_told_apart(at: Callable[[str], Dashboard]) -> None:
    """Its rows and their buttons stand in one shadow tree, the buttons with an icon and a name."""
    row = "<li>{0} <button aria-label='Revoke Token'><svg width=9 height=9></svg></button></li>"
    dashboard = at(
        f"<a href=#t onclick='tokens.hidden = false'>Machine Tokens</a><h1>Jo</h1>{MIGRATE}<div id=tokens hidden>"
        "<my-list><b>Your tokens</b></my-list></div><script>document.querySelector('my-list').attachShadow({mode: 'open'})"
        f'.innerHTML = "<slot></slot><ul>{row.format("laptop")}{row.format("deploy")}</ul>"</script>'
    )
    assert [token.words[0] for token in MachineTokens(dashboard).tokens()] == ["laptop", "deploy"]


@pytest.mark.parametrize("badge", ["<sup>12</sup>", "<sup title=33><i>3</i> <i>3</i></sup>", "99+"])
def test_sites_may_have_their_number_beside_them(at: Callable[[str], Dashboard], badge: str) -> None:
    """In the navigation."""
    assert sites_link(at(f"<nav><a href='/sites'>Sites {badge}</a></nav>").page)


NAVIGATIONS = {
    "a link without an address": "<nav><a onclick='go()'>Home</a><a onclick='go()'><i aria-hidden=true>dns</i><span>Sites</span></a></nav>",
    "an option of a list": "<nav><div role=listbox><div role=option onclick='go()'><div>Sites</div></div></div></nav>",
}


@pytest.mark.parametrize("navigation", NAVIGATIONS.values(), ids=NAVIGATIONS.keys())
def test_the_list_of_sites_is_found_behind_whatever_says_sites(at: Callable[[str], Dashboard], navigation: str) -> None:
    """Else a site that stands would pass for a free name."""
    dashboard = at(
        f"{navigation}<main>{MIGRATE}</main><script>function go() {{ document.querySelector('main').innerHTML ="
        " '<ul><li><a href=/s>writing-widgets</a></ul>' }</script>"
    )
    assert dashboard.has_site("Writing Widgets")


def test_sites_as_a_word_of_the_page_is_not_pressed(at: Callable[[str], Dashboard]) -> None:
    """Nor as a heading of the navigation."""
    assert sites_link(at("<nav><h3>Sites</h3><a href=/>Home</a></nav><main><p>Sites</p></main>").page) is None


def test_of_a_refusal_the_line_is_repeated_that_says_why(at: Callable[[str], Dashboard]) -> None:
    """And not the one that introduces it."""
    dashboard = at(
        "<form onsubmit='return false'><div id=e></div><label>Name <input></label><button onclick=\"e.innerHTML = '<h2>1 error"
        " prohibited this site from being saved:</h2><ul><li>Name has already been taken</li></ul>'\">Create Site</button></form>"
    )
    with pytest.raises(Undone, match='the dashboard says "Name has already been taken"'):
        dashboard.press_create_site()


def test_a_line_that_introduces_nothing_is_repeated(at: Callable[[str], Dashboard]) -> None:
    """Where it is all that the page says."""
    dashboard = at(
        "<form onsubmit='return false'><div id=e></div><label>Name <input></label><button onclick=\"e.textContent = 'That failed:'\">"
        "Create Site</button></form>"
    )
    with pytest.raises(Stuck, match='the dashboard says "That failed:"'):
        dashboard.press_create_site()


def test_sites_that_cannot_be_pressed_are_no_way_to_a_list(at: Callable[[str], Dashboard]) -> None:
    """Navigation that waits beside the screen is for narrower ones."""
    hidden = "<nav style='position: fixed; left: -300px; width: 200px'><span>Sites</span></nav>"
    assert sites_link(at(f"{hidden}<main>{MIGRATE}</main>").page) is None


FLASH = (
    "<div role=status style='position: fixed; {0}; padding: 2em; background: #dfd'>You are now working in Widgets."
    "<button aria-label='Dismiss this message' onclick='this.parentElement.remove()'>x</button></div>"
)


def test_a_message_that_lies_over_what_is_to_be_pressed_is_closed(at: Callable[[str], Dashboard]) -> None:
    """It stays until then, and a reader could press nothing below it."""
    dashboard = at(
        f'<style>button {{ margin: 1em }}</style>{FLASH.format("inset: 0")}<button onclick="document.body.innerHTML ='
        " '<input><button>Continue</button>'\">Migrate Existing Site</button>"
    )
    dashboard.begin_to_migrate()
    assert dashboard.continue_.is_visible()


def test_a_message_that_lies_elsewhere_stays(at: Callable[[str], Dashboard]) -> None:
    """A reader may want to read it."""
    dashboard = at(
        f"{FLASH.format('bottom: 0; right: 0')}<main><button onclick=\"document.querySelector('main').innerHTML ="
        " '<input><button>Continue</button>'\">Migrate Existing Site</button></main>"
    )
    dashboard.begin_to_migrate()
    assert dashboard.page.get_by_role("status").is_visible()


@pytest.mark.parametrize(
    ("stays", "says"),
    [("", "the page says: Sorry, it is gone"), ("<p>Choose another.</p>", "the page says: Choose another.$")],
)
def test_what_a_toast_said_is_repeated_when_it_has_gone(
    at: Callable[[str], Dashboard], monkeypatch: pytest.MonkeyPatch, stays: str, says: str
) -> None:
    """Where nothing else tells why nothing came of it."""
    dashboard = at(
        "<form onsubmit='return false'><label>Name <input></label><button onclick='t.hidden = false'>Create Site"
        "</button></form><p id=t hidden>Sorry, it is gone</p>"
    )
    look = Dashboard._check_refusal  # noqa: SLF001 - the toast goes after the first look, however long that takes

    def look_and_go(*of: Any) -> None:
        look(dashboard, *of)
        dashboard.page.evaluate("stays => { if (window.t) t.outerHTML = stays; }", stays)

    monkeypatch.setattr(dashboard, "_check_refusal", look_and_go)
    with pytest.raises(Stuck, match=says):
        dashboard.press_create_site()


def test_what_has_come_since_the_last_look_is_there(
    at: Callable[[str], Dashboard], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine it takes long to look for a refusal, and the time may be over then."""
    dashboard = at("<button>Create Site</button>")
    comes = "<button>Generate Machine Token</button>"
    monkeypatch.setattr(dashboard, "_check_refusal", lambda *_: dashboard.page.set_content(comes))
    control = dashboard.page.get_by_role("button")
    reached = dashboard.reach(
        dashboard.generate_machine_token, pressed=dashboard_page.Pressed(control, []), timeout=0.1
    )
    assert reached.is_visible()


@pytest.mark.parametrize("leaves", ["p.hidden = true; ", ""])
def test_no_sentence_repeats_a_machine_token_that_was_not_read(at: Callable[[str], Dashboard], leaves: str) -> None:
    """Nobody has registered it as a secret yet; the rest of what the page says is repeated."""
    dashboard = at(
        f'<button id=p onclick="{leaves}t.hidden = false">Generate Machine Token</button>'
        f"<div id=t hidden><p>Your token, writing-widgets:</p><p>{TOKEN}</p></div>"
    )
    dashboard.words = [EDITIONS[0].words]
    with pytest.raises(Stuck, match=r"the page says: Your token, writing-widgets:, …$"):
        dashboard.press_generate_machine_token()


@pytest.mark.parametrize(
    "shown",
    [f"<p>Your token: {TOKEN}</p>", f"<input value={TOKEN}>", f"<input type=password readonly value={TOKEN}>"],
)
def test_a_machine_token_that_was_not_read_is_kept_secret(page: Page, tmp_path: Path, shown: str) -> None:
    """The page of the failure is recorded, with all that stands on it."""
    run = new_run(MigrationRun, EDITIONS[0], MigrationSettings.load(GIVEN | {"PAGE_TIMEOUT": "1s"}), tmp_path)
    run.attach(page)
    run.follow(EDITIONS[0])
    page.route("**/*", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    run.dashboard.page.goto("https://dashboard.example/")
    run.dashboard.page.set_content(
        '<p>0123456789abcdef0123456789abcdef01</p><button onclick="this.hidden = true; t.hidden = false">Generate Machine'
        f" Token</button><div id=t hidden>{shown}<p>writing-widgets-of-the-whole-family-2</p>"
        "<p>dev-writing-widgets-of-the-whole-family-2.example</p>"
        "<p>0f6c1b2a-88d1-4f0e-9a3c-5b7d2e4f6a80</p></div>"
    )
    with pytest.raises(Stuck):
        run.make_machine_token()
    assert TOKEN not in run.secrets.redact_deep(f"there were: {TOKEN}")
    for other in (
        "0123456789abcdef0123456789abcdef01",
        "writing-widgets-of-the-whole-family-2",
        "dev-writing-widgets-of-the-whole-family-2.example",
        "0f6c1b2a-88d1-4f0e-9a3c-5b7d2e4f6a80",
    ):
        assert run.secrets.redact_deep(other) == other
