"""Notices reach a webhook and mailboxes, carry no secret, and fail nothing when they cannot be delivered."""

from __future__ import annotations

import itertools
import json
import logging
import socket
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from runner import notices
from runner.errors import WrongSettings
from runner.notices import PAUSES, Notice, NoticeSettings, send
from runner.secrets import Secret, Secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.mail import MailSink

PATH = "/services/T0000/B0000/Zq3abcdefgh"
PASSWORD = "pass/word+of the toy"
NOTICE = Notice(
    run_id="20250102-030405-toy-1a2b",
    flow="toy",
    state="failed",
    step=4,
    sentence=f"The page <Sign in> & said {PASSWORD}.",
    site="https://www.example.com",
    folder="runs/20250102-030405-toy-1a2b",
)


@dataclass
class Hook:
    """A webhook that answers as a test wants, the last answer for ever, and keeps what it was sent."""

    answers: list[tuple[int, dict[str, str]]]
    bodies: list[Any] = field(default_factory=list)
    url: str = ""


@contextmanager
def webhook(*answers: int | tuple[int, dict[str, str]]) -> Iterator[Hook]:
    """Serve a webhook on this machine."""
    hook = Hook([one if isinstance(one, tuple) else (one, {}) for one in answers])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Keep the body and answer."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.bodies.append(json.loads(body) if self.path == PATH else self.path)
            status, headers = hook.answers.pop(0) if len(hook.answers) > 1 else hook.answers[0]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Keep silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    hook.url = f"http://127.0.0.1:{server.server_port}{PATH}"
    try:
        yield hook
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def mail() -> Iterator[MailSink]:
    """A mail server on this machine."""
    from fixtures.mail import MailSink  # noqa: PLC0415 - unit tests run where the stand-ins' packages are missing

    sink = MailSink()
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture
def secrets() -> Secrets:
    """A run's registry with its password."""
    known = Secrets()
    known.add(Secret(PASSWORD, "password"))
    return known


def to_mail(sink: MailSink, **more: str) -> NoticeSettings:
    """Settings for a mail server on this machine."""
    given = {"NOTIFY_EMAIL": "jo@example.com, Al <al@example.com>", "SMTP_HOST": "127.0.0.1", "SMTP_TLS": "none"}
    return NoticeSettings.load({**given, "SMTP_PORT": str(sink.port), **more})


def to_hook(hook: Hook) -> NoticeSettings:
    """Settings for a webhook on this machine."""
    return NoticeSettings.load({"NOTIFY_WEBHOOK": hook.url})


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("NOTIFY_WEBHOOK=http://127.0.0.1:{port}/hook", b"HTTP/1.1 200 OK\r\n" + b"X-More: more\r\n" * 3),
        ("NOTIFY_EMAIL=jo@example.com SMTP_HOST=127.0.0.1 SMTP_PORT={port} SMTP_TLS=none", b"220-wait\r\n" * 3),
    ],
    ids=["webhook", "mail"],
)
def test_a_receiver_whose_answer_comes_to_no_end_holds_nobody_up(
    settings: str, said: bytes, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of its lines comes in time; it may have taken the notice, so that it is not sent again."""
    monkeypatch.setattr(notices, "AT_MOST", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        over, asked = Event(), []

        def answer() -> None:
            connection, _ = server.accept()
            asked.append(connection)
            with connection:
                for line in itertools.chain(said.splitlines(keepends=True), itertools.repeat(said.splitlines()[-1])):
                    connection.sendall(line.strip() + b"\r\n")
                    if over.wait(0.1):
                        return

        thread = Thread(target=answer)
        thread.start()
        text = settings.format(port=server.getsockname()[1])
        loaded = NoticeSettings.load(dict(one.split("=", 1) for one in text.split()))
        try:
            (sentence,) = send(loaded, NOTICE, secrets)
        finally:
            over.set()
            thread.join()
    assert sentence.endswith("was not delivered: its answer came to no end within 0.5 seconds")
    assert len(asked) == 1


def test_nobody_is_told_unless_that_is_set(secrets: Secrets) -> None:
    """Without settings nothing is sent, and nothing is wrong."""
    assert send(NoticeSettings.load({}), NOTICE, secrets) == []


def test_a_webhook_gets_a_text_and_the_fields(secrets: Secrets) -> None:
    """Slack shows the text, programs read the fields; both are without secrets, and the text without Slack's markup."""
    with webhook(200) as hook:
        assert send(to_hook(hook), NOTICE, secrets) == []
    (body,) = hook.bodies
    assert body.pop("text") == (
        "toy for https://www.example.com: failed at step 4\n"
        "The page &lt;Sign in&gt; &amp; said [password].\n"
        "run 20250102-030405-toy-1a2b, runs/20250102-030405-toy-1a2b"
    )
    assert body == {
        "run_id": "20250102-030405-toy-1a2b",
        "flow": "toy",
        "state": "failed",
        "step": 4,
        "sentence": "The page <Sign in> & said [password].",
        "site": "https://www.example.com",
        "folder": "runs/20250102-030405-toy-1a2b",
    }


def test_a_site_whose_address_begins_as_the_webhooks_does_is_told(secrets: Secrets) -> None:
    """Every https://www. begins as long as a piece of a secret; the webhook's own address is none that anybody is told."""
    with webhook(200) as hook:
        host = f"{hook.url.removesuffix(PATH)}/toy"
        notice = replace(NOTICE, site=f"{host} to Toy", sentence=f"Not at {hook.url}, nor {hook.url[:-4]}.")
        assert send(to_hook(hook), notice, secrets) == []
        assert send(to_hook(hook), replace(NOTICE, site=hook.url), Secrets()) == []
    first, second = hook.bodies
    assert first["site"] == f"{host} to Toy"
    assert first["sentence"] == "Not at [NOTIFY_WEBHOOK], nor [NOTIFY_WEBHOOK]."
    assert second["site"] == "[NOTIFY_WEBHOOK]"


RETRIED: dict[str, tuple[tuple[Any, ...], int, list[float]]] = {
    "busy, then well": ((503, 500, 200), 3, list(PAUSES[:2])),
    "asks for less than our own pause": (((429, {"Retry-After": "0"}), 200), 2, [PAUSES[0]]),
    "asks for more": (((429, {"Retry-After": "30"}), 200), 2, [30.0]),
}


@pytest.mark.parametrize(("answers", "tries", "pauses"), RETRIED.values(), ids=RETRIED.keys())
def test_a_busy_webhook_is_tried_again(
    secrets: Secrets, answers: tuple[Any, ...], tries: int, pauses: list[float]
) -> None:
    """With growing pauses, or with the one it asks for."""
    paused: list[float] = []
    with webhook(*answers) as hook:
        assert send(to_hook(hook), NOTICE, secrets, pause=paused.append) == []
    assert len(hook.bodies) == tries
    assert paused == pauses


UNDELIVERED: dict[str, tuple[tuple[Any, ...], int, str]] = {
    "busy for good": ((502,), 1 + len(PAUSES), "502 Bad Gateway"),
    "gone": ((404,), 1, "404 Not Found"),
    "moved": (((302, {"Location": "http://127.0.0.1:9/elsewhere"}), 200), 1, "302 Found"),
    "asks for an hour": (((429, {"Retry-After": "3600"}),), 1, "429 Too Many Requests"),
}


@pytest.mark.parametrize(("answers", "tries", "reason"), UNDELIVERED.values(), ids=UNDELIVERED.keys())
def test_what_a_webhook_does_not_take_is_said(
    secrets: Secrets, answers: tuple[Any, ...], tries: int, reason: str
) -> None:
    """In a sentence, after as many tries as can help, and nothing is posted to where a redirect leads."""
    with webhook(*answers) as hook:
        said = send(to_hook(hook), NOTICE, secrets, pause=lambda _: None)
    assert said == [f"the notice to NOTIFY_WEBHOOK was not delivered: it answered {reason}"]
    assert len(hook.bodies) == tries


def test_a_webhook_that_is_not_there_is_said_without_its_address(
    secrets: Secrets, caplog: pytest.LogCaptureFixture
) -> None:
    """Who knows the address may post to it: it is in no sentence, in no log, and redacted from then on."""
    caplog.set_level(logging.DEBUG)
    with webhook(200) as hook:
        send(to_hook(hook), NOTICE, secrets)
    paused: list[float] = []
    (said,) = send(to_hook(hook), NOTICE, secrets, pause=paused.append)
    assert said.startswith("the notice to NOTIFY_WEBHOOK was not delivered: no connection (")
    assert paused == list(PAUSES)
    assert PATH not in said + caplog.text
    assert secrets.redact(f"{hook.url} or POST {PATH}") == "[NOTIFY_WEBHOOK] or POST [NOTIFY_WEBHOOK]"


def test_mail_goes_to_every_recipient(mail: MailSink, secrets: Secrets) -> None:
    """With a subject that says it all, without secrets."""
    assert send(to_mail(mail), NOTICE, secrets) == []
    (message,) = mail.messages
    assert message["From"] == "jo@example.com"
    assert message["To"] == "jo@example.com, Al <al@example.com>"
    assert message["Subject"] == "toy for https://www.example.com: failed at step 4"
    assert "The page <Sign in> & said [password]." in message.get_content()
    assert PASSWORD not in message.as_string()


def test_mail_is_not_sent_without_the_encryption_that_is_set(mail: MailSink, secrets: Secrets) -> None:
    """A server that offers none is not spoken to in clear."""
    paused: list[float] = []
    (said,) = send(to_mail(mail, SMTP_TLS="starttls"), NOTICE, secrets, pause=paused.append)
    assert said.endswith("was not delivered: STARTTLS extension not supported by server.")
    assert paused == []
    (said_of_tls,) = send(to_mail(mail, SMTP_TLS="tls"), NOTICE, secrets, pause=paused.append)
    assert "no encrypted connection to SMTP_HOST" in said_of_tls
    assert mail.messages == []


def test_each_way_is_tried_whatever_becomes_of_the_other(mail: MailSink, secrets: Secrets) -> None:
    """A webhook that is gone does not keep the mail from being sent, nor the other way round."""
    with webhook(404) as hook:
        settings = to_mail(mail, NOTIFY_WEBHOOK=hook.url)
        assert len(send(settings, NOTICE, secrets)) == 1
        assert len(mail.messages) == 1
        mail.stop()
        paused: list[float] = []
        said = send(settings, NOTICE, secrets, pause=paused.append)
    assert [sentence.partition(" was not")[0] for sentence in said] == [
        "the notice to NOTIFY_WEBHOOK",
        "the notice to jo@example.com, Al <al@example.com>",
    ]
    assert paused == list(PAUSES)
    assert len(hook.bodies) == 2


@pytest.mark.parametrize(("answer", "tries"), [("451 4.3.0 Busy", 1 + len(PAUSES)), ("554 5.7.1 Not from you", 1)])
def test_a_mail_server_that_refuses_is_said(secrets: Secrets, answer: str, tries: int) -> None:
    """For now: tried again. For good: once. The password is given before, and in no sentence."""
    from aiosmtpd.controller import Controller  # noqa: PLC0415 - as above
    from aiosmtpd.smtp import AuthResult  # noqa: PLC0415

    given: list[tuple[bytes, bytes]] = []
    asked: list[str] = []

    class Refusing:
        async def handle_DATA(self, *_: object) -> str:  # noqa: N802 - the library's name
            """Refuse."""
            asked.append(answer)
            return f"{answer} {PASSWORD}"

    def check(server: Any, session: Any, envelope: Any, mechanism: str, login: Any) -> AuthResult:
        given.append((login.login, login.password))
        return AuthResult(success=True)

    class OnAnyPort(Controller):
        def _trigger_server(self) -> None:
            """Look where it listens: the library itself would connect to port 0."""
            self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
            super()._trigger_server()  # type: ignore[no-untyped-call]

    server = OnAnyPort(Refusing(), port=0, hostname="127.0.0.1", authenticator=check, auth_require_tls=False)
    server.start()
    try:
        where = {"NOTIFY_EMAIL": "jo@example.com", "SMTP_HOST": "127.0.0.1", "SMTP_TLS": "none"}
        login = {"SMTP_USERNAME": "jo", "SMTP_PASSWORD": PASSWORD, "SMTP_PORT": str(server.port)}
        said = send(NoticeSettings.load({**where, **login}), NOTICE, secrets, pause=lambda _: None)
    finally:
        server.stop()
    assert said == [f"the notice to jo@example.com was not delivered: SMTP_HOST answered {answer} [password]"]
    assert len(asked) == tries
    assert given == [(b"jo", PASSWORD.encode())] * tries


WRONG = {
    "not an address": ({"NOTIFY_WEBHOOK": "hooks.example.com/Zq3abc"}, "NOTIFY_WEBHOOK: it is not a web address"),
    "not encrypted": ({"NOTIFY_WEBHOOK": f"http://hooks.example.com{PATH}"}, "NOTIFY_WEBHOOK: it begins with http://"),
    "almost this machine": ({"NOTIFY_WEBHOOK": f"http://127.0.0.1.example.com{PATH}"}, "leads to another machine"),
    "no recipient": ({"NOTIFY_EMAIL": "jo", "SMTP_HOST": "smtp.example.com"}, 'NOTIFY_EMAIL: "jo" is not'),
    "no server": ({"NOTIFY_EMAIL": "jo@example.com"}, "missing: SMTP_HOST"),
    "half a login": ({"SMTP_USERNAME": "jo"}, "missing: SMTP_PASSWORD"),
    "the other half": ({"SMTP_PASSWORD": PASSWORD}, "missing: SMTP_USERNAME"),
    "a password in clear": (
        {"SMTP_USERNAME": "jo", "SMTP_PASSWORD": PASSWORD, "SMTP_HOST": "smtp.example.com", "SMTP_TLS": "none"},
        "SMTP_TLS: none would send SMTP_PASSWORD",
    ),
    "no port": ({"SMTP_PORT": "70000"}, 'SMTP_PORT: "70000" is not a port'),
    "no such way": ({"SMTP_TLS": "ssl"}, 'SMTP_TLS: "ssl" is none of starttls, tls, none'),
}


@pytest.mark.parametrize(("given", "sentence"), WRONG.values(), ids=WRONG.keys())
def test_wrong_settings_are_named(given: dict[str, str], sentence: str) -> None:
    """Each with what is wrong, and never with a secret."""
    with pytest.raises(WrongSettings) as caught:
        NoticeSettings.load(given)
    assert sentence in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert "Zq3abc" not in str(caught.value)


@pytest.mark.parametrize("address", ["http://localhost:8080/hook", "http://[::1]/hook", "https://hooks.example.com/x"])
def test_a_webhook_may_be(address: str) -> None:
    """Encrypted anywhere, or on this machine."""
    read = NoticeSettings.load({"NOTIFY_WEBHOOK": address})
    assert read.webhook
    assert read.webhook.reveal() == address
