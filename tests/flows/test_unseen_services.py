"""The plugin's form and the service's pages as they may be: made from the known facts, not from our stand-ins."""

from __future__ import annotations

import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from flows.wordpress_migration.pages import migration_service
from flows.wordpress_migration.pages.migration_form import MigrationForm
from flows.wordpress_migration.pages.migration_service import MigrationService
from flows.wordpress_migration.settings import MigrationSettings
from runner.errors import Question, Stuck, Undone
from runner.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser

MIGRATION = "https://service.example/migration/4f2a"
TOKEN = Secret("Zx9-Kq_2f7Tb1mWv8LrY0sHd4Np6Ge3Uc5Ja-Xi7oQz9", "machine token")
SETTINGS = {
    "PANTHEON_EMAIL": "jo@example.com",
    "PANTHEON_PASSWORD": "never asked for here",
    "SOURCE_SITE_URL": "https://source.example",
    "WP_ADMIN_USERNAME": "admin",
    "WP_ADMIN_PASSWORD": "never asked for here either",
    "NEW_SITE_NAME": "Writing Widgets",
    "PAGE_TIMEOUT": "3s",
}
RUNNING = "<!doctype html><h1>Migrating your site</h1><div role=progressbar aria-valuenow=40>40%</div>"


@pytest.fixture
def follow(page: Page, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Follow a migration whose page answers like this at each load (the last answer for ever); returns what was said."""
    monkeypatch.setattr(migration_service, "SLICE", 0.2)
    monkeypatch.setattr(migration_service, "STANDS", 0.4)
    monkeypatch.setattr(migration_service, "TROUBLE_PAUSE", 0.2)

    def run(*answers: str | int, seconds: float = 15, answered: str = "") -> list[str]:
        left = list(answers)

        def answer(route: Route) -> None:
            now = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(now, int):
                route.fulfill(status=now, content_type="text/html; charset=utf-8", body=f"<h1>{now} Something</h1>")
            else:
                route.fulfill(content_type="text/html; charset=utf-8", body=now)

        page.route("https://service.example/**", answer)
        page.route(
            re.compile("https://chat.example/|/inner$"),
            lambda route: route.fulfill(content_type="text/html", body=ELSEWHERE),
        )
        said: list[str] = []
        service = MigrationService(page, MigrationSettings.load(SETTINGS), say=said.append)
        page.goto(MIGRATION)
        if not service.watch(seconds, answered=answered):
            said.append("still under way")
        return said

    return run


ELSEWHERE = "<h1>Migration completed successfully</h1><p>Said Jo of Example Ltd.</p>"

HEALTHY = {
    "what must not be done": "<div role=alert>You must not change your site while the migration runs.</div>",
    "what cannot be done": "<div role=alert>The migration cannot be paused. You can close this window.</div>",
    "a count of none": "<h2>Files copied: 120, failed: 0</h2>",
    "a count of none in a list": "<dl><dt>Failed<dd>0</dl>",
    "a question": "<h3>What happens if the migration fails?</h3><p>It picks up where it left off.</p>",
    "an e-mail to come": "<p>You will be informed by e-mail if the migration has failed.</p>",
    "a retry": "<div role=alert>Could not copy 3 files, retrying…</div>",
    "the words in a sentence": "<p>You will receive an e-mail once the migration completed successfully.</p>",
    "the words quoted": '<p>Once completed, this page says "Migration completed successfully".</p>',
    "the words as the last of the steps": "<ol><li>Validate<li>Copy<li>Migration completed successfully</ol>",
    "the words in a table of earlier ones": "<table><tr><td>Migration completed successfully</table>",
    "the words of a part": "<h3>Database migration completed successfully</h3>",
    "an earlier attempt": "<div role=alert>Your previous migration failed on 12 Nov: the disk was full.</div>",
    "the last attempt": "<h4>Last attempt: Migration failed (timed out)</h4>",
    "a history of failures": "<section><h2>Migration history</h2><h3>12 Nov: Migration failed</h3></section>",
    "what is looked for": "<div role=alert>Verifying that the token has not expired</div><p>Failed checks: none</p>",
    "the words unseen": "<h4 style='opacity:0'>Migration completed successfully</h4>",
    "the words while a bar is on its way": "<h4>Migration completed successfully</h4>",
}


@pytest.mark.parametrize("html", HEALTHY.values(), ids=HEALTHY.keys())
def test_a_migration_that_runs_is_neither_failed_nor_complete(follow: Callable[..., list[str]], html: str) -> None:
    """It is watched until the time is over, and its progress is told."""
    said = follow(RUNNING + html, seconds=1.5)
    assert said[-1] == "still under way"
    assert any("40" in words for words in said)


UNSEEN = {
    "folded to nothing": "<div style='height:0;overflow:hidden'><h4>Migration completed successfully</h4></div>",
    "off the page's edge": "<h4 style='position:absolute;left:-9999px'>Migration completed successfully</h4>",
    "in another host's frame": "<iframe src='https://chat.example/' height=90></iframe>",
    "in a frame that has not come": "<p style='height:5000px'></p><iframe loading=lazy src=/inner></iframe>"
    "<script>setTimeout(() => { document.querySelector('iframe').loading = 'eager'; }, 10000)</script>",
}


DONE = "<div>Migration completed successfully</div>"
OF_OTHERS = {
    "in a sidebar": f"<aside><h3>Recent migrations</h3><div><b>blog.example</b>{DONE}</div></aside>",
    "in a list of earlier ones": f"<section><h3>Recent activity</h3>{DONE}<small>blog.example, 3 days ago</small></section>",
    "of the previous one": "<dl><dt>Previous migration<dd>Migration completed successfully</dl>",
    "by somebody else": "<blockquote>Migration completed successfully!</blockquote>",
}
IN_PART = {
    "with errors": "<h2>Migration completed successfully, with 12 errors</h2>",
    "of the database": "<h3>Migration completed successfully (database)</h3>",
    "of one table": "<h3>Migration completed successfully - 1 of 3 tables</h3>",
    "as an announcement": "<p>Migration completed successfully, this message will appear when done</p>",
}
TO_COME = {
    "after the step that is active": "<div><div class='step done'>Validate</div><div class='step active'>Copy</div>"
    "<div class=step>Migration completed successfully</div></div>",
    "after the current step": "<div><span aria-current=step>Copy</span><span>Migration completed successfully</span></div>",
}


NOT_THIS_ONE = OF_OTHERS | IN_PART | TO_COME


@pytest.mark.parametrize("html", NOT_THIS_ONE.values(), ids=NOT_THIS_ONE.keys())
def test_neither_another_migration_nor_a_step_to_come_completes_this_one(
    follow: Callable[..., list[str]], html: str
) -> None:
    """A reader sees from what stands above the words, or before them, what they are about."""
    assert follow(f"<!doctype html><h1>Migrating your site</h1>{html}", seconds=1.5)[-1] == "still under way"


def test_a_way_to_try_again_that_is_not_offered_yet_is_no_failure(follow: Callable[..., list[str]]) -> None:
    """Its button stands there all the time, and can be pressed only then."""
    said = follow("<!doctype html><h1>Migrating your site</h1><button disabled>Retry</button>", seconds=1.5)
    assert said[-1] == "still under way"


@pytest.mark.parametrize("html", UNSEEN.values(), ids=UNSEEN.keys())
def test_what_no_reader_sees_completes_nothing(follow: Callable[..., list[str]], html: str) -> None:
    """The page has the words ready, or somebody else says them."""
    assert follow(f"<!doctype html><h1>Migrating: 40 %</h1>{html}", seconds=1.5)[-1] == "still under way"


COMPLETED = {
    "plain": "<h1>Migration completed successfully</h1>",
    "with more": "<div>Migration completed successfully! Your site is ready.</div>",
    "broken in two": "<h1>Migration<br>completed successfully</h1>",
    "in a dialogue": "<h1>Migrating</h1><div role=dialog><h2>Migration completed successfully</h2><button>OK</button></div>",
    "in a frame": "<h1>Migrating</h1><iframe srcdoc='<h2>Migration completed successfully</h2>'></iframe>",
    "in a window inside of nothing": "<div style='height:0;overflow:hidden'><div role=dialog style='position:fixed;inset:9px'>"
    "<h2>Migration completed successfully</h2></div></div>",
    "worded a little otherwise": "<h1>Your migration has been completed successfully</h1>",
    "with warnings": "<h1>Migration completed successfully with 2 warnings</h1>",
    "with how long it took": "<h1>Migration completed successfully in 12 minutes</h1>",
    "as a status": "<p>Status: Migration completed successfully</p>",
    "after the others": "<aside><h3>Recent migrations</h3><p>blog.example</p></aside><h1>Migration completed successfully</h1>",
    "after what was active": "<p class='tab active'>Overview</p><h1>Migration completed successfully</h1>",
    "after a view that is hidden": "<h2 style='display:none'>Migrating...</h2><h2>Migration completed successfully</h2>",
    "as a log's last line": "<p>Copying files…</p><p>Importing database…</p><p>Migration completed successfully</p>",
    "where all steps are lit": "<div class='step active'>Copy</div><div class='step active'>Migration completed successfully</div>",
    "below breadcrumbs": "<div><a aria-current=page>Migration</a><h2>Migration completed successfully</h2></div>",
    "under a title of its own": "<h1>Migration activity</h1><h2>Migration completed successfully</h2>",
    "beside a way to the history": "<div><button>View history</button><p>Migration completed successfully</p></div>",
    "after a list of earlier ones": "<h3>Past migrations</h3><ul><li>blog.example</ul><div><p>Migration completed successfully</p></div>",
    "beside a full bar": "<div role=progressbar aria-valuenow=100></div><h2>Migration completed successfully</h2>",
}


@pytest.mark.parametrize("html", COMPLETED.values(), ids=COMPLETED.keys())
def test_the_completion_is_seen(follow: Callable[..., list[str]], html: str) -> None:
    """As it may be written, where it may stand; and no dialogue that tells it is closed."""
    said = follow(f"<!doctype html>{html}")
    assert "still under way" not in said
    assert not [words for words in said if "closed" in words]


FAILED = {
    "beside an earlier one": ("<h1>Migration failed: an earlier migration is still running</h1>", "is still running"),
    "with advice": ("<h1>Migration failed. Your previous run was kept</h1>", "Migration failed"),
    "under a title of its own": ("<h1>Migration activity</h1><h2>Migration failed</h2>", "Migration failed"),
    "a heading": ("<h1>Migration failed</h1><p>The disk is full.</p>", "Migration failed: The disk is full"),
    "a dialogue": (
        f"{RUNNING}<div role=dialog><h2>Migration failed</h2><p>The disk is full.</p><button>Close</button></div>",
        "Migration failed: The disk is full",
    ),
    "with errors": ("<h1>Migration completed with errors</h1>", "completed with errors"),
    "timed out": ("<h1>Migration timed out</h1><button>Resume</button>", "Migration timed out"),
}


@pytest.mark.parametrize(("answer", "sentence"), FAILED.values(), ids=FAILED.keys())
def test_a_failure_is_said_in_the_pages_words(follow: Callable[..., list[str]], answer: str, sentence: str) -> None:
    """It has stood for a while: the migration can be started again."""
    with pytest.raises(Undone, match=rf"the migration failed; the service says .*{sentence}"):
        follow(answer)


DOUBTFUL = {
    "only a way to try again": (
        "<h1>Writing Widgets</h1><div>We ran out of space.</div><button>Retry</button>",
        r"Writing Widgets \(Retry\)",
    ),
    "a page that has lost its way": ("<h1>Page not found</h1>", "Page not found"),
    "only warnings": (
        "<h1>Migration completed with warnings</h1><p>2 files were skipped.</p>",
        "completed with warnings",
    ),
    "not successfully": ("<h1>Migration not completed successfully</h1>", "not completed successfully"),
    "a status": ("<h1>Writing Widgets</h1><p>Status: Failed</p>", "Status: Failed"),
    "an error without a name": ("<h1>Something went wrong</h1>", "Something went wrong"),
}


@pytest.mark.parametrize(("answer", "sentence"), DOUBTFUL.values(), ids=DOUBTFUL.keys())
def test_what_may_be_a_fault_of_the_page_is_asked_about(
    follow: Callable[..., list[str]], answer: str, sentence: str
) -> None:
    """The migration may go on all the same: it must not be started a second time without anybody having looked."""
    with pytest.raises(Question, match=rf"may have failed: the service says .*{sentence}") as caught:
        follow(answer)
    assert caught.value.fact == "migration_page"


@pytest.mark.parametrize("name", ["only warnings", "an error without a name"])
def test_what_a_person_has_looked_at_is_not_asked_about_again(follow: Callable[..., list[str]], name: str) -> None:
    """The page still says it: the migration goes on, or is complete if the page says so with reservations."""
    answer, sentence = DOUBTFUL[name]
    with pytest.raises(Question, match=sentence) as asked:
        follow(answer)
    said = follow(answer, seconds=2, answered=str(asked.value))
    assert ("still under way" in said) == (name != "only warnings")
    with pytest.raises(Question, match="Page not found"):
        follow("<h1>Page not found</h1>", answered=str(asked.value))


@pytest.mark.parametrize("status", [502, 503, 429, 403, 404])
def test_an_error_of_the_server_is_waited_out(follow: Callable[..., list[str]], status: int) -> None:
    """The page is loaded again until it is there; the migration goes on meanwhile."""
    said = follow(status, status, "<h1>Migration completed successfully</h1>")
    assert said[-1] != "still under way"
    assert [words for words in said if f"answered {status}; loading its page again" in words]


SIGN_IN = "<h1>Welcome</h1><form>E-mail <input><input type=password><button>Log in</button></form>"


def test_from_a_sign_in_the_migrations_own_page_is_gone_back_to(
    follow: Callable[..., list[str]], page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service's session has ended for a while: its sign-in is not taken for the page to load again."""
    monkeypatch.setattr(migration_service, "LOAD_AGAIN", 0.5)
    page.route("https://login.example/", lambda route: route.fulfill(content_type="text/html", body=SIGN_IN))
    away = "<script>location.replace('https://login.example/')</script>"
    said = follow(RUNNING, away, "<h1>Migration completed successfully</h1>")
    assert "still under way" not in said


# -- the plugin's form ----------------------------------------------------------------------------------------------

SIZELESS = "<style>.box{appearance:none;width:0;height:0;position:absolute;opacity:0}</style>"
FIELDS = "<label>Pantheon Site Name</label><input type=text name=newurl><label>Token</label><input name=machine_token>"
MIGRATE = (
    "<input type=submit id=migratesubmit value=Migrate disabled><script>const form = document.currentScript.form ??"
    " document.querySelector('#ptn_migrate_form, form'); form.onchange = () => { migratesubmit.disabled ="
    " [...form.querySelectorAll('[data-needed]')].some(box => !box.checked); };</script>"
)
CONSENTS = {
    "beside bare text": "<p><input type=checkbox name=consent data-needed> I agree to the Terms</p>",
    "after a newsletter": "<p><label><input type=checkbox id=news> Send me the newsletter</label></p>"
    "<p><label><input type=checkbox data-needed> I agree to the Terms of Service</label></p>",
    "two, both needed": "<p><label><input type=checkbox data-needed> I agree to the Terms</label></p>"
    "<p><label><input type=checkbox data-needed> I accept the Privacy Policy</label></p>",
    "of no size, in its label": f"{SIZELESS}<p><label><input class=box type=checkbox data-needed>"
    "I agree to the <a href='/terms'>Terms of Service</a></label></p>",
    "hidden, with a label of its own": "<p><input style='display:none' type=checkbox id=yes data-needed>"
    "<label for=yes>I agree to the Terms of Service</label></p>",
}


@pytest.mark.parametrize("consent", CONSENTS.values(), ids=CONSENTS.keys())
def test_what_has_to_be_agreed_to_is_ticked_and_nothing_else(page: Page, consent: str) -> None:
    """**Migrate** can be pressed afterwards, and no newsletter was ordered."""
    page.set_content(f"<form id=ptn_migrate_form>{FIELDS}{consent}{MIGRATE}</form>")
    form = MigrationForm(page, MigrationSettings.load(SETTINGS))
    form.fill_in("writing-widgets", TOKEN)
    assert form.migrate.is_enabled()
    assert page.locator("[data-needed]:not(:checked)").count() == 0
    assert page.locator("#news:checked").count() == 0


def test_a_form_that_looks_at_its_fields_when_a_key_is_released_can_be_sent(page: Page) -> None:
    """As it is after a reader's Ctrl+V."""
    page.set_content(
        f"<form id=ptn_migrate_form>{FIELDS}<button id=go disabled>Migrate</button></form><script>const seen = new Set();"
        "for (const el of document.querySelectorAll('input')) el.onkeyup = () => {"
        " if (el.value) seen.add(el); go.disabled = seen.size < 2; };</script>"
    )
    form = MigrationForm(page, MigrationSettings.load(SETTINGS))
    form.fill_in("writing-widgets", TOKEN)
    assert form.migrate.is_enabled()


def test_a_form_in_other_words_is_known_by_the_machine_token(page: Page) -> None:
    """Neither id nor names are those of the known versions; the token may be typed unseen, and a Cancel come first."""
    page.set_content(
        "<button>Migrate</button><form onsubmit='event.preventDefault(); this.id = event.submitter.name'><div>"
        "<label>Destination site <input name=a></label><label>Machine token of Pantheon <input type=password name=b></label>"
        "<select name=c><option>Europe</select><label><input type=checkbox name=d> I agree to the terms</label>"
        "<button name=no>Cancel</button><button name=yes>Start migration</button></div></form>"
    )
    form = MigrationForm(page, MigrationSettings.load(SETTINGS))
    form.fill_in("writing-widgets", TOKEN)
    form.press_migrate()
    assert page.locator("[name=a], [name=b]").evaluate_all("all => all.map(el => el.value)") == [
        "writing-widgets",
        TOKEN.reveal(),
    ]
    assert page.locator("form").get_attribute("id") == "yes"


def test_to_cancel_a_migration_is_not_to_migrate(page: Page) -> None:
    """Though the word is in it; and another form that speaks of the machine token is not the plugin's."""
    page.set_content(
        "<form id=help><p>Where is my Machine Token?</p><input><button>Send</button></form>"
        "<form onsubmit='event.preventDefault(); this.dataset.by = event.submitter.name' id=right>"
        f"{FIELDS}<button name=no>Cancel Migration</button><button class=button-primary name=yes>Start</button></form>"
    )
    form = MigrationForm(page, MigrationSettings.load(SETTINGS))
    form.fill_in("writing-widgets", TOKEN)
    form.press_migrate()
    assert page.locator("#right").get_attribute("data-by") == "yes"
    assert page.locator("#help input").input_value() == ""


def test_the_token_goes_into_the_plugins_own_form(page: Page) -> None:
    """Another plugin's form with a field of the same name comes first on the page, and stays empty."""
    other = "<form action=/other><input name=newurl><input name=machine_token><button>Migrate</button></form>"
    page.set_content(f"{other}<form id=ptn_migrate_form>{FIELDS}<button>Migrate</button></form>")
    form = MigrationForm(page, MigrationSettings.load(SETTINGS))
    form.fill_in("writing-widgets", TOKEN)
    assert page.locator("#ptn_migrate_form [name=machine_token]").input_value() == TOKEN.reveal()
    assert page.locator("form[action='/other'] input").evaluate_all("all => all.map(el => el.value)") == ["", ""]


def test_an_email_address_that_the_form_asks_for_is_filled_in(page: Page) -> None:
    """With the account's; what is still missing after that is named."""
    asks = (
        "<label>E-mail<input type=email name=email required></label><label>Company<input name=company required></label>"
    )
    page.set_content(f"<form id=ptn_migrate_form>{FIELDS}{asks}<button>Migrate</button></form>")
    form = MigrationForm(page, MigrationSettings.load(SETTINGS))
    form.fill_in("writing-widgets", TOKEN)
    assert page.locator("[name=email]").input_value() == "jo@example.com"
    assert form.unfilled() == ["Company"]


def test_a_refusal_in_plain_words_is_repeated(page: Page) -> None:
    """The service answers **Migrate** with a page that says no, without any mark of an error."""
    form_page = (
        f"<form id=ptn_migrate_form method=post action='https://service.example/home/migrate'>{FIELDS}"
        "<button>Migrate</button></form>"
    )
    page.route(
        "https://source.example/**",
        lambda route: route.fulfill(content_type="text/html; charset=utf-8", body=form_page),
    )
    page.route(
        "https://service.example/**",
        lambda route: route.fulfill(
            content_type="text/html; charset=utf-8", body="<p>Invalid machine token. Please go back.</p>"
        ),
    )
    service = MigrationService(page, MigrationSettings.load(SETTINGS), say=lambda _: None)
    page.goto("https://source.example/wp-admin/admin.php?page=pantheon")
    form = MigrationForm(page, MigrationSettings.load(SETTINGS))
    form.fill_in("writing-widgets", TOKEN)
    form.press_migrate()
    with pytest.raises(Undone, match=re.escape("Invalid machine token. Please go back")):
        service.follow_hand_shake(form, "writing-widgets", TOKEN)


def test_a_form_that_was_sent_is_never_taken_for_one_that_was_not(page: Page) -> None:
    """The service has it and does not answer: whether a migration begins is not known, so nothing says that none does."""
    fields = f"{FIELDS}<button>Migrate</button>"
    form_page = f"<form id=ptn_migrate_form method=post action='https://service.example/home/migrate'>{fields}</form>"
    page.route("https://source.example/**", lambda route: route.fulfill(content_type="text/html", body=form_page))
    asked: list[Route] = []
    page.set_default_timeout(2000)
    page.route("https://service.example/**", lambda route: asked.append(route))  # noqa: PLW0108 - Playwright marks what it calls
    settings = MigrationSettings.load({**SETTINGS, "PAGE_TIMEOUT": "1s"})
    service = MigrationService(page, settings, say=lambda _: None)
    page.goto("https://source.example/wp-admin/admin.php?page=pantheon&error=1")
    form = MigrationForm(page, settings)
    form.fill_in("writing-widgets", TOKEN)
    service.expect_migration()
    form.press_migrate()
    with pytest.raises(Stuck, match="did not begin the migration") as caught:
        service.follow_hand_shake(form, "writing-widgets", TOKEN)
    assert asked
    assert not isinstance(caught.value, Undone)


def test_who_is_sent_back_at_once_without_a_reason_is_told_so(page: Page) -> None:
    """No page of the service was ever in the tab; without its key the plugin lets no migration begin."""

    class Answers(BaseHTTPRequestHandler):
        """Both hosts, by their ports: the first one is the existing site."""

        def do_GET(self) -> None:
            form = f"<form id=ptn_migrate_form method=post action='{service}/home/migrate'>{FIELDS}<button>Migrate</button></form>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(form.encode())

        def do_POST(self) -> None:
            self.send_response(302)
            self.send_header("Location", f"{source}/wp-admin/admin.php?page=pantheon")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as one, ThreadingHTTPServer(("127.0.0.1", 0), Answers) as other:
        source, service = (f"http://127.0.0.1:{server.server_port}" for server in (one, other))
        for server in (one, other):
            Thread(target=server.serve_forever, daemon=True).start()
        given = {"PAGE_TIMEOUT": "1s", "SOURCE_SITE_URL": source, "ALLOW_LOCAL_SOURCE": "1"}
        settings = MigrationSettings.load(SETTINGS | given)
        migration = MigrationService(page, settings, say=lambda _: None)
        page.goto(f"{source}/wp-admin/admin.php?page=pantheon")
        form = MigrationForm(page, settings)
        form.fill_in("writing-widgets", TOKEN)
        migration.expect_migration()
        form.press_migrate()
        with pytest.raises(Undone, match="back to the plugin's page without a reason"):
            migration.follow_hand_shake(form, "writing-widgets", TOKEN)
        for server in (one, other):
            server.shutdown()


def pressed_migrate(
    page: Page, form_page: str | Callable[[Route], None], *, patience: str = "1s", **told: Callable[[str], None]
) -> tuple[MigrationService, MigrationForm]:
    """**Migrate** has been pressed on this page of the plugin, or where all pages are answered so.

    Args:
        page: The tab.
        form_page: The page, or what answers.
        patience: How long a page may take.
        told: What the service's page object tells.
    """
    if isinstance(form_page, str):
        page.route("https://source.example/**", lambda route: route.fulfill(content_type="text/html", body=form_page))
    else:
        page.context.route(re.compile("example/"), form_page)
    settings = MigrationSettings.load({**SETTINGS, "PAGE_TIMEOUT": patience})
    service = MigrationService(page, settings, say=lambda _: None, **told)
    page.goto("https://source.example/wp-admin/admin.php?page=pantheon")
    form = MigrationForm(page, settings)
    form.fill_in("writing-widgets", TOKEN)
    service.expect_migration()
    form.press_migrate()
    return service, form


def test_a_form_that_was_not_sent_is_said_with_what_it_lacks(page: Page) -> None:
    """The page keeps it back: certainly nothing was begun."""
    needed = f"{FIELDS}<label>Company<input required></label><button>Migrate</button>"
    form_page = f"<form id=ptn_migrate_form method=post action='https://service.example/home/migrate'>{needed}</form>"
    service, form = pressed_migrate(page, form_page)
    with pytest.raises(Undone, match="did not send the plugin's form; to be filled in are: Company"):
        service.follow_hand_shake(form, "writing-widgets", TOKEN)


ASKS = {
    "in the browser's dialogue": ("alert('Allow pop-ups first.')", "Allow pop-ups first"),
    "in its own": ("document.body.append(...box.content.children)", "Start the migration?"),
}


@pytest.mark.parametrize(("script", "said"), ASKS.values(), ids=ASKS.keys())
def test_what_the_page_asks_in_place_of_sending_the_form_is_repeated(page: Page, script: str, said: str) -> None:
    """A reader would read it there."""
    box = "<template id=box><div role=dialog>Start the migration?<button type=button>No</button></div></template>"
    form_page = (
        f'{box}<form id=ptn_migrate_form onsubmit="{script}; return false">{FIELDS}<button>Migrate</button></form>'
    )
    service, form = pressed_migrate(page, form_page)
    with pytest.raises(Undone, match=f"did not send the plugin's form; the page says .{re.escape(said)}"):
        service.follow_hand_shake(form, "writing-widgets", TOKEN)


def test_who_is_asked_to_sign_in_on_the_way_back_does_so_once(page: Page) -> None:
    """The session of wp-admin has ended meanwhile; the hand-shake goes on after it."""
    back = "https://source.example/wp-admin/admin.php?page=pantheon&blogvaultkey=1"
    sign_in = "<form id=loginform action=https://service.example/migration/4f2a><button>Log In</button></form>"
    form_page = f"<form id=ptn_migrate_form method=post action='https://service.example/home/migrate'>{FIELDS}<button>Migrate</button></form>"

    def answer(route: Route) -> None:
        address = route.request.url
        leads_back = f"<script>location.replace('{back}')</script>"
        known = {"blogvaultkey": sign_in, "/migration/": RUNNING, "/home/migrate": leads_back}
        body = next((body for part, body in known.items() if part in address), form_page)
        route.fulfill(content_type="text/html", body=body)

    begun: list[str] = []
    service, form = pressed_migrate(page, answer, patience="2s", begins=begun.append)
    pressed: list[bool] = []

    def sign_in_again() -> None:
        pressed.append(True)
        page.get_by_role("button", name="Log In").click()

    service.follow_hand_shake(form, "writing-widgets", TOKEN, sign_in_again)
    assert (len(pressed), len(begun)) == (1, 1)


def test_a_form_that_opens_a_new_tab_is_followed_there(page: Page) -> None:
    """What it was sent to is in that tab: nothing may say that it was not sent, and have it sent again."""
    fields = f"{FIELDS}<button>Migrate</button>"
    form_page = f"<form id=ptn_migrate_form method=post target=_blank action='https://service.example/home/migrate'>{fields}</form>"
    banner = '<div role=dialog aria-label=Cookies>We use cookies. <button onclick="this.parentNode.remove()">Reject all</button></div>'

    def answer(route: Route) -> None:
        body = form_page if "//source." in route.request.url else RUNNING + banner
        route.fulfill(content_type="text/html", body=body)

    closed: list[str] = []
    service, form = pressed_migrate(page, answer, patience="4s", note_interruption=closed.append)
    service.follow_hand_shake(form, "writing-widgets", TOKEN)
    assert service.page.url == "https://service.example/home/migrate"
    expect(service.page.locator("h1")).to_be_visible()
    assert len(closed) == 1
    with page.expect_popup():
        page.evaluate("() => void open('https://service.example/news')")
    assert service.page.url == "https://service.example/home/migrate"
    service.page.close()
    assert service.page is page
