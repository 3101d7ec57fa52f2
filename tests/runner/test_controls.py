"""Controls, fields and choices are found on pages that were built in many ways."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, expect

from runner.controls import (
    COPIES,
    Stuck,
    capture_copies,
    choice,
    choose,
    choose_from,
    close_alert_over,
    close_what_covers,
    control,
    controls,
    controls_on,
    copied_by,
    default_timeout,
    dismiss_interruptions,
    field,
    first_visible,
    lines,
    panel,
    press_send,
    refuses,
    same_site,
    saying,
    set_default_timeout,
    shown_values,
    tick,
    until,
    within,
    worded_buttons,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    "html",
    [
        "<button>Install on /wp-admin</button>",
        "<a href='#'>Install on /wp-admin</a>",
        "<div role=button tabindex=0>Install on /wp-admin</div>",
        "<input type=submit value='Install on /wp-admin'>",
        "<button><span>＋</span> install ON\n /WP-ADMIN →</button>",
        "<a href='#'>Install on /wp-admin <span>(opens in a new tab)</span></a>",
        "<a href='#'>Install on /wp-admin<span>(external, opens in a new tab or window)</span></a>",
        "<a href='#'>Install on /wp-admin <span>, (opens new window)</span></a>",
        "<a href='#'>Install on /wp-admin <span>(opens in a new browser tab)</span></a>",
        "<button aria-label='Install on /wp-admin'><svg></svg></button>",
        "<button><span role=img aria-label=export></span><span>Install on /wp-admin</span></button>",
        "<a href='#'>Install on /wp-admin <i>open_in_new</i></a>",
        "<button aria-label='Open the plugins page'>Install on /wp-admin</button>",
        "<a onclick='go()'>Install on /wp-admin</a>",
        "<button style='display:none'>Install on /wp-admin</button><p><button>Install on /wp-admin</button>",
    ],
)
def test_a_control_is_found_by_the_guides_words(page: Page, html: str) -> None:
    """However it is built, and in whatever case, with a sign or a hint around the words."""
    page.set_content(html)
    expect(control(page, "Install on /wp-admin")).to_be_visible()
    control(page, "Install on /wp-admin").click(trial=True, timeout=1000)


@pytest.mark.parametrize(
    "html",
    [
        "<button>Continue with Google</button>",
        "<p>Continue</p>",
        "<button hidden>Continue</button>",
        "<h1>Continue</h1>",
        "<button aria-hidden=true>Continue</button>",
        "<a href='#'><b>Continue</b> without saving</a>",
    ],
)
def test_what_only_looks_like_the_control_is_not_taken(page: Page, html: str) -> None:
    """More words make another control, and words alone make none."""
    page.set_content(html)
    expect(control(page, "Continue")).to_have_count(0)


def test_what_lies_in_something_inert_is_no_control(page: Page) -> None:
    """Also where the scope that is searched lies in it: no reader could press it."""
    page.set_content("<div inert><div role=dialog><button>Confirm</button></div></div>")
    assert not control(page, "Confirm").is_visible()
    assert not control(page.locator("[role=dialog]"), "Confirm").is_visible()
    page.evaluate("() => document.querySelector('[inert]').removeAttribute('inert')")
    assert control(page.locator("[role=dialog]"), "Confirm").is_visible()


def test_a_covered_control_is_not_pressed(page: Page) -> None:
    """A reader could not press it, so the run stops there."""
    page.set_content("<button>Go</button><div style='position:fixed;inset:0'></div>")
    with pytest.raises(Exception, match="intercepts pointer events"):
        control(page, "Go").click(timeout=500)


FORM = "<h2>Your current website</h2><div><label>URL <input></label></div>"
CONTINUE = "<div><button>Continue</button></div>"
"""A form in two parts."""


def shadow(html: str) -> str:
    """A shadow tree that holds this."""
    return f"<template shadowrootmode=open>{html}</template>"


@pytest.mark.parametrize(
    "html",
    [
        f"<div><div id=w>{FORM}{CONTINUE}</div></div>",
        f"<header><a href=#>Continue</a><input type=search></header><div><div id=w>{FORM}{CONTINUE}</div></div>",
        f"<section id=w><div>{FORM}</div><button disabled>Continue</button></section><div>{CONTINUE}</div>",
        f"<div><div id=w>{FORM}<p hidden>{CONTINUE}</p>{CONTINUE}</div>{CONTINUE}</div>",
        f"<div inert>{FORM}{CONTINUE}</div><div id=w>{FORM}<span>{CONTINUE}</span></div>",
        f"<form id=w><x-box>{shadow('<div><input></div>')}</x-box><x-button>{shadow(CONTINUE)}</x-button></form>",
        f"<x-app>{shadow(f'<div><div id=w><x-box>{shadow(FORM)}</x-box>{CONTINUE}</div></div>')}</x-app>{CONTINUE}",
        f"<div>{CONTINUE}<input></div><x-app>{shadow(f'<div id=w>{FORM}{CONTINUE}</div>')}</x-app>",
    ],
)
def test_a_panel_is_the_innermost_part_that_holds_all(page: Page, html: str) -> None:
    """What belongs to one form is found within it, through shadow trees too; of several the last."""
    page.goto("about:blank")
    page.evaluate("html => document.body.setHTMLUnsafe(html)", f"<main>{html}</main>")
    form = panel(page, page.get_by_role("textbox"), controls(page, "Continue", inert=True))
    assert form.get_attribute("id", timeout=2000) == "w"


FIELDS = {
    "label": "<label for=a>Your name</label><input id=a><label for=b>Site name</label><input id=b data-me>",
    "unbound label": "<label for=x>Other</label><input><label for=y>Pantheon Site Name</label><br><input data-me>",
    "aria-labelledby": "<span id=l>Site name</span><input><input aria-labelledby=l data-me>",
    "group text": "<p>E-mail</p><div><input></div><p>Site name</p><small>It stays.</small><div><input data-me></div>",
    "placeholder": "<input placeholder=Search><input placeholder='Site name' data-me>",
    "input name": "<input name=q><input name=site_name data-me>",
    "the only one": "<p>Call it what you like</p><input data-me>",
}


@pytest.mark.parametrize("html", FIELDS.values(), ids=FIELDS.keys())
def test_a_field_is_found_by_the_words_beside_it(page: Page, html: str) -> None:
    """By its label, else by the words before it, else by its hints, else because it is the only one."""
    page.set_content(html)
    found = field(page.get_by_role("textbox"), "site name", r"site.?name", timeout=2)
    assert found.get_attribute("data-me") is not None


def test_a_field_that_comes_late_is_waited_for(page: Page) -> None:
    """Content arrives after the load event."""
    page.set_content(
        "<div id=r></div><script>setTimeout(() => r.innerHTML = '<input><input aria-label=URL>', 300)</script>"
    )
    assert field(page.get_by_role("textbox"), "URL", r"\burl\b", timeout=5).get_attribute("aria-label") == "URL"


def test_fields_without_the_words_are_listed(page: Page) -> None:
    """The message of a failure says which fields there were."""
    page.set_content("<label>Colour <input></label><label>Size <input></label>")
    with pytest.raises(Stuck, match=r"no field for the URL; the fields there are: Colour.*, Size"):
        field(page.get_by_role("textbox"), "URL", r"\burl\b", timeout=0.3)


FORMS = {
    "known words": "<button>Continue with Google</button><input data-me><button aria-label='Show password'></button><button data-on>Log In</button>",
    "unknown words": "<div role=dialog><button aria-label=Close>x</button><input data-me><a href='#'>Forgot it?</a><a href='#' data-on>Go on</a></div>",
    "Enter": "<form onsubmit='return false' data-on><input data-me><a href='#'>One</a><a href='#'>Two</a><input type=submit hidden></form>",
}


@pytest.mark.parametrize("html", FORMS.values(), ids=FORMS.keys())
def test_a_form_is_sent_as_a_reader_would_send_it(page: Page, html: str) -> None:
    """By the control that sends it, whatever it is called, and by Enter where none can be told."""
    page.set_content(
        f"{html}<script>document.addEventListener('submit', () => {{ window.sent = true; }});"
        "for (const el of document.querySelectorAll('[data-on]')) el.onclick = () => { window.sent = true; };</script>"
    )
    page.locator("[data-me]").fill("me")
    press_send(page.locator("[data-me]"), "Log in", "Continue")
    assert page.evaluate("() => window.sent")


CHOICES = {
    "radio": "<input type=radio id=a name=c><label for=a>Drupal</label><input type=radio id=b name=c><label for=b>WordPress</label>",
    "tile without a size": (
        "<style>input{appearance:none;width:0;height:0;margin:0;position:absolute}</style>"
        "<label><input type=radio name=c>Drupal</label><label><input type=radio name=c> <b>WordPress</b></label>"
    ),
    "tile with more words": "<label><input type=radio name=c>Drupal</label><label><input type=radio name=c><b>WordPress</b><p>Guided</p></label>",
    "select": "<select><option>Choose</option><option value=wp> WordPress </option></select>",
    "toggle buttons": (
        "<button aria-pressed=false>Drupal</button><button aria-pressed=false onclick=\"this.ariaPressed='true'\">WordPress</button>"
    ),
    "listbox": "<ul role=listbox><li role=option aria-selected=false onclick=\"this.ariaSelected='true'\">WordPress</li></ul>",
    "cards with a button each": (
        "<div><div><h3>Drupal</h3><button>Select</button></div><div><h3>WordPress</h3><p>Guided</p>"
        "<button onclick=\"this.dataset.on='1'\">Select</button></div><div>Other <button>Select</button></div></div>"
    ),
    "plain entry": "<ul><li onclick=\"this.dataset.on='1'\">WordPress</li></ul>",
}


@pytest.mark.parametrize("html", CHOICES.values(), ids=CHOICES.keys())
def test_a_choice_is_made_however_it_is_offered(page: Page, html: str) -> None:
    """Radios, tiles of no size, selects, toggles and lists: pressed as a reader would, and chosen afterwards."""
    page.set_content(html)
    choose(page, "WordPress", timeout=3)
    chosen = "option:checked[value=wp], :checked[type=radio], [aria-pressed=true], [aria-selected=true], [data-on]"
    expect(page.locator(chosen)).to_have_count(1)
    assert "Drupal" not in str(page.locator(f"label:has({chosen})").all_inner_texts())


@pytest.fixture
def impatient(page: Page) -> Iterator[None]:
    """Half a second instead of half a minute for what never comes."""
    before = default_timeout()
    set_default_timeout(page.context, 0.5)
    yield
    set_default_timeout(page.context, before)


@pytest.mark.usefixtures("impatient")
def test_what_is_chosen_already_is_not_taken_back(page: Page) -> None:
    """A button that switches is left as it is."""
    page.set_content(
        "<button aria-pressed=true onclick=\"this.ariaPressed = this.ariaPressed !== 'true'\">WordPress</button>"
    )
    choose(page, "WordPress")
    expect(page.get_by_role("button")).to_have_attribute("aria-pressed", "true")


def test_a_choice_that_does_not_stick_is_noticed(page: Page) -> None:
    """A tile that takes the press and stays as it was is where a reader would be stuck."""
    page.set_content("<label><input type=radio name=c onclick='return false'>WordPress</label>")
    with pytest.raises(Stuck, match='"WordPress" was pressed and did not become chosen') as caught:
        choose(page, "WordPress", timeout=1)
    assert caught.value.place is not None
    assert caught.value.place.inner_text() == "WordPress"


WORKSPACES = {
    "native": "<select aria-label=Workspace data-me><option>Widgets<option>Quayside Press</select>",
    "native, late": (
        "<select aria-label=Workspace data-me></select><script>setTimeout(() => document.querySelector('select').innerHTML ="
        " '<option>Widgets<option>Quayside Press', 400)</script>"
    ),
    "typed, late": """
        <input role=combobox data-me><ul role=listbox hidden></ul><script>
        const box = document.querySelector('input'), list = document.querySelector('ul');
        box.oninput = () => setTimeout(() => { list.hidden = false; list.innerHTML = ['Widgets', 'Quayside Press', 'Quayside Press Archive']
            .filter(w => w.includes(box.value)).map(w => `<li role=option>${w}</li>`).join(''); }, 300);
        list.onclick = e => { box.value = e.target.textContent; box.dataset.chosen = box.value; list.hidden = true; };
        </script>""",
    "span with a listbox elsewhere": """
        <span role=combobox tabindex=0 data-me>Choose</span><div id=end></div><script>
        const box = document.querySelector('span');
        box.onclick = () => setTimeout(() => { end.innerHTML = '<ul role=listbox><li role=option>Widgets</li><li role=option>Quayside Press</li></ul>'; }, 200);
        end.onclick = e => { box.textContent = e.target.textContent; end.innerHTML = ''; };
        </script>""",
}


@pytest.mark.parametrize("html", WORKSPACES.values(), ids=WORKSPACES.keys())
def test_an_entry_is_chosen_from_any_kind_of_list(page: Page, html: str) -> None:
    """Native or ARIA, with options that come late or stand elsewhere in the document."""
    page.set_content(html)
    choose_from(page.locator("[data-me]"), "Quayside Press", timeout=3)
    said = page.locator("[data-me]").evaluate("el => el.value || el.textContent")
    assert said == "Quayside Press"


def test_an_entry_of_a_menu_that_is_always_there_is_not_taken(page: Page) -> None:
    """Such as one to switch to another workspace, which would lead away."""
    page.set_content(
        "<header><ul role=menu><li role=menuitem onclick=\"this.textContent = 'taken'\">Quayside Press</li></ul></header>"
        + WORKSPACES["span with a listbox elsewhere"]
    )
    choose_from(page.locator("[data-me]"), "Quayside Press", timeout=3)
    assert page.locator("[data-me]").inner_text() == "Quayside Press"
    assert page.get_by_role("menuitem").inner_text() == "Quayside Press"


@pytest.mark.parametrize("html", WORKSPACES.values(), ids=WORKSPACES.keys())
def test_an_entry_that_is_not_offered_is_answered_with_those_that_are(page: Page, html: str) -> None:
    """The sentence lists what could have been chosen."""
    page.set_content(html)
    with pytest.raises(Stuck, match=r'"Nowhere" is not offered; offered are: .*"Widgets", "Quayside Press"'):
        choose_from(page.locator("[data-me]"), "Nowhere", timeout=1)


@pytest.mark.usefixtures("impatient")
def test_a_list_that_has_closed_is_no_sign_of_what_is_chosen(page: Page) -> None:
    """Its entries still stand beside the box, and nobody sees them."""
    page.set_content(
        "<p>Choose</p><input role=combobox data-me id=b onclick='l.hidden=false'><ul role=listbox id=l hidden>"
        "<li role=option onclick=\"b.value=''; l.hidden=true\">Widgets</li></ul>"
    )
    with pytest.raises(Stuck, match="did not become chosen"):
        choose_from(page.locator("[data-me]"), "Widgets", timeout=1)


@pytest.mark.usefixtures("impatient")
def test_typed_text_alone_is_not_a_choice(page: Page) -> None:
    """A combobox keeps what was typed without choosing any option: that is noticed."""
    page.set_content(
        "<input role=combobox data-me><ul role=listbox><li role=option onclick=\"document.querySelector('input').value=''\">Widgets</li></ul>"
    )
    with pytest.raises(Stuck, match="did not become chosen"):
        choose_from(page.locator("[data-me]"), "Widgets", timeout=1)


COPYING = {
    "clipboard": "navigator.clipboard.writeText('the-token')",
    "clipboard item": "navigator.clipboard.write([new ClipboardItem({'text/plain': new Blob(['the-token'], {type: 'text/plain'})})])",
    "command on a field": "t.select(); document.execCommand('copy')",
    "command with an event": (
        "document.addEventListener('copy', e => { e.clipboardData.setData('text/plain', 'the-token'); e.preventDefault(); });"
        " document.execCommand('copy')"
    ),
}


@pytest.mark.parametrize("script", COPYING.values(), ids=COPYING.keys())
def test_what_a_copy_button_hands_over_is_captured_in_the_page(page: Page, script: str) -> None:
    """By the clipboard's interface and by the old command; the system's clipboard stays as it was."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.route(
        "https://dashboard.example/",
        lambda route: route.fulfill(
            content_type="text/html",
            body=f"<p>Pantheon Site Name</p><input value=a><button>Copy</button><p>Your Machine Token</p><input id=t value=the-token>"
            f"<button id=b>Copy</button><script>b.onclick = () => {{ {script} }}</script>",
        ),
    )
    page.goto("https://dashboard.example/")
    page.evaluate("() => navigator.clipboard.writeText('what the user had copied')")
    capture_copies(page)
    page.reload()
    first, second = worded_buttons(page, COPIES)
    assert "Pantheon Site Name" in first.words
    assert "Your Machine Token" in second.words
    assert copied_by(second.locator) == "the-token"
    assert page.evaluate("() => navigator.clipboard.readText()") == "what the user had copied"


def test_what_says_that_it_was_copied_has_gone_afterwards(page: Page) -> None:
    """A message beside the button would be on the next screenshot."""
    capture_copies(page)
    page.goto("data:text/html,<button>Copy</button><p></p>")
    page.evaluate(
        """() => { const [button, note] = document.querySelectorAll('button, p'); button.onclick = () => {
            document.addEventListener('copy', event => event.preventDefault(), {once: true});
            getSelection().selectAllChildren(button); document.execCommand('copy'); note.textContent = 'Token copied';
            setTimeout(() => { note.textContent = ''; }, 800); }; }"""
    )
    assert copied_by(page.get_by_role("button")) == "Copy"
    assert page.locator("p").inner_text() == ""


def test_a_link_that_copies_is_a_copy_button_and_one_that_leads_away_is_none(page: Page) -> None:
    """The words of each reach up to the one before, whichever of both it is."""
    page.set_content(
        "<p>Site Name</p><a href='#'>Copy</a><p>Your Machine Token</p><span role=link tabindex=0>Copy</span>"
        "<a href='https://docs.example/token'>How to copy your machine token</a>"
    )
    first, second = worded_buttons(page, COPIES)
    assert (first.words[:2], second.words[:2]) == (("Copy", "Site Name"), ("Copy", "Your Machine Token"))
    assert "Site Name" not in second.words


def test_values_are_read_with_the_words_before_them(page: Page) -> None:
    """Contents of fields and words that stand alone; not prose, not what is hidden, never a password field."""
    page.set_content(
        "<p><b>A</b> Site name</p><input readonly value=my-site><p>Token</p><code>tok_123</code>"
        "<p>Some prose of many words</p><p hidden>hidden-word</p><input type=password value=hunter2>"
    )
    shown = {one.value: one.words[0] for one in shown_values(page) if one.words}
    assert shown["my-site"] == "Site name"
    assert shown["tok_123"] == "Token"
    assert not {"hidden-word", "hunter2"} & set(shown)


def test_a_value_is_read_without_the_button_beside_it(page: Page) -> None:
    """Also where both stand in one element."""
    page.set_content("<dl><dt>Site name</dt><dd>my-site <button>Copy</button></dd></dl>")
    assert [one.words[0] for one in shown_values(page) if one.value == "my-site"] == ["Site name"]


def test_what_stands_in_shadow_trees_is_said_too(page: Page) -> None:
    """Line by line, and nothing of what is hidden there."""
    page.set_content(
        "<p>Light</p><div id=host></div><script>host.attachShadow({mode: 'open'}).innerHTML ="
        " '<style>b {}</style><p>In <b>shadow</b></p><p hidden>Hidden</p>'</script>"
    )
    assert lines(page) == ["Light", "In shadow"]


OVERLAYS = {
    "cookie banner": "<div class=x>We use cookies. <button>Accept all</button><button>Reject all</button></div>",
    "cookie banner with links": "<div class=x>Cookies! <a href='#'>Reject All</a> <a href='#'>Accept All</a></div>",
    "cookie banner that only informs": "<div class=x>This site uses cookies. <button>Got it</button></div>",
    "cookie banner with a heading": "<div class=x><h1>We use cookies</h1><button>Got it</button></div>",
    "cookie banner with all in it": "<div class=x id=cookie-notice>We use cookies. <nav><a href='#'>Privacy</a></nav>"
    "<select><option>English</select><button>Got it</button></div>",
    "cookie banner with a table that is hidden": "<div class=x>We use cookies. <table hidden></table><button>Got it</button></div>",
    "a tour with its progress": "<div class=x role=dialog>What's new <progress value=1 max=4></progress><button>Skip</button></div>",
    "a tour that is offered": "<div class=x role=dialog>What's new: you can take a tour <button>Skip</button></div>",
    "what's new": "<div class=x role=dialog><h2>New here</h2><p>Look!</p><button aria-label=Close>×</button></div>",
    "what's new, whose button says what it closes": (
        "<div class=x role=dialog><h2>New here</h2><button>Explore</button>"
        "<button aria-label='Close modal'>×</button></div>"
    ),
    "tour": "<div class=x role=dialog aria-modal=true>Welcome <button>Next</button><button>Skip tour</button></div>",
}


@pytest.mark.parametrize("html", OVERLAYS.values(), ids=OVERLAYS.keys())
def test_what_lies_over_the_page_is_closed(page: Page, html: str) -> None:
    """A cookie banner is refused, a dialogue that asks for nothing is closed, and the work goes on."""
    closed: list[str] = []
    dismiss_interruptions(page, closed.append, never=["Continue"])
    page.set_content(
        "<style>.x{position:fixed;inset:0;background:#fff}</style><button onclick='this.textContent=\"Done\"'>Continue</button>"
        f"{html}<script>for (const b of document.querySelectorAll('.x :is(button, a)')) b.onclick = () => document.querySelector('.x').remove()</script>"
    )
    control(page, "Continue").click(timeout=3000)
    expect(control(page, "Done")).to_be_visible()
    (words,) = closed
    assert words.startswith(
        "a cookie banner, closed with" if "cookies" in html.casefold() else "a dialogue, closed with"
    )
    assert "Accept" not in words


DIALOGUES = {
    "asks for a password": "<div role=dialog>Confirm it is you <input type=password><button>Cancel</button><button>Close</button></div>",
    "holds a control of the guide": "<div role=dialog>Sure? <button>Continue</button><button>Close</button></div>",
    "offers no way to close it": "<div role=dialog>Working…</div>",
    "loads": "<div role=dialog>Machine token <span role=progressbar></span><button>Close</button></div>",
    "tells of what is being done": "<div role=dialog>This can take some minutes. <button>Close</button></div>",
    "a page whose footer names cookies": "<div><main><button>Close</button></main><footer>Cookies</footer></div>",
    "a page about cookies": "<main><p>Our cookies policy</p><button>Save</button></main>",
}


def test_what_is_known_to_close_something_needs_no_words(page: Page) -> None:
    """Such as in another language, in an element without a role; it may lie there with a field in it."""
    closed: list[str] = []
    dismiss_interruptions(page, closed.append, never=[], closes=".shut")
    page.set_content(
        "<style>.x{position:fixed;inset:0;background:#fff}</style><button onclick='this.textContent=\"Done\"'>Next</button>"
        "<div class=x>Sitzung abgelaufen <input><button class=shut onclick='this.parentElement.remove()'>Schluss</button></div>"
    )
    control(page, "Next").click(timeout=3000)
    expect(control(page, "Done")).to_be_visible()
    assert closed == ['a dialogue, closed with "Schluss"']


def test_what_does_not_go_ends_the_act_that_it_covers(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """The act's own error says what lies over the control; nothing waits for ever."""
    monkeypatch.setattr("runner.controls.overlays.GOES", 0.3)
    closed: list[str] = []
    dismiss_interruptions(page, closed.append, never=[])
    page.set_content(
        "<style>#d{position:fixed;inset:0;background:#fff}</style><button id=under>Under</button>"
        "<div id=d role=dialog>Look at this <button>Close</button></div>"
    )
    with pytest.raises(PlaywrightError, match="intercepts pointer events"):
        page.locator("#under").click(timeout=4000)
    assert set(closed) == {'a dialogue, closed with "Close"'}


@pytest.mark.parametrize(("says", "closed"), [("Not now", "Not now"), ("OK", ""), ("Done", "")])
def test_what_lies_over_a_control_is_left_by_words_that_agree_to_nothing(page: Page, says: str, closed: str) -> None:
    """Nobody has read what stands on it."""
    page.set_content(
        "<button id=under>Under</button><div style='position:fixed;inset:0;background:#fff' onclick='this.remove()'>"
        f"<p>All copies will be replaced.</p><button>{says}</button></div>"
    )
    assert close_what_covers(page.locator("#under")) == closed
    assert page.locator("#under ~ div").count() == (0 if closed else 1)


@pytest.mark.parametrize("shown", ["Acme Beta", "New Acme", "<i>trash icon</i> Acme"])
def test_what_stands_beside_the_words_may_be_another_meaning(page: Page, shown: str) -> None:
    """A workspace of a longer name, or what takes something away."""
    page.set_content(f"<a href=#>{shown}</a>")
    assert not control(page, "Acme").count()


def test_what_is_being_closed_when_its_page_closes_troubles_no_other_page(page: Page) -> None:
    """The act has given up, the page is left, and what waited for its dialogue to go says nothing more."""
    other = page.context.new_page()
    dismiss_interruptions(page, lambda _: None, never=[])
    page.set_content("<div role=dialog>Look at this <button>Close</button></div>")
    with pytest.raises(AssertionError):
        expect(page.get_by_text("Later")).to_be_visible(timeout=500)
    page.close()
    for _ in range(5):
        assert other.evaluate("() => new Promise(done => setTimeout(() => done(1), 50))") == 1


MODAL = """<script>
function news() {
    const over = document.createElement('div');
    over.innerHTML = '<div role=dialog aria-modal=true>Look at this <button>Close</button></div>';
    over.querySelector('button').onclick = () => { over.remove(); work.ariaHidden = null; };
    document.body.append(over);
    work.ariaHidden = 'true';
}
</script>"""
"""`news()` opens a dialogue that hides what is in #work from every look by role."""


def test_a_dialogue_may_come_when_a_choice_has_just_been_found(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is closed, and the choice made."""
    closed: list[str] = []
    dismiss_interruptions(page, closed.append, never=[])
    page.set_content(
        f"<div id=work><button role=radio aria-checked=false onclick='ariaChecked = true'>Blue</button></div>{MODAL}"
    )

    def found_and_hidden(*args: Any, **more: Any) -> Locator:
        found = choice(*args, **more)
        page.evaluate("news()")
        return found

    monkeypatch.setattr("runner.controls.choosing.choice", found_and_hidden)
    page.set_default_timeout(2000)
    assert choose(page, "Blue", timeout=2).get_attribute("aria-checked") == "true"
    assert closed == ['a dialogue, closed with "Close"']


@pytest.mark.parametrize("html", DIALOGUES.values(), ids=DIALOGUES.keys())
def test_a_dialogue_that_belongs_to_the_work_is_left_alone(page: Page, html: str) -> None:
    """What asks for something, or holds a control that the guide uses, is no interruption."""
    closed: list[str] = []
    dismiss_interruptions(page, closed.append, never=["Continue"])
    page.set_content(f"<button id=under>Under</button>{html}")
    page.locator("#under").click(timeout=3000)
    assert closed == []


def test_the_earlier_of_two_wins_and_none_is_said(page: Page) -> None:
    """first_visible returns what it was given first, and says what did not come."""
    page.set_content("<button>A</button><button>B</button>")
    a, b, c = (control(page, name) for name in "ABC")
    assert first_visible(c, b, a, timeout=1) is b
    with pytest.raises(Stuck, match='the control "C" did not appear'):
        first_visible(c, timeout=0.2)


def test_until_looks_again_after_each_change(page: Page) -> None:
    """A change of the page wakes the wait, across a navigation too; when time is over it answers None."""
    page.set_content("<p>1</p><script>setTimeout(() => document.querySelector('p').textContent = '2', 200)</script>")
    assert until(page, lambda: True if page.locator("p").inner_text() == "2" else None, timeout=5)
    page.route("https://three.example/", lambda route: route.fulfill(content_type="text/html", body="<p>3"))
    page.evaluate("() => setTimeout(() => location.href = 'https://three.example/', 100)")
    assert until(page, lambda: True if page.locator("p").inner_text() == "3" else None, timeout=5)
    assert until(page, lambda: None, timeout=0.1) is None


def test_a_change_during_a_look_is_not_missed(page: Page) -> None:
    """What changes while the page is being looked at is seen by the next look, though nothing changes after it."""
    page.set_content("<p>1</p>")
    paragraph, looks = page.locator("p"), 0

    def look() -> bool | None:
        nonlocal looks
        looks += 1
        said = paragraph.inner_text()
        if looks == 2:  # from now on the page is watched
            paragraph.evaluate("p => { p.textContent = '2'; setTimeout(() => { p.textContent = '3'; }, 1000); }")
        return True if said == "2" else None

    assert until(page, look, timeout=5, again=5)
    assert looks == 3


@pytest.mark.parametrize("ends", ["in vain", "Stuck"])
def test_nothing_watches_a_page_after_until(page: Page, ends: str) -> None:
    """A page is watched only as long as something is waited for on it."""
    page.set_content("<p>1</p>")
    page.evaluate(
        """() => {
            const end = MutationObserver.prototype.disconnect;
            globalThis.ended = 0;
            MutationObserver.prototype.disconnect = function () { globalThis.ended += 1; end.call(this); };
        }"""
    )
    looks = 0

    def look() -> None:
        nonlocal looks
        looks += 1
        if ends == "Stuck" and looks == 3:
            raise Stuck("the page refuses")

    with suppress(Stuck):
        assert until(page, look, timeout=1, again=0.1) is None
    assert looks >= 3
    assert page.evaluate("() => globalThis.ended") == 1


def test_a_look_that_changes_the_page_does_not_wake_itself(page: Page) -> None:
    """Such as one that presses a button: it is looked at again when something else changes, or later."""
    page.set_content("<button onclick='this.textContent += 1'>1</button>")
    looks = 0

    def press() -> bool | None:
        nonlocal looks
        looks += 1
        page.locator("button").click()
        return True if looks == 3 else None  # the second one is watched

    began = page.evaluate("() => performance.now()")
    assert until(page, press, timeout=5, again=0.5, changes_it=True)
    assert page.evaluate("() => performance.now()") - began >= 1000


def test_controls_are_listed_for_a_failure(page: Page) -> None:
    """Roles and names, without what stands in the fields."""
    page.set_content("<h1>Title</h1><label>Token <input value=tok_123></label><button>Go</button>")
    assert controls_on(page) == ['heading "Title"', 'textbox "Token"', 'button "Go"']


@pytest.mark.parametrize("put_in", ["<button>Continue</button>", "<label>Password <input type=password></label>"])
def test_what_is_put_into_a_dialogue_belongs_to_it(page: Page, put_in: str) -> None:
    """A component's dialogue is in its shadow tree, what it is about is not."""
    closed: list[str] = []
    dismiss_interruptions(page, closed.append, never=["Continue"])
    page.set_content(
        f"<button id=under>Under</button><my-dialogue>{put_in}</my-dialogue><script>"
        "document.querySelector('my-dialogue').attachShadow({mode: 'open'}).innerHTML ="
        " '<div role=dialog><button>Close</button><slot></slot></div>'</script>"
    )
    page.locator("#under").click(timeout=3000)
    assert closed == []


UNUSUAL_LISTS = {
    "an input that is cleared, its value beside it": (
        "<div><div class=v>Select…</div><input role=combobox data-me onclick='l.hidden=false'></div>"
        "<ul role=listbox id=l hidden><li role=option onclick=\"document.querySelector('.v').textContent=this.textContent;"
        "l.hidden=true;document.querySelector('input').value=''\">Widgets</li></ul>"
    ),
    "an open list that hides the rest of the page": (
        "<main><button aria-haspopup=listbox onclick=\"document.querySelector('main').ariaHidden='true';l.hidden=false\">"
        'Select…</button></main><ul role=listbox id=l hidden><li role=option onclick="l.hidden=true;'
        "const m=document.querySelector('main');m.ariaHidden=null;m.firstChild.textContent='Widgets'\">Widgets</li></ul>"
    ),
    "options that say more": (
        "<select data-me><option>Jo<option>Widgets Labs (Administrator)<option>Widgets (Administrator)</select>"
    ),
    "entries with a dash": (
        "<button data-me aria-haspopup=menu onclick='l.hidden=false'>Jo</button><div role=menu id=l hidden>"
        "<div role=menuitem onclick=\"l.hidden=true;document.querySelector('button').textContent='Widgets'\">"
        "Widgets — Professional</div><div role=menuitem>Widgets Labs — Professional</div></div>"
    ),
    "roles on entries of no size": (
        "<div><span class=v>Select…</span><input role=combobox readonly aria-controls=r data-me onclick='l.hidden=false'>"
        "</div><div id=l hidden><div role=listbox id=r style='height:0;overflow:hidden'><i role=option></i></div>"
        "<div onclick=\"document.querySelector('.v').textContent='Widgets';l.hidden=true\"><div>Widgets</div></div></div>"
    ),
    "an entry with its kind": (
        "<button data-me aria-haspopup=menu onclick='l.hidden=false'>Jo</button><div role=menu id=l hidden>"
        "<div role=menuitemradio onclick=\"l.hidden=true;document.querySelector('button').textContent='Widgets'\">"
        "Widgets<small>professional</small></div><div role=menuitemradio>Widgets Labs<small>personal</small></div></div>"
    ),
}


@pytest.mark.parametrize("html", UNUSUAL_LISTS.values(), ids=UNUSUAL_LISTS.keys())
def test_an_entry_is_chosen_from_an_unusual_list(page: Page, html: str) -> None:
    """As react-select, Radix and Headless UI make them, and with entries that say more than the name."""
    page.set_content(html)
    by_role = page.get_by_role("button", name="Select…").or_(page.get_by_role("button", name="Widgets"))
    choose_from(page.locator("[data-me]") if "data-me" in html else by_role, "Widgets", timeout=3)
    shows = page.locator("select, .v, button").first.evaluate("el => el.selectedOptions?.[0].text ?? el.textContent")
    assert shows in {"Widgets", "Widgets (Administrator)"}


MARKED = {
    "as b": "<b>{0}</b>{1}",
    "in an element beside the rest": "<span></span><span style='background: #ffc'>{0}</span><span>{1}</span>",
    "by marking the rest": "{0}<b>{1}</b>",
}
"""What was typed, as lists mark it in their entries, and the rest of an entry's name."""


def _marking(mark: str, *names: str) -> str:
    """A list that filters its entries by what is typed, and marks that in each."""
    entries = "".join(f"<li role=option>{mark.format('Widgets', name.removeprefix('Widgets'))}</li>" for name in names)
    return (
        f"<input role=combobox id=box><ul role=listbox id=l onclick=\"box.value = event.target.closest('li').textContent;"
        f" l.innerHTML = ''\">{entries}</ul>"
    )


@pytest.mark.parametrize("mark", MARKED.values(), ids=MARKED.keys())
def test_what_a_list_marks_in_an_entry_is_not_its_name(page: Page, mark: str) -> None:
    """The site would be made in a workspace of a longer name, which stands above the wanted one."""
    page.set_content(_marking(mark, "Widgets Ltd.", "Widgets"))
    choose_from(page.locator("#box"), "Widgets", timeout=3)
    assert page.locator("#box").input_value() == "Widgets"


@pytest.mark.parametrize("mark", MARKED.values(), ids=MARKED.keys())
def test_a_longer_name_with_the_words_marked_is_not_chosen(page: Page, mark: str) -> None:
    """Also where it is the only one that is left."""
    page.set_content(_marking(mark, "Widgets Ltd."))
    with pytest.raises(Stuck, match=r'"Widgets" is not offered; offered are: "Widgets Ltd\."'):
        choose_from(page.locator("#box"), "Widgets", timeout=1)
    assert page.locator("li").count() == 1


@pytest.mark.parametrize(
    "entry",
    [
        "Widgets <span style='font-size: 75%'>Pro</span>",
        "<span>Widgets</span> <span style='background: #ddf'>Pro</span>",
        "<div>Widgets</div><div>Professional</div>",
        "<span style='background: #ddf'>W</span> Widgets",
        "<span>Widgets</span> <span style='color: #777'>Owner</span>",
    ],
)
def test_an_entry_may_have_a_label_beside_its_name(page: Page, entry: str) -> None:
    """Smaller, in a box of its own, on a line of its own; or alike, where nothing was typed that could be marked."""
    page.set_content(
        "<button id=b aria-haspopup=listbox>Choose</button><ul role=listbox onclick=\"b.textContent = 'Widgets'\">"
        f"<li role=option>Jo</li><li role=option>{entry}</li></ul>"
    )
    choose_from(page.locator("#b"), "Widgets", timeout=1)
    assert page.locator("#b").inner_text() == "Widgets"


CHOOSES = (
    "<ul role=listbox id=l hidden>{0}</ul><script>function opens() {{ l.hidden = false }}"
    "for (const one of l.children) one.onclick = () => {{ document.title = one.textContent; l.hidden = true; "
    "if (s.matches('input')) s.value = one.textContent; else s.textContent = one.textContent }}</script>"
)


def test_a_longer_name_that_is_cut_off_is_not_the_chosen_one(page: Page) -> None:
    """The list shows the beginning of another one, and the site would be made there."""
    page.set_content(
        "<button id=s aria-haspopup=listbox onclick='opens()'>Widgets\u2026</button>"
        + CHOOSES.format("<li role=option>Widgets International</li><li role=option>Widgets</li>")
    )
    choose_from(page.locator("#s"), "Widgets", timeout=1)
    assert page.title() == "Widgets"


def test_what_lies_over_a_list_while_it_loads_is_waited_for(page: Page) -> None:
    """It is laid over it by what is around it, which does not open it."""
    page.set_content(
        "<style>#b { position: relative } .loads::after { content: ''; position: absolute; inset: 0 }</style>"
        "<div id=b class=loads><button id=s aria-haspopup=listbox onclick='opens()'>Choose</button></div>"
        + CHOOSES.format("<li role=option>Widgets</li>")
        + "<script>setTimeout(() => { b.className = '' }, 300)</script>"
    )
    choose_from(page.locator("#s"), "Widgets", timeout=1)
    assert page.title() == "Widgets"


def test_a_box_around_a_list_is_pressed_where_the_list_is(page: Page) -> None:
    """In its own middle stands what creates the site."""
    page.set_content(
        "<div style='width: 600px; display: flex' onclick='if (event.target === this) opens()'>"
        "<span id=s role=combobox aria-haspopup=listbox style='flex: 1; pointer-events: none'>Choose</span>"
        "<span style='flex: 1' onclick=\"document.title = 'created'\">Create Site</span><span style='flex: 1'></span></div>"
        + CHOOSES.format("<li role=option>Widgets</li>")
    )
    choose_from(page.locator("#s"), "Widgets", timeout=1)
    assert page.title() == "Widgets"


def test_a_box_may_repeat_all_that_the_chosen_entry_says(page: Page) -> None:
    """Its kind with it."""
    page.set_content(
        "<input id=s role=combobox onclick='opens()'>"
        + CHOOSES.format("<li role=option>Widgets <small>Pro</small></li>")
    )
    choose_from(page.locator("#s"), "Widgets", timeout=1)
    assert page.locator("#s").input_value() == "Widgets Pro"


@pytest.mark.usefixtures("impatient")
def test_entries_in_shadow_trees_that_cannot_be_told_are_said_not_to_be_offered(page: Page) -> None:
    """In a sentence, not in an error of the page."""
    page.set_content(
        "<input id=i role=combobox aria-controls=l><div role=listbox id=l><x-o role=option></x-o></div><script>"
        "customElements.define('x-o', class extends HTMLElement { constructor() { super();"
        " this.attachShadow({mode: 'open'}).innerHTML = '<span>Widgets</span> <small>Pro</small>' } })</script>"
    )
    with pytest.raises(Stuck, match='"Widgets" is not offered'):
        choose_from(page.locator("#i"), "Widgets", timeout=1)


def test_a_dialogue_is_not_closed_for_what_it_says_aloud(page: Page) -> None:
    """It may be at work, and a control below it has to wait."""
    page.set_content(
        "<button id=b>Create Site</button><div role=dialog id=d style='position: fixed; inset: 0; background: #eee'>"
        "<p role=status style='position: absolute; inset: 0'>Creating</p>"
        "<button style='position: relative' onclick='d.remove()'>Close</button></div>"
    )
    close_alert_over(page.locator("#b"))
    assert page.locator("#d").is_visible()


@pytest.mark.usefixtures("impatient")
def test_of_two_entries_that_are_said_to_be_the_name_and_more_none_is_chosen(page: Page) -> None:
    """Which of them is meant, a person has to say."""
    entries = "".join(f"<li role=option><span>Widgets</span> <span>{kind}</span></li>" for kind in ("Owner", "Guest"))
    page.set_content(f"<button id=b aria-haspopup=listbox>Choose</button><ul role=listbox>{entries}</ul>")
    with pytest.raises(Stuck, match='"Widgets" is not offered; offered are: "Widgets Owner", "Widgets Guest"'):
        choose_from(page.locator("#b"), "Widgets", timeout=1)


@pytest.mark.usefixtures("impatient")
def test_another_entry_s_value_in_the_box_is_not_the_chosen_one(page: Page) -> None:
    """A longer name holds the words, too."""
    page.set_content(
        "<input role=combobox id=box><ul role=listbox><li role=option onclick=\"box.value = 'Widgets Ltd.'\">Widgets</ul>"
    )
    with pytest.raises(Stuck, match="did not become chosen"):
        choose_from(page.locator("#box"), "Widgets", timeout=1)


COVERED_BOXES = {
    "by its label": "<div style='position: relative'>{0}<label for=box style='position: absolute; inset: 0'>Workspace</label></div>",
    "by the box around it": "<div onclick='l.hidden = false'><select hidden></select>{0}</div><style>#box {{ pointer-events: none }}</style>",
}
ENTRIES = (
    "<ul role=listbox id=l hidden><li role=option onclick=\"box.value = 'Widgets'; l.hidden = true\">Widgets</li></ul>"
)


@pytest.mark.parametrize("around", COVERED_BOXES.values(), ids=COVERED_BOXES.keys())
def test_a_list_is_opened_where_its_box_is_covered_by_what_is_its_own(page: Page, around: str) -> None:
    """As component libraries lay floating labels and selects; a reader presses what they see there."""
    page.set_content(around.format("<input id=box readonly role=combobox onclick='l.hidden = false'>") + ENTRIES)
    choose_from(page.locator("#box"), "Widgets", timeout=3)
    assert page.locator("#box").input_value() == "Widgets"


@pytest.mark.parametrize(
    "over",
    [
        "<div style='position: fixed; inset: 0'></div>",
        "<label style='position: fixed; inset: 0'>Another <input></label>",
    ],
)
def test_a_list_that_something_else_covers_is_not_opened(page: Page, over: str) -> None:
    """A reader could not either."""
    page.set_content(f"<input id=box readonly role=combobox onclick='l.hidden = false'>{ENTRIES}{over}")
    page.set_default_timeout(2000)
    with pytest.raises(PlaywrightError, match="intercepts pointer events"):
        choose_from(page.locator("#box"), "Widgets", timeout=2)


LETS_GO = {
    "of a closed list": "readonly aria-haspopup=listbox",
    "of a box to type into": "role=combobox",
}


@pytest.mark.parametrize("kind", LETS_GO.values(), ids=LETS_GO.keys())
def test_what_is_chosen_already_stays_chosen(page: Page, kind: str) -> None:
    """Where pressing the chosen entry takes it back, as some lists have it."""
    page.set_content(_lets_go(kind, chosen="Widgets"))
    choose_from(page.locator("[data-me]"), "Widgets", timeout=3)
    assert page.evaluate("[chosen, box.value]") == ["Widgets", "Widgets"]


@pytest.mark.parametrize("kind", LETS_GO.values(), ids=LETS_GO.keys())
def test_a_longer_name_that_is_chosen_already_is_another_one(page: Page, kind: str) -> None:
    """Such as the workspace that the page has chosen by itself."""
    page.set_content(_lets_go(kind, chosen="Widgets Ltd."))
    choose_from(page.locator("[data-me]"), "Widgets", timeout=3)
    assert page.evaluate("[chosen, box.value]") == ["Widgets", "Widgets"]


def test_words_that_already_stand_in_a_box_are_no_choice(page: Page) -> None:
    """They may have been typed there, and nothing chosen: its entry is pressed all the same."""
    page.set_content(_lets_go(LETS_GO["of a box to type into"], chosen="Widgets") + "<script>chosen = ''</script>")
    choose_from(page.locator("[data-me]"), "Widgets", timeout=3)
    assert page.evaluate("[chosen, box.value]") == ["Widgets", "Widgets"]


def _lets_go(kind: str, *, chosen: str) -> str:
    """A list of which the chosen entry is no longer chosen when it is pressed again."""
    return (
        f"<input data-me id=box {kind} value='{chosen}'><ul role=listbox id=l hidden><li role=option>Widgets Ltd.</li>"
        f"<li role=option>Widgets</li></ul><script>let chosen = '{chosen}'; box.onclick = () => {{ l.hidden = false; }};"
        "l.onclick = e => { const pressed = e.target.textContent; box.value = chosen = chosen === pressed ? '' : pressed;"
        " l.hidden = true; };</script>"
    )


@pytest.mark.parametrize("filters", ["includes", "startsWith"])
def test_an_entry_is_chosen_whatever_apostrophe_it_has(page: Page, filters: str) -> None:
    """A reader types the one of the keyboard; a list that filters by it would show nothing."""
    page.set_content(
        "<input role=combobox data-me><ul role=listbox id=l></ul><script>"
        "const box = document.querySelector('input'); box.oninput = () => {"
        f" l.innerHTML = ['Jo', 'O\u2019Brien & Sons'].filter(w => w.{filters}(box.value))"
        ".map(w => `<li role=option>${w}</li>`).join(''); };"
        "l.onclick = e => { box.value = e.target.textContent; l.innerHTML = ''; };</script>"
    )
    choose_from(page.locator("[data-me]"), "O'Brien & Sons", timeout=3)
    assert page.locator("[data-me]").input_value() == "O\u2019Brien & Sons"


def test_a_hyphen_is_typed_with_the_rest(page: Page) -> None:
    """A list that shows ten results would not show it for the words before the hyphen."""
    page.set_content(
        "<input role=combobox data-me><ul role=listbox id=l></ul><script>"
        "const all = [...Array(20).keys()].map(n => `Acme ${n}`).concat('Acme-Corp'), box = document.querySelector('input');"
        "box.oninput = () => { l.innerHTML = all.filter(w => w.startsWith(box.value)).slice(0, 10)"
        ".map(w => `<li role=option>${w}</li>`).join(''); };"
        "l.onclick = e => { box.value = e.target.textContent; l.innerHTML = ''; };</script>"
    )
    choose_from(page.locator("[data-me]"), "Acme-Corp", timeout=3)
    assert page.locator("[data-me]").input_value() == "Acme-Corp"


LIGATURE = "<span class=material-icons>{}</span>"


@pytest.mark.parametrize(
    "shown",
    [
        f"{LIGATURE.format('add')} Create Site",
        f"{LIGATURE.format('login')}<span>Create Site</span>",
        f"Create Site <i class='material-symbols-outlined'>{'launch'}</i>",
        "<svg role=img aria-labelledby=t><title id=t>plus icon</title></svg><span>Create Site</span>",
    ],
)
def test_a_sign_beside_the_words_may_be_a_word_to_programs(page: Page, shown: str) -> None:
    """Of an icon font, or as the title of what is drawn."""
    page.set_content(f"<button>{shown}</button>")
    assert control(page, "Create Site").is_visible()


@pytest.mark.parametrize(
    "shown",
    [
        "Add Sites",
        "<svg class=icon></svg>Add Sites",
        "<i class=icon></i>Add Sites",
        f"{LIGATURE.format('add')}Add Sites",
        f"{LIGATURE.format('close')}Sites",
        f"{LIGATURE.format('add')}More about Sites",
    ],
)
def test_a_word_is_a_sign_only_as_one(page: Page, shown: str) -> None:
    """Else it belongs to what the control is called."""
    page.set_content(f"<button>{shown}</button>")
    assert not control(page, "Sites").count()


def test_names_with_underscores_are_names(page: Page) -> None:
    """Only on the guide's controls a word with one may be an icon's."""
    page.set_content("<select data-me><option>Widgets do_not_use<option>Widgets</select>")
    choose_from(page.locator("[data-me]"), "Widgets", timeout=3)
    assert page.locator("[data-me]").input_value() == "Widgets"
    page.set_content("<button>Continue arrow_forward</button>")
    assert control(page, "Continue").is_visible()


def test_a_control_that_tells_of_something_else_is_not_the_guides(page: Page) -> None:
    """Its label says what it does, whatever it shows."""
    page.set_content("<button aria-label='Confirm deletion of old-site'>Confirm</button>")
    assert not control(page, "Confirm").is_visible()


APART = {
    "a file's": "<button onclick='this.dataset.on = 1'>Choose</button> a file",
    "a list's": "<button aria-haspopup=listbox onclick='this.dataset.on = 1'>Select</button>",
}


@pytest.mark.parametrize("other", APART.values(), ids=APART.keys())
def test_a_button_beside_tiles_is_not_taken_for_a_tiles(page: Page, other: str) -> None:
    """The tile is the choice."""
    tiles = "<button>Drupal</button><button id=right onclick='this.dataset.on = 1'>WordPress</button>"
    page.set_content(f"<div>{tiles}{other}</div>")
    choose(page, "WordPress", timeout=3)
    expect(page.locator("[data-on]")).to_have_id("right")


def test_a_card_with_a_heading_is_pressed(page: Page) -> None:
    """Its name is longer than the guide's words; the heading in it is those words."""
    page.set_content(
        "<h2>WordPress</h2>"
        "<div role=button tabindex=0 onclick='this.dataset.chosen=1'><h4>Drupal</h4><p>Move a Drupal site</p></div>"
        "<div role=button tabindex=0 onclick='this.dataset.chosen=1'><h4>WordPress</h4><p>Move a WordPress site</p></div>"
    )
    choose(page, "WordPress", timeout=3)
    expect(page.locator("[data-chosen]")).to_have_count(1)
    expect(page.locator("[data-chosen]")).to_contain_text("Move a WordPress site")


def test_a_button_that_sends_the_choice_is_not_taken_for_it(page: Page) -> None:
    """What holds radio buttons may end with Select."""
    page.set_content(
        "<section><label><input type=radio name=cms> Drupal</label><label><input type=radio name=cms> WordPress</label>"
        "<button onclick='this.dataset.pressed = 1'>Select</button></section>"
    )
    choose(page, "WordPress", timeout=3)
    expect(page.get_by_role("radio", name="WordPress")).to_be_checked()
    expect(page.locator("[data-pressed]")).to_have_count(0)


def test_a_button_of_no_card_of_its_own_is_not_taken_for_a_choices(page: Page) -> None:
    """Where several stand beside the words it cannot be told which is theirs: the words are pressed."""
    page.set_content("<div><i>Drupal</i><button>Select</button><i>WordPress</i><button>Select</button></div>")
    assert choice(page, "WordPress", timeout=3).inner_text() == "WordPress"


def test_own_words_are_found_whatever_apostrophe_they_have(page: Page) -> None:
    """Beside what stands in an element of its own."""
    page.set_content("<p>O\u2019Brien<small>professional</small></p>")
    expect(saying(page, "O'Brien")).to_have_count(1)


def test_the_forms_own_button_sends_it(page: Page) -> None:
    """A tab and a link with a better name stand before it."""
    page.set_content(
        "<div><ul><li role=tab>Log In</li></ul><a href='#other'>Log in</a><form onsubmit='sent.hidden=false;return false'>"
        "<input type=password><button>Continue</button></form></div><p id=sent hidden>Sent</p>"
    )
    press_send(page.locator("input"), "Log in", "Continue")
    expect(page.get_by_text("Sent")).to_be_visible()


def test_a_form_with_two_that_send_it_is_sent_by_the_better_name(page: Page) -> None:
    """The other one may go on as a guest."""
    sends = "onsubmit='sent.textContent = event.submitter.textContent; return false'"
    page.set_content(
        f"<form {sends}><input type=password><button>Continue</button><button>Log in</button></form><p id=sent></p>"
    )
    press_send(page.locator("input"), "Log in", "Continue")
    expect(page.locator("#sent")).to_have_text("Log in")


def test_a_form_is_sent_that_has_another_with_such_a_field_below_it(page: Page) -> None:
    """The field may be told as one of several: it is the form around it that counts."""
    sends = "onsubmit='sent.textContent = this.id; return false'"
    page.set_content(
        f"<form id=own {sends}><input type=email><button>Continue</button></form>"
        f"<form id=news {sends}><input type=email><button>Continue</button></form><p id=sent></p>"
    )
    press_send(page.locator("input").all()[0], "Log in", "Continue")
    expect(page.locator("#sent")).to_have_text("own")


def test_what_holds_a_control_of_a_panel_is_told(page: Page) -> None:
    """Also where field and control are in shadow trees of their own: what lies over the control may be closed then."""
    page.goto("about:blank")
    html = f"<div><x-box>{shadow('<input>')}</x-box><x-button>{shadow(CONTINUE)}</x-button></div>"
    page.evaluate("html => document.body.setHTMLUnsafe(html)", f"<div role=dialog>{html}</div><div role=dialog></div>")
    form = panel(page, page.get_by_role("textbox"), controls(page, "Continue"))
    held = within(controls(page, "Continue"), form).first
    expect(page.get_by_role("dialog").filter(has=held)).to_have_count(1)


def test_news_are_closed_although_they_offer_to_continue(page: Page) -> None:
    """A what's-new dialogue may have a button named like one of the guide's; a dialogue of the work is kept."""
    closed: list[str] = []
    dismiss_interruptions(page, closed.append, never=["Continue", "Create Site"], keep=re.compile("migration"))
    news = "<div role=dialog id=d><h2>What's new</h2><button>Continue</button><button onclick='d.remove()'>Close</button></div>"
    page.set_content(f"<button id=under>Under</button>{news}")
    page.locator("#under").click(timeout=3000)
    assert closed == ['a dialogue, closed with "Close"']
    page.set_content(f"<button id=under>Under</button>{news.replace('new<', 'new in the migration<')}")
    page.locator("#under").click(timeout=3000)
    assert closed == ['a dialogue, closed with "Close"']


@pytest.mark.parametrize(
    ("line", "says_no"),
    [
        ("That name is already taken.", True),
        ("Creating your site failed: the name is invalid.", True),
        ("Creating your site. You must keep this page open.", False),
        ("You must choose a name.", True),
        ("Enter a valid URL.", True),
        ("Welcome back", False),
    ],
)
def test_a_line_that_asks_for_patience_is_no_refusal(line: str, says_no: bool) -> None:
    """Words such as "must" refuse only where nothing is going on."""
    assert refuses(line) is says_no


def test_a_box_of_no_size_is_ticked_by_its_label(page: Page) -> None:
    """At its beginning, so that a link in its middle is not followed."""
    page.set_content(
        "<label><input type=checkbox style='appearance:none;width:0;height:0;position:absolute'>"
        "I agree to the <a href='https://terms.example/'>Terms</a></label>"
    )
    tick(page.locator("input"))
    assert page.locator("input").is_checked()
    assert "terms" not in page.url


@pytest.mark.parametrize(
    ("url", "other", "same"),
    [
        ("https://login.hosting.net/x", "https://dashboard.hosting.net", True),
        ("https://hosting.co.uk", "https://login.hosting.co.uk", True),
        ("https://login.ibm.io", "https://dash.ibm.io", True),
        ("http://127.0.0.1:5001", "http://127.0.0.1:5000", True),
        ("https://login.example", "https://dashboard.example", True),
        ("https://evil.co.uk", "https://hosting.co.uk", False),
        ("https://evil.github.io", "https://hosting.github.io", False),
        ("https://a.asso.fr", "https://b.asso.fr", False),
        ("https://hosting.net.evil.com", "https://hosting.net", False),
        ("http://127.0.0.1:5001", "http://127.0.0.2:5000", False),
        ("about:blank", "https://hosting.net", False),
    ],
)
def test_one_owner_s_hosts_are_one_site(url: str, other: str, *, same: bool) -> None:
    """By the public suffix list: what anybody can register is nobody's domain."""
    assert same_site(url, other) == same
