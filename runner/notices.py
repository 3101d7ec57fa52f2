"""Notices: tell people elsewhere how a run ended, or that it needs one of them, by a webhook and by e-mail.

A notice that cannot be delivered is said, and fails no run. None carries a secret.
"""

from __future__ import annotations

import logging
import ssl
import threading
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from email.utils import formatdate, make_msgid, parseaddr
from typing import TYPE_CHECKING, Literal, Self, get_args

from runner.errors import WrongSettings
from runner.secrets import Secret
from runner.settings import Settings, is_local, optional, setting

if TYPE_CHECKING:
    import smtplib
    from collections.abc import Callable, Iterator, Mapping

    from runner.secrets import Secrets

State = Literal["done", "stopped", "failed", "interrupted", "person needed"]
Tls = Literal["starttls", "tls", "none"]

PATIENCE = 10.0
"""Seconds that a webhook or a mail server may take for one answer."""

AT_MOST = 60.0
"""Seconds that one try may take: a receiver may say something again and again, and never come to an end."""

PAUSES = (1.0, 4.0, 15.0)
"""Seconds between the tries, so that there is one more of these."""

LONGEST_PAUSE = 60.0
"""Seconds that a webhook may ask to be left alone for (Retry-After); a longer wish is not waited for."""

PORTS: dict[Tls, int] = {"starttls": 587, "tls": 465, "none": 25}
"""The usual port of a mail server (RFC 8314, RFC 5321)."""

SECRET_PATH = 16
"""Characters; so long a path of a webhook's address is a secret without its host, too."""


def webhook(text: str) -> str:
    """A webhook's address: https, or http on this machine.

    Raises:
        ValueError: It is not; the message never holds the text, since who knows the address may post to it.
    """
    import httpx

    try:
        address = httpx.URL(text)
    except httpx.InvalidURL:
        address = httpx.URL()
    if address.scheme not in ("http", "https") or not address.host:
        raise ValueError("it is not a web address, such as https://hooks.example.com/services/…")
    if address.scheme == "http" and not is_local(address.host):
        raise ValueError("it begins with http:// and leads to another machine; anybody on the way could read notices")
    return text


def recipients(text: str) -> tuple[str, ...]:
    """E-mail addresses, separated by commas; nothing means none.

    Raises:
        ValueError: One of them is not an address.
    """
    found = [one.strip() for one in text.split(",") if one.strip()]
    for one in found:
        address = parseaddr(one)[1]
        if "@" not in address or address.startswith("@") or address.endswith("@") or " " in address:
            raise ValueError(f'"{one}" is not an e-mail address, such as you@example.com')
    return tuple(found)


def port(text: str) -> int | None:
    """A port's number; nothing means the usual one.

    Raises:
        ValueError: It is not one.
    """
    if text and not (text.isdecimal() and 0 < int(text) < 1 << 16):
        raise ValueError(f'"{text}" is not a port, such as 587')
    return int(text) if text else None


def tls(text: str) -> Tls:
    """How the connection to the mail server is encrypted.

    Raises:
        ValueError: It is none of the three ways.
    """
    found = next((one for one in get_args(Tls) if one == text.lower()), None)
    if found is None:
        raise ValueError(f'"{text}" is none of {", ".join(get_args(Tls))}')
    way: Tls = found
    return way


@dataclass(frozen=True, kw_only=True)
class NoticeSettings(Settings):
    """Who is told how a run ended; nobody, unless a webhook or a recipient is set."""

    webhook: Secret | None = setting(
        "NOTIFY_WEBHOOK",
        help="Address that notices are posted to as JSON, such as an incoming webhook of Slack; it is kept secret",
        default="",
        secret=True,
        parse=webhook,
    )
    recipients: tuple[str, ...] = setting(
        "NOTIFY_EMAIL",
        help="E-mail addresses that notices are sent to, separated by commas; needs SMTP_HOST",
        default="",
        example="you@example.com",
        parse=recipients,
    )
    smtp_host: str | None = setting(
        "SMTP_HOST", help="Mail server that takes the notices", default="", example="smtp.example.com", parse=optional
    )
    smtp_port: int | None = setting(
        "SMTP_PORT",
        help="Its port; unset, 587 for starttls, 465 for tls, 25 for none",
        default="",
        example="587",
        parse=port,
    )
    smtp_username: str | None = setting(
        "SMTP_USERNAME", help="User name for the mail server, if it asks for one", default="", parse=optional
    )
    smtp_password: Secret | None = setting(
        "SMTP_PASSWORD", help="Password for the mail server", default="", secret=True
    )
    smtp_from: str | None = setting(
        "SMTP_FROM",
        help="Sender of the notices; unset, the user name if it is an address, else the first recipient",
        default="",
        example="guiderunner@example.com",
        parse=optional,
    )
    smtp_tls: Tls = setting(
        "SMTP_TLS",
        help="How the connection to the mail server is encrypted: starttls, tls, or none",
        default="starttls",
        parse=tls,
    )

    @classmethod
    def load(cls, environment: Mapping[str, str]) -> Self:
        """Read all settings, and check that they fit together.

        Raises:
            WrongSettings: Something is missing or malformed; all of it is named.
        """
        read = super().load(environment)
        missing, wrong = [], []
        if read.recipients and not read.smtp_host:
            missing.append("SMTP_HOST")
        if read.smtp_username and not read.smtp_password:
            missing.append("SMTP_PASSWORD")
        if read.smtp_password and not read.smtp_username:
            missing.append("SMTP_USERNAME")
        if read.smtp_password and read.smtp_tls == "none" and not is_local(read.smtp_host or "localhost"):
            wrong.append("SMTP_TLS: none would send SMTP_PASSWORD to another machine for anybody on the way to read.")
        if missing or wrong:
            raise WrongSettings(missing=missing, wrong=wrong)
        return read

    @property
    def sender(self) -> str:
        """Who the e-mail is from."""
        user = self.smtp_username or ""
        return self.smtp_from or (user if "@" in user else next(iter(self.recipients), user))


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What is told about a run, or about all runs of a fleet.

    Attributes:
        run_id: The run's id; nothing for a fleet's.
        flow: The flow's name.
        state: How the run ended, or that it needs a person.
        step: Number of the guide's step at which it did; None if that does not matter.
        sentence: What happened and what to do next.
        site: Which site the run is for, as its owner calls it, or which fleet it is.
        folder: Where its evidence is.
    """

    run_id: str
    flow: str
    state: State
    sentence: str
    step: int | None = None
    site: str = ""
    folder: str = ""

    @property
    def title(self) -> str:
        """The notice in a line."""
        of = f" for {self.site}" if self.site else ""
        at = f" at step {self.step}" if self.step else ""
        return " ".join(f"{self.flow}{of}: {self.state}{at}".split())

    @property
    def text(self) -> str:
        """The notice as a person reads it."""
        about = ", ".join(filter(None, [f"run {self.run_id}" if self.run_id else "", self.folder]))
        return "\n".join(filter(None, [self.title, self.sentence, about]))

    def redacted(self, secrets: Secrets) -> Notice:
        """The same without any secret."""
        return replace(
            self,
            run_id=secrets.redact(self.run_id),
            flow=secrets.redact(self.flow),
            sentence=secrets.redact(self.sentence),
            site=secrets.redact(self.site),
            folder=secrets.redact(self.folder),
        )


class _Undelivered(Exception):
    """One try failed.

    Args:
        reason: Why, without any address.
        again: Whether another try may succeed.
        after: Seconds that the other side asks to be left alone for.
    """

    def __init__(self, reason: str, *, again: bool, after: float = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again = again
        self.after = after


def send(
    settings: NoticeSettings, notice: Notice, secrets: Secrets, *, pause: Callable[[float], None] = time.sleep
) -> list[str]:
    """Deliver a notice in every way that is set, trying again where that can help.

    Args:
        settings: Who is told.
        notice: What.
        secrets: What must not be in it; the settings' own secrets are added.
        pause: Waits so many seconds between two tries.

    Returns:
        One sentence for each way in which it could not be delivered, to be recorded and printed; never the webhook's
        address.
    """
    for secret in settings.secrets():
        secrets.add(secret)
    secrets.let_stand(notice.site)  # whose address may begin as the webhook's does
    told = notice.redacted(secrets)
    ways: list[tuple[str, Callable[[], None]]] = []
    if hook := settings.webhook:
        _keep_path(hook, secrets)
        ways.append((f"to {hook.name}", lambda: _post(hook, told)))
    if settings.recipients:
        ways.append((f"to {', '.join(settings.recipients)}", lambda: _mail(settings, told)))
    failed = [(way, reason) for way, attempt in ways if (reason := _deliver(attempt, pause))]
    return [secrets.redact(f"the notice {way} was not delivered: {reason}") for way, reason in failed]


def _keep_path(hook: Secret, secrets: Secrets) -> None:
    import httpx

    path = httpx.URL(hook.reveal()).raw_path.decode("ascii")
    if len(path) >= SECRET_PATH:
        secrets.add(Secret(path, hook.name))


def _deliver(attempt: Callable[[], None], pause: Callable[[float], None]) -> str | None:
    """Try until it is delivered; returns why not if it is not."""
    for wait in (*PAUSES, None):
        try:
            _in_time(attempt)
        except _Undelivered as undelivered:
            if wait is None or not undelivered.again or undelivered.after > LONGEST_PAUSE:
                return undelivered.reason
            pause(max(wait, undelivered.after))
        else:
            return None
    raise AssertionError("the last try has returned")


def _in_time(attempt: Callable[[], None]) -> None:
    """Make one try, and leave it alone if it comes to no end: the process ends without it.

    Raises:
        _Undelivered: It failed, or came to no end; it may have been delivered then, so that there is no other try.
    """
    failed: list[BaseException] = []

    def make() -> None:
        try:
            attempt()
        except BaseException as error:  # noqa: BLE001 - raised again below, in the thread that waits
            failed.append(error)

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    thread.join(AT_MOST)
    if thread.is_alive():
        raise _Undelivered(f"its answer came to no end within {AT_MOST:g} seconds", again=False)
    if failed:
        raise failed[0]


# -- by webhook ---------------------------------------------------------------------------------------------------


def _post(hook: Secret, notice: Notice) -> None:
    import httpx

    # Slack reads <, > and & in a text as its own markup (its documentation on formatting, "Escaping text").
    text = notice.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    address = httpx.URL(hook.reveal())
    try:
        with (
            _without_logs(),
            httpx.Client(timeout=PATIENCE, trust_env=not is_local(address.host)) as client,
        ):
            answer = client.post(address, json={"text": text, **asdict(notice)})
    except httpx.TimeoutException:
        raise _Undelivered(f"no answer within {PATIENCE:.0f} seconds", again=True) from None
    except httpx.HTTPError as error:
        raise _Undelivered(f"no connection ({error or type(error).__name__})", again=True) from None
    if answer.is_success:
        return
    busy = answer.status_code == httpx.codes.TOO_MANY_REQUESTS
    asked = answer.headers.get("Retry-After", "")
    raise _Undelivered(
        f"it answered {answer.status_code} {answer.reason_phrase}".rstrip(),
        again=busy or answer.is_server_error,
        after=float(asked) if asked.isdecimal() else 0,
    )


@contextmanager
def _without_logs() -> Iterator[None]:
    """Keep the address out of every log: httpx tells it to its logger, at level INFO."""
    logger = logging.getLogger("httpx")

    def none(_: logging.LogRecord) -> bool:
        return False

    logger.addFilter(none)
    try:
        yield
    finally:
        logger.removeFilter(none)


# -- by e-mail ----------------------------------------------------------------------------------------------------


def _mail(settings: NoticeSettings, notice: Notice) -> None:
    import smtplib  # as httpx: a run begins sooner without it
    from email.message import EmailMessage

    message = EmailMessage()
    message["From"] = settings.sender
    message["To"] = ", ".join(settings.recipients)
    message["Subject"] = notice.title
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=parseaddr(settings.sender)[1].rpartition("@")[2] or None)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(notice.text + "\n")
    try:
        with _connected(settings) as server:
            refused = server.send_message(message)
    except smtplib.SMTPResponseException as error:
        # 4xx is for now, 5xx for good (RFC 5321, section 4.2.1).
        raise _Undelivered(_said(error.smtp_code, error.smtp_error), again=400 <= error.smtp_code < 500) from None  # noqa: PLR2004
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        raise _Undelivered(_said(code, words), again=code < 500) from None  # noqa: PLR2004 - the same
    except ssl.SSLError as error:
        raise _Undelivered(f"no encrypted connection to SMTP_HOST ({error.reason})", again=False) from None
    except (smtplib.SMTPNotSupportedError, UnicodeError) as error:
        raise _Undelivered(str(error), again=False) from None
    except (smtplib.SMTPException, OSError) as error:
        raise _Undelivered(f"no connection to SMTP_HOST ({error or type(error).__name__})", again=True) from None
    if refused:
        said = "; ".join(f"{one}: {_said(code, words)}" for one, (code, words) in refused.items())
        raise _Undelivered(f"some were refused ({said})", again=False)


@contextmanager
def _connected(settings: NoticeSettings) -> Iterator[smtplib.SMTP]:
    """The mail server: over an encrypted connection if that is set, signed in to if there is a password."""
    import smtplib

    way = settings.smtp_tls
    where = (settings.smtp_host or "", settings.smtp_port or PORTS[way])
    encryption = ssl.create_default_context()
    with (
        smtplib.SMTP_SSL(*where, timeout=PATIENCE, context=encryption)
        if way == "tls"
        else smtplib.SMTP(*where, timeout=PATIENCE)
    ) as server:
        if way == "starttls":
            server.starttls(context=encryption)
        if settings.smtp_username and settings.smtp_password:
            server.login(settings.smtp_username, settings.smtp_password.reveal())
        yield server


def _said(code: int, words: bytes | str) -> str:
    told = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"SMTP_HOST answered {code} {' '.join(told.split())}".rstrip()
