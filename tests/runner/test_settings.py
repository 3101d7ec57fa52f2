"""Settings come from the environment and from a file, and all that is wrong with them is said at once."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from flows.wordpress_migration.settings import MigrationSettings
from runner.errors import WrongSettings
from runner.secrets import Secret
from runner.settings import environment, seconds, switch, url

if TYPE_CHECKING:
    from pathlib import Path

COMPLETE = {
    "PANTHEON_EMAIL": "rowan@example.com",
    "PANTHEON_PASSWORD": "correct horse",
    "SOURCE_SITE_URL": "www.example.com/",
    "WP_ADMIN_USERNAME": "rowan",
    "WP_ADMIN_PASSWORD": "battery staple",
    "NEW_SITE_NAME": "Larkfield Pottery",
}


def test_complete_settings_are_read() -> None:
    """Texts become values, defaults fill the rest, and a missing scheme means https."""
    settings = MigrationSettings.load(COMPLETE)
    assert settings.dashboard_url == "https://dashboard.pantheon.io"
    assert settings.source_url == "https://www.example.com"
    assert settings.migration_timeout == 6 * 3600
    assert settings.workspace is None
    assert settings.source_basic_auth is None
    assert settings.password == Secret("correct horse", "PANTHEON_PASSWORD")


def test_a_word_can_stand_for_no_secret() -> None:
    """Where a person has signed in there is no password; the word itself is nothing to keep secret."""
    settings = MigrationSettings.load({**COMPLETE, "PANTHEON_PASSWORD": "login"})
    assert settings.password is None
    assert {secret.name for secret in settings.secrets()} == {"WP_ADMIN_PASSWORD"}


def test_settings_are_frozen_and_do_not_print_secrets() -> None:
    """A settings object can be logged."""
    settings = MigrationSettings.load(COMPLETE)
    assert "horse" not in repr(settings)
    assert {secret.name for secret in settings.secrets()} == {"PANTHEON_PASSWORD", "WP_ADMIN_PASSWORD"}
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.email = "other"  # type: ignore[misc]


def test_all_that_is_missing_or_wrong_is_named_in_one_error() -> None:
    """Nobody fixes five settings in five attempts."""
    given = {**COMPLETE, "SOURCE_SITE_URL": "ftp://old", "MIGRATION_TIMEOUT": "soon", "WP_ADMIN_PASSWORD": "abc"}
    del given["PANTHEON_EMAIL"], given["NEW_SITE_NAME"]
    with pytest.raises(WrongSettings) as caught:
        MigrationSettings.load(given)
    assert caught.value.missing == ("PANTHEON_EMAIL", "NEW_SITE_NAME")
    assert [sentence.partition(":")[0] for sentence in caught.value.wrong] == [
        "SOURCE_SITE_URL",
        "WP_ADMIN_PASSWORD",
        "MIGRATION_TIMEOUT",
    ]
    assert "abc" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_secret_of_the_wrong_form_is_refused_without_being_shown() -> None:
    """SOURCE_BASIC_AUTH has to be written user:password, and its value is a secret all the same."""
    with pytest.raises(WrongSettings) as caught:
        MigrationSettings.load({**COMPLETE, "SOURCE_BASIC_AUTH": "nocolonhere"})
    assert "SOURCE_BASIC_AUTH" in str(caught.value)
    assert "nocolonhere" not in str(caught.value)


def test_the_environment_comes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A CI's variable overrides what a file says, and a $ in a password of the file stays a $."""
    file = tmp_path / "site.env"
    file.write_text('PANTHEON_EMAIL=file@example.com\nPANTHEON_PASSWORD="a$HOME${PATH}b"\nNEW_SITE_NAME=From File\n')
    monkeypatch.setenv("PANTHEON_EMAIL", "env@example.com")
    monkeypatch.setenv("NEW_SITE_NAME", "")
    read = environment(file)
    assert read["PANTHEON_EMAIL"] == "env@example.com"
    assert read["PANTHEON_PASSWORD"] == "a$HOME${PATH}b"
    assert read["NEW_SITE_NAME"] == "From File"


def test_a_named_file_has_to_be_there(tmp_path: Path) -> None:
    """A typing mistake in --env-file is not taken for an empty file."""
    with pytest.raises(WrongSettings, match=r"nowhere\.env is not there"):
        environment(tmp_path / "nowhere.env")


@pytest.mark.parametrize(("text", "value"), [("90", 90), ("30s", 30), ("15m", 900), ("6h", 21600), ("0.5h", 1800)])
def test_durations(text: str, value: float) -> None:
    """A duration is a number with or without a unit."""
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "0", "-5", "soon", "5d", "inf", "nan"])
def test_what_is_not_a_duration(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match="is not a duration"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", True),
        ("Yes", True),
        ("true", True),
        ("on", True),
        ("0", False),
        ("no", False),
        ("FALSE", False),
        ("off", False),
    ],
)
def test_switches(text: str, value: bool) -> None:
    """Yes and no, as people write them."""
    assert switch(text) is value


@pytest.mark.parametrize("text", ["", "maybe", "2", "yes please"])
def test_what_is_no_switch(text: str) -> None:
    """Anything else is refused, since neither guess would be safe."""
    with pytest.raises(ValueError, match="neither yes nor no"):
        switch(text)


@pytest.mark.parametrize("text", ["ftp://x.com", "https://", "https://a b.com"])
def test_what_is_not_an_address(text: str) -> None:
    """Only web addresses are taken."""
    with pytest.raises(ValueError, match="is not a web address"):
        url(text)


def test_an_address_must_not_carry_a_password() -> None:
    """A password in an address would be shown wherever the address is."""
    with pytest.raises(ValueError, match="their own settings"):
        url("https://me:secret@example.com")


def test_equal_secrets_of_two_settings_keep_both_names_out_of_sight() -> None:
    """The same password for both accounts is redacted as well."""
    settings = MigrationSettings.load({**COMPLETE, "WP_ADMIN_PASSWORD": "correct horse"})
    assert all(isinstance(secret, Secret) for secret in settings.secrets())
