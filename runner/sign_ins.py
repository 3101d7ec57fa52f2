"""Kept sign-ins: what a person did once in a browser (SSO, a second factor), encrypted on this machine and used again.

    A command takes a flow's `Login`, has a person sign in `by_hand`, and lets `SignIns.keep` keep what comes of it.
    A run asks `SignIns.state` for each name, registers the `secrets_in` it, and gives its context all of them `merged`.

A state is Playwright's `storage_state`: cookies and local storage. The key is GUIDERUNNER_KEY, else one in the system's
keyring that is made when it is first needed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from playwright.sync_api import Error as PlaywrightError

from runner.controls import until
from runner.errors import Missing, WrongUsage
from runner.secrets import Secret, plain_url
from runner.settings import Settings, path, setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cryptography.fernet import MultiFernet
    from playwright.sync_api import Browser, Page

    from runner.flow import Flow

State = dict[str, Any]
"""Playwright's storage_state."""

MAKE_KEY = "python3 -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"
"""The command that makes a key for GUIDERUNNER_KEY."""

KEY_BYTES = 32
"""Of a Fernet key, which is written in URL-safe base64 (the Fernet specification)."""

IN_KEYRING = ("guiderunner", "key of the kept sign-ins")
"""Service and user name of the key in the system's keyring."""

SECRET_VALUE = 16
"""Characters; a shorter value of a cookie is a choice or a count, and stands in ordinary text by chance."""

GET_LOGIN = 'pip install "guiderunner[login]"'


def fernet_keys(text: str) -> str:
    """One key, or several separated by commas: the first one encrypts, all of them decrypt.

    Raises:
        ValueError: One of them is not a Fernet key; the message holds none of them.
    """
    for one in text.split(","):
        try:
            key = base64.b64decode(one.strip(), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):  # ValueError: not even ASCII
            key = b""
        if len(key) != KEY_BYTES:
            raise ValueError(
                f"it is not a key of 44 characters (32 bytes in URL-safe base64). This makes one: {MAKE_KEY}"
            )
    return text


@dataclass(frozen=True, kw_only=True)
class SignInSettings(Settings):
    """Where sign-ins are kept, and with which key."""

    folder: Path = setting(
        "GUIDERUNNER_SIGN_INS",
        help="Folder of the kept sign-ins, which are encrypted",
        default="~/.local/share/guiderunner/sign-ins",
        parse=path,
    )
    keys: Secret | None = setting(
        "GUIDERUNNER_KEY",
        help="Key of the kept sign-ins, where the system has no keyring; several, separated by commas, to change it",
        default="",
        secret=True,
        parse=fernet_keys,
    )


class SignIns:
    """The sign-ins that are kept on this machine, each under a name that says where and as whom.

    Args:
        settings: Where they are, and the key if it is not in the keyring.
        clock: Seconds since the epoch.
    """

    def __init__(self, settings: SignInSettings, *, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock = clock

    def check(self) -> None:
        """Check that a sign-in could be kept, before a person takes the trouble.

        Raises:
            Missing: The packages for it are not installed, or there is no key and no keyring to make one in.
        """
        if self._fernet(make=True) is None:
            raise Missing(_no_keyring("it keeps nothing"))

    def keep(self, name: str, state: State) -> None:
        """Keep a state under this name, in place of what was kept under it before.

        Raises:
            Missing: The packages for it are not installed, or there is no key and no keyring to make one in.
            WrongUsage: The folder cannot be written.
        """
        fernet = self._fernet(make=True)
        if fernet is None:
            raise Missing(_no_keyring("it keeps nothing"))
        encrypted = fernet.encrypt(json.dumps({"name": name, "state": state}).encode())
        folder = self._settings.folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Written beside it first: whoever reads finds the old one or the new one, whole.
            with tempfile.TemporaryDirectory(dir=folder, prefix="new-") as beside:
                new = Path(beside) / "sign-in"
                new.touch(mode=0o600)
                with new.open("wb") as file:
                    file.write(encrypted)
                    file.flush()
                    os.fsync(file.fileno())
                new.replace(self._file(name))
        except OSError as error:
            raise WrongUsage(f"GUIDERUNNER_SIGN_INS: {folder} cannot keep a sign-in: {error.strerror}") from None

    def state(self, name: str) -> State | None:
        """What is kept under this name, without cookies that have ended; None if nothing is kept, or all has ended.

        Raises:
            Missing: It cannot be decrypted: the key is another one or is gone, or the file is damaged.
        """
        file = self._file(name)
        try:
            encrypted = file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Missing(f'the kept sign-in "{name}" ({file}) cannot be read: {error.strerror}.') from None
        state = self._decrypted(name, encrypted)
        cookies = [one for one in state.get("cookies", []) if not 0 <= one.get("expires", -1) <= self._clock()]
        origins = state.get("origins", [])
        return {**state, "cookies": cookies, "origins": origins} if cookies or origins else None

    def forget(self, name: str) -> None:
        """Delete what is kept under this name, if anything is."""
        self._file(name).unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        # Who may list the folder need not learn where and as whom.
        return self._settings.folder / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.sign-in"

    def _decrypted(self, name: str, encrypted: bytes) -> State:
        fernet = self._fernet(make=False)
        kept = _decrypted(fernet, encrypted) if fernet else {}
        # A file that was put in another one's place is not what was asked for.
        if kept.get("name") != name:
            why = "the key is another one, or the file is damaged" if fernet else "its key is no longer in the keyring"
            raise Missing(f'the kept sign-in "{name}" ({self._file(name)}) cannot be decrypted: {why}. Log in again.')
        state: State = kept["state"]
        return state

    def _fernet(self, *, make: bool) -> MultiFernet | None:
        """What encrypts and decrypts; None if the keyring holds no key and none is to be made."""
        try:
            from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415 - an optional package
        except ImportError:
            raise Missing(f"kept sign-ins need the package cryptography: {GET_LOGIN} gets it.") from None
        keys = self._settings.keys.reveal() if self._settings.keys else _key_in_keyring(make=make)
        return MultiFernet([Fernet(one.strip()) for one in keys.split(",")]) if keys else None


def _decrypted(fernet: MultiFernet, encrypted: bytes) -> dict[str, Any]:
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 - it is there, since `fernet` is

    try:
        kept = json.loads(fernet.decrypt(encrypted))
    except InvalidToken:
        return {}
    return kept if isinstance(kept, dict) else {}


def _key_in_keyring(*, make: bool) -> str | None:
    """The key in the system's keyring; None if there is none and none is to be made."""
    try:
        import keyring  # noqa: PLC0415 - an optional package
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ImportError:
        raise Missing(
            f"kept sign-ins need the package keyring: {GET_LOGIN} gets it. Or set GUIDERUNNER_KEY; this makes one: "
            f"{MAKE_KEY}"
        ) from None
    try:
        found = keyring.get_password(*IN_KEYRING)
        if found is None and make:
            keyring.set_password(*IN_KEYRING, base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode())
            found = keyring.get_password(*IN_KEYRING)
        return fernet_keys(found) if found else None
    except KeyringError as error:
        raise Missing(_no_keyring(" ".join(str(error).split()) or type(error).__name__)) from None
    except ValueError:
        raise Missing(_no_keyring(f'what it holds as "{IN_KEYRING[1]}" is no key')) from None


def _no_keyring(why: str) -> str:
    return (
        f"the system's keyring cannot hold the key of kept sign-ins ({why.rstrip('.')}). Set GUIDERUNNER_KEY instead; "
        f"this makes one: {MAKE_KEY}"
    )


# -- using a state ------------------------------------------------------------------------------------------------


def kept_for(flow: Flow[Any], settings: Settings, environment: Mapping[str, str]) -> State | None:
    """What is kept for this flow with these settings, as one state; None if nothing is.

    Args:
        flow: The flow.
        settings: What it works with.
        environment: Where SIGN_INS and GUIDERUNNER_KEY may be set, see `runner.settings.environment`.
    """
    sign_in_settings = SignInSettings.load(environment)
    if not sign_in_settings.folder.is_dir():
        return None
    kept = SignIns(sign_in_settings)
    states = [state for login in flow.logins(settings) if (state := kept.state(login.name))]
    return merged(*states) if states else None


def merged(*states: State) -> State:
    """Several states as one, for one context; of what is in more than one of them, the last one's holds."""
    cookies: dict[tuple[object, ...], Any] = {}
    origins: dict[str, dict[str, Any]] = {}
    for state in states:
        for cookie in state.get("cookies", []):
            cookies[tuple(cookie.get(part) for part in ("name", "domain", "path", "partitionKey"))] = cookie
        for origin in state.get("origins", []):
            there = origins.get(origin["origin"], {})
            entries = {one["name"]: one for one in [*there.get("localStorage", []), *origin.get("localStorage", [])]}
            origins[origin["origin"]] = {**there, **origin, "localStorage": list(entries.values())}
    return {"cookies": list(cookies.values()), "origins": list(origins.values())}


_OF_A_SESSION = re.compile(r"sess|sid\b|token|auth|jwt|login|logged|secret|csrf|xsrf|\bid\b", re.IGNORECASE)
"""Names of what tells one visitor from another."""

_ORDINARY = re.compile(r"[A-Z]?[a-z]+([-_. ][A-Z]?[a-z]+)*|[\d.:+-]+|https?://\S+|[^@\s]+@[\w.-]+")
"""Words, numbers, times, addresses: they stand in texts too, and are no keys."""


_APART = re.compile(r"[^A-Za-z0-9_-]+")
"""What stands between the parts of a cookie."""

_IS_KEY = re.compile(r"(?=.*\d)(?=.*[A-Za-z])(?![0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-)[A-Za-z0-9_-]+")
"""A part that is a key, and neither words nor the id of an account, which stands in addresses."""


def secrets_in(state: State, name: str) -> Iterator[Secret]:
    """What would let somebody else in.

    That is long values of cookies that only the server reads or that are named like a session, and such values in
    local storage. Short ones and ordinary words stay out: redacting those would tear what has nothing to do with them.

    Args:
        state: A state.
        name: What it is a part of; shown in place of the values.
    """
    values = [
        (cookie["name"], cookie["value"])
        for cookie in state.get("cookies", [])
        if cookie.get("httpOnly") or _OF_A_SESSION.search(cookie["name"])
    ]
    for origin in state.get("origins", []):
        for entry in origin.get("localStorage", []):
            values += _within(entry["name"], entry["value"])
    seen: set[str] = set()
    for called, value in values:
        plain = unquote(value)
        if len(value) < SECRET_VALUE or _ORDINARY.fullmatch(plain):
            continue
        # Servers encode what they put in a cookie; pages and traces may show it either way, or a part of it.
        keys = [part for part in _APART.split(plain) if len(part) >= SECRET_VALUE and _IS_KEY.fullmatch(part)]
        for form in (value, plain, *keys):
            if form not in seen:
                seen.add(form)
                yield Secret(form, f"{called} of {name}")


def _within(name: str, value: str) -> list[tuple[str, str]]:
    """The values in an entry of local storage that are named like a session, also deep inside its JSON."""
    try:
        read = json.loads(value)
    except ValueError:
        read = value
    found: list[tuple[str, str]] = []

    def look(called: str, what: object) -> None:
        if isinstance(what, dict):
            for key, inner in what.items():
                look(str(key), inner)
        elif isinstance(what, list):
            for inner in what:
                look(called, inner)
        elif isinstance(what, str) and _OF_A_SESSION.search(called):
            found.append((called, what))

    look(name, read)
    return found


# -- having a person sign in --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Login:
    """A place where a person can sign in; a flow offers one for each of its accounts.

    Attributes:
        called: The word for it in the command, such as `dashboard`.
        name: What the sign-in is kept under: where, and as whom.
        address: The page that asks for it, or leads to where that is asked.
        signed_in: Whether a tab shows that somebody is signed in. It is asked again after each change of the page, also
            of other sites' pages on the way, so it has to look at the address too.
    """

    called: str
    name: str
    address: str
    signed_in: Callable[[Page], bool]


def by_hand(browser: Browser, login: Login, *, patience: float, **options: Any) -> State:  # noqa: ANN401 - Playwright's
    """Have a person sign in, in a context of its own, and return the state that comes of it.

    Args:
        browser: A headed one.
        login: Where.
        patience: Seconds that the person may take.
        options: More options for the context, in Playwright's names.

    Raises:
        Missing: The page did not open, or the person closed the window or did not sign in in time.
    """
    where = plain_url(login.address)
    deadline = time.monotonic() + patience
    context = browser.new_context(**options)
    try:
        context.new_page().goto(login.address, wait_until="commit")  # a person need not wait for all of it
        # Some sign-ins open another tab, and some close one.
        while context.pages:
            watched = context.pages[-1]
            left = max(deadline - time.monotonic(), 0.001)
            signed_in = until(watched, lambda at=watched: _signed_in(login, at), timeout=left)  # type: ignore[misc]
            if signed_in is None:
                raise Missing(f"nobody signed in at {where} within {patience:.0f} seconds. Log in again.")
            if signed_in:
                return dict(context.storage_state())
    except PlaywrightError as error:
        if "closed" not in error.message:
            why = error.message.splitlines()[0].removeprefix("Page.goto: ").partition(" at http")[0]
            raise Missing(f"{where} did not open: {why}. Check its address in the settings.") from None
    finally:
        if browser.is_connected():
            context.close()
    raise Missing(f"the window closed before anybody had signed in at {where}. Log in again.")


def _signed_in(login: Login, watched: Page) -> bool | None:
    """True when a tab shows that somebody is signed in, False when the watched one is gone, None so far."""
    if any(login.signed_in(one) for one in watched.context.pages):
        return True
    return False if watched.is_closed() else None
