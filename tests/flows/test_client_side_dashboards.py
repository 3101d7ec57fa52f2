"""The flow performs edition 2025 on dashboards that show one view after the other, each as another front end has it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from flows.wordpress_migration.edition_2025 import FLOW
from flows.wordpress_migration.pages import dashboard as dashboard_page
from flows.wordpress_migration.settings import MigrationSettings
from runner.browser import context_options
from runner.errors import StepFailed
from tests.flows.test_unseen_dashboards import GIVEN, WP_ADMIN, RunWithoutPictures
from tests.runs import new_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Route

    from flows.wordpress_migration.run import MigrationRun

pytestmark = pytest.mark.browser

VIEWS = (Path(__file__).parent / "dashboards/views.js").read_text("utf-8")
STEPS = [
    replace(step, images=(), adds=(), may_show=())
    for step in (*FLOW.steps[:5], replace(FLOW.steps[-1], number=6, enters_from=6))
]
"""What the reader does in the dashboard."""
AT_SITE = {"site_page": "https://dashboard.example/sites/writing-widgets", "site_name": "writing-widgets"}


@dataclass
class Visit:
    """What a run did on a dashboard, as the dashboard itself saw it, and as the run tells it."""

    run: MigrationRun
    failure: str
    did: list[tuple[str, Any]]
    closed: list[str]

    def all(self, what: str) -> list[Any]:
        """What was done of one kind, in order."""
        return [value for name, value in self.did if name == what]


@pytest.fixture
def visit(browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Visit]]:
    """Perform the dashboard's steps from one to another, on a dashboard that has these views otherwise."""
    monkeypatch.setattr(dashboard_page, "CONFIRM_AGAIN", 1.0)
    context = browser.new_context(**context_options())

    def perform(script: str, first: int = 1, last: int = 6, **settings: str) -> Visit:
        body = f"<!doctype html><meta charset=utf-8><body><div id=root></div><script>{VIEWS}{script}"

        def answer(route: Route) -> None:
            address = urlsplit(route.request.url)
            if address.path.startswith("/api/"):
                route.fulfill(status=503, body="{}", content_type="application/json")
            else:
                at = (
                    WP_ADMIN
                    if address.netloc == "source.example"
                    else f"{body};setTimeout(() => views[V.at]())</script>"
                )
                route.fulfill(body=at, content_type="text/html")

        did: list[tuple[str, Any]] = []
        closed: list[str] = []
        context.expose_function("report", lambda said: did.append(tuple(json.loads(said))))
        context.route("**/*", answer)
        given = MigrationSettings.load({**GIVEN, "PAGE_TIMEOUT": "6s", "CREATION_TIMEOUT": "14s", **settings})
        run = new_run(RunWithoutPictures, FLOW, given, tmp_path)
        monkeypatch.setattr(run, "note_interruption", closed.append)
        run.attach(context.new_page())
        failure = ""
        if first > 1:
            run.follow(FLOW)
            run.facts.change(**AT_SITE)
        try:
            run.perform(STEPS[first - 1 : last], FLOW)
        except StepFailed as failed:
            failure = failed.failure.sentence
        return Visit(run, failure, did, closed)

    yield perform
    context.close()


def succeeded(seen: Visit) -> None:
    """Everything was done once, with the right values."""
    assert seen.failure == ""
    assert seen.all("cms") == ["WordPress"]
    assert seen.all("url") == ["https://source.example"]
    assert seen.all("created") == [["Writing Widgets", "Widgets"]]
    assert seen.all("token") == [None]
    assert seen.run.machine_token.reveal() == seen.run.page.evaluate("V.token")
    assert seen.run.facts["site_name"] == "writing-widgets"
    assert len(seen.all("done")) == 1


# -- what is over, and what is not -------------------------------------------------------------------------------------

HEAD_FIRST = """
    const head = inner => views.shell(`<nav aria-label=Breadcrumb>Sites / <span>${V.site}</span></nav><div id=panel>${inner}</div>`);
    const skeleton = '<div class=skeleton aria-busy=true style="height:300px"></div>';
    let tries = 0;
    views.migrate = async () => {
        head(skeleton); await later(1500); head(views.panel());
        $('#k').onclick = async () => {
            log('confirmed'); head(skeleton); await later(1200);
            if (++tries > 1) return go('done');
            head('<div role=alert>The migration is not complete yet.</div>' + views.panel());
            $('#k').onclick = () => { log('confirmed'); go('done'); };
        };
    };
    V.at = 'migrate';"""
"""Names the site at once, and what is to be pressed comes later; the same again while it confirms."""


def test_a_page_of_which_the_head_has_come_is_not_the_sites_dashboard(visit: Callable[..., Visit]) -> None:
    """A browser that was opened after the migration, and was too quick, said done without having pressed anything."""
    seen = visit(HEAD_FIRST, 6)
    assert (seen.failure, len(seen.all("confirmed")), len(seen.all("done"))) == ("", 2, 1)


UNDER_WAY = """
    V.at = 'migrate';
    views.progress = async () => {
        views.shell(`<h1>Migration in progress</h1><p>We are still migrating <b>${V.site}</b>.</p>`);
        await later(4000); go('done');
    };"""


def test_a_page_of_a_migration_that_goes_on_is_not_the_sites_dashboard(visit: Callable[..., Visit]) -> None:
    """It names the site too."""
    seen = visit(UNDER_WAY, 6)
    assert (seen.failure, len(seen.all("done"))) == ("", 1)


FAILED = """
    V.at = 'migrate';
    views.progress = () => views.shell(`<h1>Migration failed</h1><p>We could not import your site into ${V.site}.</p>`);"""


def test_a_page_of_a_migration_that_failed_is_not_the_sites_dashboard(visit: Callable[..., Visit]) -> None:
    """What it says is the sentence."""
    assert visit(FAILED, 6).failure == 'the dashboard did not confirm: "Migration failed"'


# -- what is closed, and what is not -----------------------------------------------------------------------------------

FOOTER = """
    const modal = '<div role=dialog aria-modal=true aria-label="Your machine token" style="position:fixed;inset:0;background:#fff">';
    views.shell = (inner, dialogue = '') => {
        const cross = V.at === 'home' || V.at === 'done' ? '' : '<button id=x aria-label=Close>×</button>';
        $('#root').innerHTML = `<div class=app><header>PANTHEON</header><main>${cross}${inner}</main>${dialogue}
            <footer><a href="/cookies">Cookie Preferences</a></footer></div>`;
        if (cross) $('#x').onclick = () => log('left the wizard');
    };
    views.shown = () => {
        const next = '<button id=go hidden>Continue to Migration</button>';
        views.shell(next, `${modal}<label for=t>Machine Token</label><input id=t readonly value="${V.token}"><button id=ok>OK</button></div>`);
        $('#ok').onclick = () => { log('closed the token'); views.shell(next); $('#go').hidden = false; $('#go').onclick = () => go('migrate'); };
    };"""
"""Names cookies at the lower end of each page, all of which is in one box with the work, and with the token's dialogue."""


def test_a_page_whose_footer_names_cookies_is_no_banner(visit: Callable[..., Visit]) -> None:
    """Neither the wizard nor the dialogue with the token is closed, which would be lost."""
    seen = visit(FOOTER)
    succeeded(seen)
    assert (seen.closed, seen.all("left the wizard"), len(seen.all("closed the token"))) == ([], [], 1)


TERMS = """
    views.shell = inner => {
        $('#root').innerHTML = `<div class=app><main>${inner}</main>
            <div role=dialog aria-modal=true style="position:fixed;inset:0;background:#fff">
                <h2>Our Terms of Service have changed</h2><p>You agree to the new prices.</p><button id=y>Accept</button>
            </div><footer><a href="/cookies">Cookie policy</a></footer></div>`;
        $('#y').onclick = () => log('agreed');
    };"""


def test_terms_are_not_agreed_to_because_a_footer_names_cookies(visit: Callable[..., Visit]) -> None:
    """That is for a person."""
    seen = visit(TERMS, last=1)
    assert (seen.all("agreed"), seen.closed) == ([], [])
    assert "intercepts pointer events" in seen.failure


LOADS = """
    const cross = '<button type=button aria-label=Close class=x>×</button>';
    const loading = (title, what) => {
        const dialogue = over(`${cross}<h2>${title}</h2><div class=body><span role=progressbar></span></div>`, title);
        dialogue.querySelector('.x').onclick = () => { log('closed', what); dialogue.remove(); };
        return dialogue;
    };
    views.home = () => {
        views.shell(`<h1>Workspace Overview</h1><h2>${V.ws}</h2><button id=m>Migrate Existing Site</button>`);
        $('#m').onclick = () => {
            const tiles = ['Drupal', 'WordPress'].map(cms => `<button class=tile>${cms}</button>`).join('');
            const dialogue = over(`<h2>What platform is your site on?</h2>${cross}${tiles}`);
            dialogue.querySelector('.x').onclick = () => { log('closed', 'the wizard'); dialogue.remove(); };
            dialogue.querySelectorAll('.tile').forEach(tile => {
                tile.onclick = () => { log('cms', tile.textContent); dialogue.remove(); go('url'); };
            });
        };
    };
    views.confirm = async (workspace, yes) => {
        const dialogue = loading('Confirm workspace', 'the popup');
        await later(1500);
        dialogue.querySelector('.body').innerHTML = `<p>${workspace} is on the Gold plan.</p><button class=yes>Confirm</button>`;
        dialogue.querySelector('.yes').onclick = () => { dialogue.remove(); log('confirmed workspace', workspace); yes(); };
    };
    views.creating = async () => { const dialogue = loading('Creating your site', 'the progress'); await later(8000); dialogue.remove(); };
    views.token = () => {
        views.shell('<button id=g>Generate Machine Token</button><button id=go disabled>Continue to Migration</button>');
        $('#go').onclick = () => go('migrate');
        $('#g').onclick = async () => {
            log('token');
            const dialogue = over(`${cross}<div>New machine token</div><div class=body></div>`);
            dialogue.querySelector('.x').onclick = () => { log('closed', 'the token'); dialogue.remove(); };
            await later(1500);
            dialogue.querySelector('.body').innerHTML = `<label for=t>Machine Token</label><input id=t readonly value="${V.token}"><button id=d>Done</button>`;
            $('#d').onclick = () => { dialogue.remove(); $('#go').disabled = false; };
        };
    };"""
"""Has dialogues that can be closed all along, in which what they ask, tell or offer comes later, if they ask anything."""


def test_a_dialogue_that_loads_or_that_the_wizard_begins_in_is_not_closed(visit: Callable[..., Visit]) -> None:
    """The tiles with the CMS, the workspace to confirm, the site that is created, the token that is shown once."""
    seen = visit(LOADS)
    succeeded(seen)
    assert (seen.closed, seen.all("closed")) == ([], [])


# -- which workspace ---------------------------------------------------------------------------------------------------

CARD = """
    V.ws = 'Jo Example';
    views.shell = inner => {
        const entries = V.workspaces.map(name => `<li role=menuitem tabindex=-1>${name}</li>`).join('');
        $('#root').innerHTML = `<header><button id=up aria-haspopup=dialog aria-expanded=false>Upgrade Workspace</button></header>
            <nav><button id=sw aria-haspopup=menu aria-expanded=false>${V.ws}</button><ul role=menu hidden>${entries}</ul></nav>
            <main>${inner}</main>`;
        const menu = $('[role=menu]');
        $('#up').onclick = () => log('upgraded');
        $('#sw').onclick = () => { menu.hidden = false; };
        menu.onclick = event => { V.ws = event.target.textContent; go('home'); };
    };
    views.home = () => {
        views.shell(`<h1>${V.ws}</h1><h2>Recent Sites</h2><div><h3>Widgets</h3><p>WordPress</p></div><button id=m>Migrate Existing Site</button>`);
        $('#m').onclick = () => go('cms');
    };
    views.create = () => {
        views.shell('<label for=n>Site name</label><input id=n><button id=c>Create Site</button>');
        $('#c').onclick = () => views.make($('#n').value, V.ws);
    };"""
"""Has a site that is called like the workspace, and something beside the switcher that speaks of workspaces."""


def test_a_site_that_is_called_like_the_workspace_is_not_it(visit: Callable[..., Visit]) -> None:
    """The new site would be made in another workspace; nothing is bought on the way."""
    seen = visit(CARD, last=3)
    assert (seen.failure, seen.all("created"), seen.all("upgraded")) == ("", [["Writing Widgets", "Widgets"]], [])


CONFIRMED_AT_ONCE = """
    const create = views.create;
    views.create = () => {
        create();
        let chosen = '';
        $('#w').onchange = () => views.confirm($('#w').value, () => { chosen = $('#w').value; });
        $('#c').onclick = () => views.make($('#n').value, chosen || 'Jo Example');
    };"""


def test_the_workspace_may_be_confirmed_as_soon_as_it_is_selected(visit: Callable[..., Visit]) -> None:
    """The guide does not say when the popup comes."""
    seen = visit(CONFIRMED_AT_ONCE, last=3)
    assert (seen.failure, seen.all("created")) == ("", [["Writing Widgets", "Widgets"]])


# -- what the page says, and does not say ------------------------------------------------------------------------------

BESIDE = """
    views.creating = async () => {
        views.shell('<p>Creating your site. This can take a few minutes.</p>');
        fetch('/api/telemetry', {method: 'POST', body: '{}'});
        fetch('/api/notifications');
        navigator.sendBeacon('/api/rum', 'x');
        await later(8000);
    };"""


def test_what_fails_in_the_background_is_no_answer_to_what_was_pressed(visit: Callable[..., Visit]) -> None:
    """The page goes on, and neither is it loaded again nor is the run stopped."""
    seen = visit(BESIDE, last=3)
    assert (seen.failure, seen.all("created")) == ("", [["Writing Widgets", "Widgets"]])


ALOUD = """
    views.url = () => {
        views.shell('<label for=u>Production site URL</label><input id=u><div id=said></div><button id=c>Continue</button>');
        $('#c').onclick = async () => {
            log('url', $('#u').value); await later(300);
            $('#said').innerHTML = '<div role=alert>We found your site: WordPress 6.5.</div>';
            await later(2500); go('create');
        };
    };
    views.creating = async () => { $('#said').textContent = 'Creating your site… This can take a few minutes.'; await later(9000); };"""
"""Says aloud what is no refusal; and leaves the button as it is for longer than a page may take, with a line that tells."""


def test_what_is_said_of_work_that_goes_on_is_waited_for(visit: Callable[..., Visit]) -> None:
    """The site is being made."""
    seen = visit(ALOUD, last=3)
    assert (seen.failure, seen.all("created")) == ("", [["Writing Widgets", "Widgets"]])


WHEN_LEFT = """
    const form = view => {
        const of = views[view];
        views[view] = () => {
            of(); $('#c').disabled = true;
            const field = $('#u') || $('#n');
            field.onblur = async () => { await later(300); $('#c').disabled = !field.value; };
        };
    };
    form('url'); form('create');
    const links = views.shell;
    views.shell = inner => {
        links(inner);
        const here = V.at === 'home' ? '' : '<a href=# aria-current=page>Migrate Existing Site</a>';
        $('nav').innerHTML += here + '<a id=also href=#>Migrate Existing Site</a>';
        $('#also').onclick = () => go('cms');
    };"""
"""Looks at a field when it is left, as many forms do; and has the guide's words in its navigation all along."""


def test_a_field_that_is_looked_at_when_it_is_left(visit: Callable[..., Visit]) -> None:
    """A reader presses elsewhere, such as at a button that is disabled; the navigation's words are no view to leave."""
    seen = visit(WHEN_LEFT, last=3, PANTHEON_WORKSPACE="")
    assert (seen.failure, seen.all("created")) == ("", [["Writing Widgets", "Widgets"]])


IN_DOUBT = """
    views.creating = async () => {
        views.shell('<h1>Create your site</h1><p id=said></p><button>Create Site</button>');
        fetch('/api/sites', {method: 'POST', body: '{}'});
        await later(500);
        $('#said').textContent = '%s';
        await later(20000);
    };"""


@pytest.mark.parametrize("said", ["Something went wrong. The name is required.", "Please choose again"])
def test_what_a_page_says_after_an_error_does_not_mean_that_nothing_was_done(
    visit: Callable[..., Visit], said: str
) -> None:
    """Whether in words of a refusal or not: the site may stand, and must not be made a second time."""
    failure = visit(IN_DOUBT % said, last=3, PANTHEON_WORKSPACE="").failure
    assert "answered 503 to POST https://dashboard.example/api/sites" in failure
    assert "it is not known whether that was done" in failure


TAKEN = """
    views.create = () => {
        views.shell('<label for=n>Site name</label><input id=n><p id=said></p><button id=c %s>Create Site</button>');
        $('#n').oninput = () => { $('#said').textContent = 'That name is already taken.'; };
    };"""


@pytest.mark.parametrize("state", ["disabled", ""])
def test_what_is_said_while_a_field_is_filled_is_the_reason(visit: Callable[..., Visit], state: str) -> None:
    """Whether the button can be pressed or not."""
    assert "That name is already taken." in visit(TAKEN % state, last=3, PANTHEON_WORKSPACE="").failure


LISTED = """
    views.shell = inner => {
        $('#root').innerHTML = `<div>PANTHEON <input role=combobox aria-expanded=false aria-label="Search Sites"></div><main>${inner}</main>`;
    };
    views.cms = () => {
        views.shell(`<h1>Which CMS is your site built with?</h1><div id=l>Content management system</div>
            <div id=s role=combobox tabindex=0 aria-haspopup=listbox aria-expanded=false aria-labelledby=l>Select</div>
            <button id=c disabled>Continue</button>`);
        $('#s').onclick = () => {
            const list = document.createElement('ul');
            list.setAttribute('role', 'listbox');
            list.innerHTML = '<li role=option>Drupal</li><li role=option>WordPress</li>';
            document.body.append(list);
            list.onclick = event => {
                V.cms = $('#s').textContent = event.target.textContent; list.remove(); $('#c').disabled = false;
            };
        };
        $('#c').onclick = () => { log('cms', V.cms); go('url'); };
    };"""


def test_the_cms_may_be_behind_a_closed_list(visit: Callable[..., Visit]) -> None:
    """It is known by its name, also beside a search that is a list too."""
    seen = visit(LISTED, last=2)
    assert (seen.failure, seen.all("cms"), seen.all("url")) == ("", ["WordPress"], ["https://source.example"])


POLLED = """
    views.creating = async () => {
        views.shell('<h1>Create your site</h1><button>Create Site</button>');
        fetch('/api/sites', {method: 'POST', body: '{}'});
        await later(2500);
        fetch('/api/poll');
        await later(20000);
    };"""


def test_what_may_have_been_done_is_not_forgotten_over_what_fails_later(visit: Callable[..., Visit]) -> None:
    """A poll that fails has no page loaded again in its place."""
    assert "answered 503 to POST" in visit(POLLED, last=3, PANTHEON_WORKSPACE="").failure


TOKEN_ONLY = """
    V.at = 'migrate';
    views.migrate = () => views.shell(`<nav aria-label=Breadcrumb>Sites / ${V.site}</nav><button>Generate Machine Token</button>`);"""


def test_a_page_that_offers_a_token_is_not_the_sites_dashboard(visit: Callable[..., Visit]) -> None:
    """A run that is taken up there has another token made first; the end of this one is that its page has none."""
    seen = visit(TOKEN_ONLY, 6)
    assert seen.failure
    assert seen.all("done") == []
