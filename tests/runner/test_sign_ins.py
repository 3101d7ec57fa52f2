"""Kept sign-ins are encrypted, are used until they end, and say clearly when somebody has to log in again."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import KeyringLocked

from runner.errors import Missing, WrongSettings, WrongUsage
from runner.secrets import Secrets
from runner.sign_ins import MAKE_KEY, Login, SignIns, SignInSettings, by_hand, fernet_keys, merged, secrets_in

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OTHER_KEY = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
NAME = "dashboard https://dashboard.example you@example.com"
SESSION = "s%3AZq3abcdefgh0123456789%2Fxyz"
NOW = 1_800_000_000.0


def cookie(name: str, value: str, **more: Any) -> dict[str, Any]:
    """A cookie as Playwright's storage_state has it."""
    about = {"domain": "dashboard.example", "path": "/", "expires": -1, "httpOnly": False, "secure": True}
    return {"name": name, "value": value, **about, "sameSite": "Lax", **more}


STATE = {
    "cookies": [cookie("session", SESSION, httpOnly=True)],
    "origins": [{"origin": "https://dashboard.example", "localStorage": [{"name": "theme", "value": "dark"}]}],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where sign-ins are kept, not yet there."""
    return tmp_path / "data" / "sign-ins"


def sign_ins(folder: Path, key: str = KEY) -> SignIns:
    """The sign-ins in a folder, by a key in the environment or, without one, in the keyring."""
    given = {"GUIDERUNNER_SIGN_INS": str(folder), "GUIDERUNNER_KEY": key}
    return SignIns(SignInSettings.load(given), clock=lambda: NOW)


class Keyring(KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self, *, keeps: bool = True, error: Exception | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.held: dict[tuple[str, str], str] = {}
        self.keeps = keeps
        self.error = error

    def get_password(self, service: str, username: str) -> str | None:
        """What is held."""
        if self.error:
            raise self.error
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Hold it, or not."""
        if self.keeps:
            self.held[service, username] = password


@pytest.fixture
def use_keyring(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Use this keyring in a test."""
    return lambda one: monkeypatch.setattr(keyring.core, "_keyring_backend", one)


# -- keeping ------------------------------------------------------------------------------------------------------


def test_what_is_kept_comes_back(folder: Path) -> None:
    """Under its name only, and what is kept under it later takes its place."""
    kept = sign_ins(folder)
    kept.keep(NAME, {"cookies": [], "origins": []})
    kept.keep(NAME, STATE)
    kept.keep("another", {**STATE, "origins": []})
    assert sign_ins(folder).state(NAME) == STATE
    assert kept.state("a third") is None
    kept.forget(NAME)
    kept.forget(NAME)
    assert kept.state(NAME) is None
    assert kept.state("another") == {**STATE, "origins": []}


def test_the_file_tells_nothing(folder: Path) -> None:
    """Neither name nor content nor mode let anybody else know who signed in where, and nothing else is left there."""
    sign_ins(folder).keep(NAME, STATE)
    (file,) = folder.iterdir()
    data = file.name.encode() + file.read_bytes()
    assert not [word for word in ("dash", "example", "Zq3abc", "session") if word.encode() in data]
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)


def test_without_anything_kept_nothing_is_needed(folder: Path, use_keyring: Any) -> None:
    """A run that finds no sign-in asks no keyring for a key."""
    use_keyring(Keyring(error=AssertionError("asked")))
    assert sign_ins(folder, key="").state(NAME) is None


def test_cookies_that_have_ended_are_dropped(folder: Path) -> None:
    """Those of the browser's session stay: only the server knows when they end."""
    kept = sign_ins(folder)
    over, good, open_end = (
        cookie("a", "1", expires=NOW - 1),
        cookie("b", "2", expires=NOW + 1),
        cookie("c", "3", expires=-1),
    )
    kept.keep(NAME, {"cookies": [over, good, open_end], "origins": []})
    assert kept.state(NAME) == {"cookies": [good, open_end], "origins": []}
    kept.keep(NAME, {"cookies": [over], "origins": []})
    assert kept.state(NAME) is None


DAMAGE = {
    "cut": lambda data: data[:-5],
    "changed": lambda data: data[:40] + (b"A" if data[40:41] != b"A" else b"B") + data[41:],
    "empty": lambda _: b"",
    "something else": lambda _: b'{"cookies": []}',
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_file_is_said(folder: Path, damage: Any) -> None:
    """With its name and place, and what to do."""
    sign_ins(folder).keep(NAME, STATE)
    (file,) = folder.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(Missing, match=r"cannot be decrypted: .* file is damaged. Log in again") as caught:
        sign_ins(folder).state(NAME)
    assert NAME in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_file_in_the_place_of_another_is_not_used(folder: Path) -> None:
    """The sign-in of one account is never taken for another one's."""
    kept = sign_ins(folder)
    kept.keep("another", STATE)
    (file,) = folder.iterdir()
    other = file.read_bytes()
    kept.keep(NAME, STATE)
    for one in folder.iterdir():
        one.write_bytes(other)
    with pytest.raises(Missing, match="Log in again"):
        kept.state(NAME)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """By the setting's name."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(
        WrongUsage, match=r"^GUIDERUNNER_SIGN_INS: .*file/sign-ins cannot keep a sign-in: Not a directory"
    ):
        sign_ins(tmp_path / "file" / "sign-ins").keep(NAME, STATE)


# -- keys ---------------------------------------------------------------------------------------------------------


def test_another_key_is_said(folder: Path) -> None:
    """The sentence holds neither of them."""
    sign_ins(folder).keep(NAME, STATE)
    with pytest.raises(Missing, match="the key is another one") as caught:
        sign_ins(folder, OTHER_KEY).state(NAME)
    assert KEY not in str(caught.value)
    assert OTHER_KEY not in str(caught.value)


def test_a_key_can_be_changed(folder: Path) -> None:
    """The old one behind the new one still decrypts; what is kept from then on needs the new one only."""
    sign_ins(folder).keep(NAME, STATE)
    both = sign_ins(folder, f"{OTHER_KEY}, {KEY}")
    assert both.state(NAME) == STATE
    both.keep(NAME, STATE)
    assert sign_ins(folder, OTHER_KEY).state(NAME) == STATE


@pytest.mark.parametrize(
    "key", ["short", KEY[:-2], KEY + "AAAA", f"{KEY},", "correct horse battery staple, again", "ä" * 44]
)
def test_a_wrong_key_is_named_without_its_value(key: str) -> None:
    """The sentence says how to make one."""
    with pytest.raises(WrongSettings, match=r"^GUIDERUNNER_KEY: it is not a key of 44 characters") as caught:
        SignInSettings.load({"GUIDERUNNER_KEY": key})
    assert MAKE_KEY in str(caught.value)
    assert key not in str(caught.value)


def test_the_command_that_makes_a_key_makes_one() -> None:
    """As it stands in the sentences, without any package."""
    program = MAKE_KEY.partition("'")[2].rpartition("'")[0]
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    assert fernet_keys(made) == made
    assert len(made) == 44


def test_the_keyring_holds_the_key(folder: Path, use_keyring: Any) -> None:
    """It is made once, when something is first kept."""
    ours = Keyring()
    use_keyring(ours)
    sign_ins(folder, key="").keep(NAME, STATE)
    made = dict(ours.held)
    assert len(made) == 1
    sign_ins(folder, key="").keep("another", STATE)
    assert ours.held == made
    assert sign_ins(folder, key="").state(NAME) == STATE
    ours.held.clear()
    with pytest.raises(Missing, match=r"its key is no longer in the keyring. Log in again"):
        sign_ins(folder, key="").state(NAME)
    assert ours.held == {}, "a key that decrypts nothing was made"


KEYRINGS = {
    "none": (NoKeyring, "No recommended backend"),
    "locked": (lambda: Keyring(error=KeyringLocked("it is locked")), "it is locked"),
    "keeps nothing": (lambda: Keyring(keeps=False), "it keeps nothing"),
}


@pytest.mark.parametrize(("backend", "why"), KEYRINGS.values(), ids=KEYRINGS.keys())
def test_a_keyring_that_is_not_usable_is_said(folder: Path, use_keyring: Any, backend: Any, why: str) -> None:
    """With the setting that takes its place."""
    use_keyring(backend())
    with pytest.raises(Missing, match=f"keyring cannot hold the key .*{why}.* Set GUIDERUNNER_KEY instead"):
        sign_ins(folder, key="").keep(NAME, STATE)
    assert not folder.exists()


def test_a_keyring_that_holds_something_else_is_said(folder: Path, use_keyring: Any) -> None:
    """What another program put there is not shown."""
    ours = Keyring()
    use_keyring(ours)
    sign_ins(folder, key="").keep(NAME, STATE)
    ours.held = dict.fromkeys(ours.held, "Heron-Basket-17-Quarry")
    with pytest.raises(Missing, match="is no key") as caught:
        sign_ins(folder, key="").state(NAME)
    assert "Heron" not in str(caught.value)


@pytest.mark.parametrize(("package", "key"), [("cryptography.fernet", KEY), ("keyring", "")])
def test_a_package_that_is_not_installed_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, package: str, key: str
) -> None:
    """With the command that gets it."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(Missing, match=r'need the package .*pip install "guiderunner\[login\]"'):
        sign_ins(folder, key).keep(NAME, STATE)


# -- using --------------------------------------------------------------------------------------------------------


def test_states_are_merged() -> None:
    """For one context: of what both have, the later one's holds; the same name on another host is something else."""
    first = {
        "cookies": [cookie("session", "old"), cookie("session", "other", domain="source.example")],
        "origins": [
            {"origin": "https://a.example", "localStorage": [{"name": "x", "value": "1"}, {"name": "y", "value": "1"}]}
        ],
    }
    second = {
        "cookies": [cookie("session", "new")],
        "origins": [
            {"origin": "https://a.example", "localStorage": [{"name": "y", "value": "2"}]},
            {"origin": "https://b.example", "localStorage": []},
        ],
    }
    assert merged(first, second) == {
        "cookies": [cookie("session", "new"), cookie("session", "other", domain="source.example")],
        "origins": [
            {"origin": "https://a.example", "localStorage": [{"name": "x", "value": "1"}, {"name": "y", "value": "2"}]},
            {"origin": "https://b.example", "localStorage": []},
        ],
    }
    assert merged() == {"cookies": [], "origins": []}
    assert [one["value"] for one in first["cookies"]] == ["old", "other"], "the states themselves stay as they are"


JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqbyJ9.c2lnbmF0dXJl"


def stored(name: str, value: object) -> dict[str, Any]:
    """A state with an entry in local storage."""
    entry = {"name": name, "value": value if isinstance(value, str) else json.dumps(value)}
    return {"cookies": [], "origins": [{"origin": "https://dashboard.example", "localStorage": [entry]}]}


LETS_IN = {
    "a cookie for the server only": ({"cookies": [cookie("x", SESSION, httpOnly=True)]}, [SESSION, "s:Zq3abcdefgh0123456789/xyz"]),
    "a cookie named like a session": ({"cookies": [cookie("PHPSESSID", "0123456789abcdef0123")]}, ["0123456789abcdef0123"]),
    "letters only": ({"cookies": [cookie("session_token", "QkZpLwXyTnVbRsAeKd")]}, ["QkZpLwXyTnVbRsAeKd"]),
    "a token in local storage": (stored("access_token", JWT), [JWT]),
    "a token deep inside": (stored("@@auth@@", {"body": [{"access_token": JWT, "scope": "openid profile email"}]}), [JWT]),
}  # fmt: skip


@pytest.mark.parametrize(("state", "values"), LETS_IN.values(), ids=LETS_IN.keys())
def test_what_would_let_somebody_in_is_a_secret(state: dict[str, Any], values: list[str]) -> None:
    """As it is kept, and as a page would show it; and so is each key that it is made of."""
    found = [secret.reveal() for secret in secrets_in(state, NAME)]
    assert found[: len(values)] == values
    assert all(any(one in value for value in values) for one in found)
    secrets = Secrets()
    for secret in secrets_in(state, "dashboard"):
        secrets.add(secret)
    for value in values:
        assert value not in secrets.redact(f"Cookie: x={value}; y={quote(value)}")


ORDINARY = {
    "a choice": cookie("theme", "dark", httpOnly=True),
    "a short value": cookie("session_kind", "x9_k-2.b7", httpOnly=True),
    "words": cookie("last_session_workspace", "Quayside Press Workspace", httpOnly=True),
    "words with dashes": cookie("session-site", "larkfield-pottery-studio"),
    "an address": cookie("login_return", quote("https://dashboard.example/sites", safe=""), httpOnly=True),
    "an e-mail address": cookie("login_hint", "rowan.ellis%40example.com"),
    "a time": cookie("last_login", "1800000000.123456789"),
    "a visitor's number of some statistics": cookie("_ga", "GA1.2.1234567890.1800000000"),
}


@pytest.mark.parametrize("one", ORDINARY.values(), ids=ORDINARY.keys())
def test_ordinary_words_are_no_secrets(one: dict[str, Any]) -> None:
    """Redacting them would tear sentences and addresses that have nothing to do with it."""
    assert [secret.reveal() for secret in secrets_in({"cookies": [one], "origins": []}, NAME)] == []


# -- having a person sign in --------------------------------------------------------------------------------------


PAGE = "data:text/html,<h1>Log in</h1>"


@pytest.mark.browser
def test_a_person_signs_in(browser: Browser) -> None:
    """What is waited for is what the login says, on any tab, also when the first one closes; a state comes of it."""
    opened: list[Page] = []

    def signed_in(page: Page) -> bool:
        if not opened:
            page.context.add_cookies([{"name": "session", "value": SESSION, "url": "https://toy.example"}])
            opened.append(page.context.new_page())
            opened[0].set_content("<title>Welcome</title>")
            page.close()
            return False
        return page.title() == "Welcome"

    state = by_hand(browser, Login("toy", "toy", PAGE, signed_in), patience=20)
    assert [one["value"] for one in state["cookies"]] == [SESSION]
    assert browser.contexts == []


@pytest.mark.browser
def test_a_page_that_does_not_open_is_said(browser: Browser) -> None:
    """Nobody waits before an empty window."""
    with pytest.raises(Missing, match=r"^http://127\.0\.0\.1:1/in did not open: net::ERR_\w+\. Check its address"):
        by_hand(browser, Login("toy", "toy", "http://127.0.0.1:1/in", lambda _: False), patience=20)
    assert browser.contexts == []


@pytest.mark.browser
@pytest.mark.parametrize(("close", "sentence"), [(False, "nobody signed in"), (True, "the window closed")])
def test_a_person_who_does_not_sign_in_is_told(browser: Browser, close: bool, sentence: str) -> None:
    """When the time is over, and when the window was closed."""

    def never(page: Page) -> bool:
        if close:
            page.close()
        return False

    with pytest.raises(Missing, match=f"{sentence} .*Log in again"):
        by_hand(browser, Login("toy", "toy", PAGE, never), patience=1)
    assert browser.contexts == []
