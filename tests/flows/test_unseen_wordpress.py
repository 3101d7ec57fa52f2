"""WordPress as its plugins may have changed it: pages made from what they do, not from our sandbox."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from flows.wordpress_migration.pages.migration_service import MigrationService
from flows.wordpress_migration.pages.wp_admin import SLUG, WpAdmin
from flows.wordpress_migration.settings import MigrationSettings
from runner.controls import set_default_timeout
from runner.errors import NeedsPerson, Stuck

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser

SETTINGS = {
    "PANTHEON_EMAIL": "jo@example.com",
    "PANTHEON_PASSWORD": "never asked for here",
    "SOURCE_SITE_URL": "https://source.example",
    "WP_ADMIN_USERNAME": "admin",
    "WP_ADMIN_PASSWORD": "another horse battery",
    "NEW_SITE_NAME": "Writing Widgets",
    "PAGE_TIMEOUT": "3s",
}
SENT = "log=admin&pwd=another+horse+battery"
FIELDS = "<input id=user_login name=log><input id=user_pass type=password name=pwd>"
LOG_IN = "<input type=submit id=wp-submit value='Log In'>"
ADMIN = "<body class=wp-admin><h1>Dashboard</h1>"


@pytest.fixture
def wordpress(page: Page) -> Callable[..., tuple[WpAdmin, list[str]]]:
    """A WordPress with this sign-in page, that shows this page to who has just signed in; returns what it was sent."""

    def serve(sign_in: str, then: str = ADMIN, wp_admin: str = ADMIN) -> tuple[WpAdmin, list[str]]:
        sent: list[str] = []

        def answer(route: Route) -> None:
            posted = route.request.method == "POST"
            if posted:
                sent.append(route.request.post_data or "")
            body = then if posted else wp_admin if sent else sign_in
            route.fulfill(content_type="text/html; charset=utf-8", body=f"<!doctype html>{body}")

        settings = MigrationSettings.load(SETTINGS)
        set_default_timeout(page.context, settings.page_timeout)
        page.route("**/*", answer)
        page.goto("https://source.example/blog/wp-login.php")
        return WpAdmin(page, settings, say=lambda _: None), sent

    return serve


def form(fields: str, name: str = "id=loginform") -> str:
    """A sign-in page of WordPress with this form."""
    return f"<body class='login wp-core-ui'><form {name} method=post>{fields}</form>"


ELSEWHERE = {
    "the site": "<body class='home logged-in'><h1>Welcome back</h1>",
    "an account's page with the bar of who has signed in": "<body><h1>My account</h1><div id=wpadminbar>Howdy</div>",
    "a plugin's own page in place of wp-admin": "<body class='wc-setup wp-core-ui'><h1>Set up your shop</h1>",
}


@pytest.mark.parametrize("then", ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_from_where_a_plugin_leads_after_the_sign_in_wp_admin_is_opened(
    wordpress: Callable[..., tuple[WpAdmin, list[str]]], then: str
) -> None:
    """By its address, in the folder where WordPress is; at once, not when the patience is over."""
    wp_admin, sent = wordpress(form(FIELDS + LOG_IN), then)
    wp_admin.sign_in()
    expect(wp_admin.page.locator("body.wp-admin")).to_be_visible()
    assert wp_admin.page.url == "https://source.example/blog/wp-admin/"
    assert sent == [SENT]


def test_who_is_never_let_into_wp_admin_is_told_so(wordpress: Callable[..., tuple[WpAdmin, list[str]]]) -> None:
    """As plugins for shops do with their customers: the address is right, the user is not."""
    front = ELSEWHERE["the site"]
    wp_admin, _ = wordpress(form(FIELDS + LOG_IN), front, front)
    with pytest.raises(
        Stuck,
        match=r"leads admin to .* in place of wp-admin\. Check what admin may do there; the page says .Welcome back",
    ):
        wp_admin.sign_in()


def test_a_form_that_is_none_of_wordpresss_gets_no_password(
    wordpress: Callable[..., tuple[WpAdmin, list[str]]],
) -> None:
    """Such as that of a portal elsewhere, in the header of a page that a plugin shows in place of the sign-in."""
    portal = (
        "<form method=post action='https://portal.example/'><input name=username><input type=password name=password>"
    )
    wp_admin, sent = wordpress(f"<body class=home><header>{portal}<button>Log In</button></form></header>")
    with pytest.raises(Stuck, match="a person has to sign in"):
        wp_admin.sign_in()
    assert sent == []


AGREE = "<label><input type=checkbox name=gdpr required>I agree to the privacy policy</label>"
NEWS = "<label><input type=checkbox name=news>Send me news and offers</label>"
SSO = (
    "<div id=sso>{}</div><style>#loginform > p {{ display: none }} :target > p {{ display: block !important }}</style>"
)
SIGN_INS = {
    "a theme's own form": (form(f"{FIELDS}<button>Enter</button>", "class=account"), SENT),
    "a shop's own form beside one to register": (
        (
            "<body class=woocommerce-account><form class=register method=post><input name=username><input type=email name=email>"
            "<input type=password name=password><button name=register>Register</button></form><form class='woocommerce-form woocommerce-form-login' method=post>"
            "<input name=username><input type=password name=password><button>Log in</button></form>"
        ),
        "username=admin&password=another+horse+battery",
    ),
    "the user name first": (
        form(
            "<div id=one><input id=user_login name=log><button type=button onclick='one.hidden = true; two.hidden = false'>"
            f"Continue</button></div><div id=two hidden><input id=user_pass type=password name=pwd>{LOG_IN}</div>"
        ),
        SENT,
    ),
    "something to agree to": (form(f"{FIELDS}{AGREE}{NEWS}{LOG_IN}"), f"{SENT}&gdpr=on"),
    "another way to sign in, which comes first": (form(f"<button name=google>Google</button>{FIELDS}{LOG_IN}"), SENT),
    "a theme's own form with another way to sign in, which comes first": (
        form(f"<button name=google>Continue with Google</button>{FIELDS}<button>Log In</button>", "class=account"),
        SENT,
    ),
    "a field that is folded away": (
        form(
            f"{FIELDS}<div hidden><input name=pin required></div><input type=submit id=wp-submit value='Log In'"
            " onclick='this.form.pin.disabled = true'>"
        ),
        SENT,
    ),
    "Jetpack's sign-in first": (
        form(
            SSO.format("<a href='?jetpack-sso-show-default-form=1#loginform'>Mit Passwort</a>")
            + f"<p>{FIELDS}{LOG_IN}</p>"
        ),
        SENT,
    ),
    "another account's sign-in first": (
        form(SSO.format("<a href='#loginform'>Log in with username and password</a>") + f"<p>{FIELDS}{LOG_IN}</p>"),
        SENT,
    ),
}


@pytest.mark.parametrize(("sign_in", "sent"), SIGN_INS.values(), ids=SIGN_INS.keys())
def test_a_sign_in_page_that_a_plugin_has_changed(
    wordpress: Callable[..., tuple[WpAdmin, list[str]]], sign_in: str, sent: str
) -> None:
    """Is used as a reader would: nothing else is ticked, and nobody else's sign-in pressed."""
    wp_admin, seen = wordpress(sign_in)
    wp_admin.sign_in()
    expect(wp_admin.page.locator("body.wp-admin")).to_be_visible()
    assert seen == [sent]


def test_what_the_sign_in_form_asks_for_beside_the_password_is_named(
    wordpress: Callable[..., tuple[WpAdmin, list[str]]],
) -> None:
    """And how a person can sign in, without anything having been sent."""
    wp_admin, sent = wordpress(form(f"{FIELDS}<label>3 + 4 =<input name=sum required></label>{LOG_IN}"))
    with pytest.raises(NeedsPerson, match=r'asks for 3 \+ 4 = too: .*"guiderunner login wp-admin"'):
        wp_admin.sign_in()
    assert sent == []


def test_a_captcha_is_not_taken_for_a_wrong_password(wordpress: Callable[..., tuple[WpAdmin, list[str]]]) -> None:
    """The settings are right: only a person can go on."""
    refusal = "<div id=login_error>Error: reCAPTCHA verification failed.</div>"
    wp_admin, _ = wordpress(form(FIELDS + LOG_IN), refusal + form(FIELDS + LOG_IN))
    with pytest.raises(NeedsPerson, match=r'verification failed". A person has to sign in, with "guiderunner login'):
        wp_admin.sign_in()


# -- installation --------------------------------------------------------------------------------------------------

OFFERED = f"""<div class='plugin-card plugin-card-{SLUG}'><a class='button install-now' href=#>Install Now</a></div><script>
document.querySelector('.install-now').onclick = async event => {{
    event.preventDefault();
    const answer = await (await fetch('/wp-admin/admin-ajax.php', {{method: 'POST'}})).text();
    if (answer === 'installed') event.target.className = 'button activate-now';
    else event.target.parentNode.insertAdjacentHTML('beforeend', `<div class=notice-error><p>${{answer}}</p></div>`);
}};</script>"""
INSTALLED = f"<div class='plugin-card plugin-card-{SLUG}'><a class='button activate-now' href=#>Activate</a></div>"
INSTALLS = {
    "at the second try": (["An error has occurred. Please reload the page and try again.", "installed"], 2),
    "although the answer was lost": (["Something went wrong."], 1),
}


@pytest.mark.parametrize(("answers", "times"), INSTALLS.values(), ids=INSTALLS.keys())
def test_a_failure_of_the_installation_is_looked_at_as_after_loading_the_page_again(
    page: Page, answers: list[str], times: int
) -> None:
    """It is pressed again only if the plugin is not installed then."""
    asked: list[str] = []

    def answer(route: Route) -> None:
        if "ajax" in route.request.url:
            asked.append(answers[len(asked)])
            route.fulfill(body=asked[-1])
        else:
            lost = asked and len(asked) == len(answers)
            route.fulfill(content_type="text/html", body=f"<!doctype html>{ADMIN}{INSTALLED if lost else OFFERED}")

    wp_admin = admin_that_answers(page, answer)
    wp_admin.install_plugin()
    assert wp_admin.plugin_button.get_attribute("class") == "button activate-now"
    assert len(asked) == times


def test_what_fails_twice_is_said(page: Page) -> None:
    """In WordPress's words of the second time, and with what to do."""
    told = ["Could not create directory.", "The disk is full."]

    def answer(route: Route) -> None:
        body = told.pop(0) if "ajax" in route.request.url else f"<!doctype html>{ADMIN}{OFFERED}"
        route.fulfill(content_type="text/html", body=body)

    with pytest.raises(Stuck, match=r'could not install the plugin: "The disk is full"\. Find out why'):
        admin_that_answers(page, answer).install_plugin()


def test_a_plugin_that_is_active_although_wordpress_says_no_is_not_activated_again(page: Page) -> None:
    """The answer was lost: the list of plugins tells."""
    pressed = (
        f"<div class='plugin-card plugin-card-{SLUG}'><a class='button activate-now' href=# onclick=\"this.parentNode"
        ".insertAdjacentHTML('beforeend', '<div class=notice-error><p>Something went wrong</p></div>')\">Activate</a></div>"
    )

    def answer(route: Route) -> None:
        body = ACTIVE if "plugins.php" in route.request.url else ADMIN + pressed
        route.fulfill(content_type="text/html", body=f"<!doctype html>{body}")

    wp_admin = admin_that_answers(page, answer)
    wp_admin.activate_plugin()
    assert page.url.endswith("/wp-admin/plugins.php")


def test_a_search_that_the_directory_does_not_answer_is_done_once_more(page: Page) -> None:
    """As with "Try Again", where it has been asked too often."""
    error = "<div class=error><p>An unexpected error occurred.</p><button class=try-again>Try Again</button></div>"
    loads: list[str] = []

    def answer(route: Route) -> None:
        loads.append(route.request.url)
        body = error if len(loads) == 2 else OFFERED
        route.fulfill(content_type="text/html", body=f"<!doctype html>{ADMIN}{body}")

    admin_that_answers(page, answer).search_plugin("pantheon migrations")
    assert [url.rpartition("/")[2].partition("?")[0] for url in loads] == ["plugin-install.php"] * 3


OFFERS_OVER = {
    "to dismiss": "<button aria-label=Dismiss onclick='this.parentNode.remove()'>&times;</button>",
    "for later": "<a href=https://reviews.example/>Sure</a><a href=# onclick='this.parentNode.remove()'>Maybe later</a>",
}


@pytest.mark.parametrize("way", OFFERS_OVER.values(), ids=OFFERS_OVER.keys())
def test_another_plugins_offer_over_wp_admin_is_left(page: Page, way: str) -> None:
    """It has no role; nothing but what leaves it is pressed."""
    offer = f"<div style='position:fixed;inset:0;background:#fff'><h2>Enjoying Forms?</h2>{way}</div>"

    def answer(route: Route) -> None:
        body = "installed" if "ajax" in route.request.url else f"<!doctype html>{ADMIN}{OFFERED}{offer}"
        route.fulfill(content_type="text/html", body=body)

    wp_admin = admin_that_answers(page, answer)
    wp_admin.install_plugin()
    assert page.url.startswith("https://source.example/")
    assert wp_admin.plugin_button.get_attribute("class") == "button activate-now"


def admin_that_answers(page: Page, answer: Callable[[Route], None]) -> WpAdmin:
    """The page of an administrator who has signed in, of a WordPress that answers like this."""
    settings = MigrationSettings.load({**SETTINGS, "PAGE_TIMEOUT": "5s"})
    set_default_timeout(page.context, settings.page_timeout)
    page.route("**/*", answer)
    page.goto("https://source.example/wp-admin/plugin-install.php")
    return WpAdmin(page, settings, say=lambda _: None)


# -- activation ---------------------------------------------------------------------------------------------------

CARD = f"<div class='plugin-card plugin-card-{SLUG}'><a class='button activate-now' href='/wp-admin/plugins.php?action=activate'>Activate</a></div>"
ACTIVE = f"<body class=wp-admin><table><tr data-plugin='{SLUG}/pantheon.php'><td class=deactivate><a href=#>Deactivate</a></table>"
AFTERWARDS = {
    "an empty page": "",
    "the sign-in form again": form(FIELDS + LOG_IN),
    "a plugin's page": "<h1>Set up</h1>",
}


@pytest.mark.parametrize("shown", AFTERWARDS.values(), ids=AFTERWARDS.keys())
def test_whatever_comes_of_activating_the_list_of_plugins_tells_whether_it_is_active(page: Page, shown: str) -> None:
    """At once, and after signing in again where a plugin has ended the session."""
    done: list[str] = []

    def answer(route: Route) -> None:
        done.append("activate" if route.request.url.endswith("activate") else route.request.method)
        signed_out = "loginform" in shown and "activate" in done and "POST" not in done
        listed = ACTIVE if "plugins.php" in route.request.url else ADMIN + CARD
        body = shown if signed_out or done[-1] == "activate" else listed
        route.fulfill(content_type="text/html; charset=utf-8", body=f"<!doctype html>{body}")

    settings = MigrationSettings.load({**SETTINGS, "PAGE_TIMEOUT": "20s"})
    set_default_timeout(page.context, settings.page_timeout)
    page.route("**/*", answer)
    page.goto("https://source.example/wp-admin/plugin-install.php")
    began = time.monotonic()
    WpAdmin(page, settings, say=lambda _: None).activate_plugin()
    expect(page.get_by_text("Deactivate")).to_be_visible()
    assert time.monotonic() - began < settings.page_timeout


# -- what lies over wp-admin --------------------------------------------------------------------------------------

OVER = {
    "a pointer": "<div class='wp-pointer x'><h3>Neu!</h3><div class=wp-pointer-buttons><a class=close href=#>Verwerfen</a></div></div>",
    "a window": "<div id=TB_window class=x><button id=TB_closeWindowButton>Fenster zu</button>Nachrichten</div>",
    "a session that has expired": "<div id=wp-auth-check-wrap class=x><button class=wp-auth-check-close>Dialog zu</button><iframe></iframe></div>",
}


@pytest.mark.parametrize("over", OVER.values(), ids=OVER.keys())
def test_what_wordpress_lays_over_its_pages_is_closed_in_any_language(page: Page, over: str) -> None:
    """None of them has a role; all are known by WordPress's own ids and classes."""
    MigrationService(page, MigrationSettings.load(SETTINGS), say=lambda _: None)
    page.set_content(
        f"<style>.x{{position:fixed;inset:0;background:#fff}}</style><button onclick='this.textContent=\"Done\"'>Go</button>{over}"
        "<script>document.querySelector('.x :is(a, button)').onclick = () => document.querySelector('.x').remove()</script>"
    )
    page.get_by_role("button", name="Go").click(timeout=3000)
    expect(page.get_by_text("Done")).to_be_visible()
