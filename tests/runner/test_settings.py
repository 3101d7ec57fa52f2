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


@pytest.mark.parametrize("name", ["PANTHEON_WORKSPCE", "PANTHEON_WORKSAPCE", "PANTHEON_WORK_SPACE"])
def test_a_misspelt_workspace_is_not_passed_over(name: str) -> None:
    """The site would be made in the workspace that the dashboard opens with, under a name that cannot be changed."""
    with pytest.raises(WrongSettings, match=f"PANTHEON_WORKSPACE: it is not set, but {name} is, which is no setting"):
        MigrationSettings.load({**COMPLETE, name: "Widgets"})


@pytest.mark.parametrize(
    "others",
    [
        {"PANTHEON_WORKSPCE": "Widgets", "PANTHEON_WORKSPACE": "Gadgets"},
        {"PANTHEON_WORKSPCE": ""},
        {"PANTHEON_WORKSPACE_2": "Widgets", "NEW_SITE_NAME_OLD": "x", "WP_ADMIN_PASSWORD_1": "battery"},
        {"PANTHEON_SITE": "x", "PANTHEON_TOKEN": "x", "SMTP_PASSWD": "x", "REVOKE_TOKNE": "1"},
    ],
)
def test_a_name_that_may_be_for_something_else_is_left_alone(others: dict[str, str]) -> None:
    """A setting that is set is not looked for; numbered names hold the secrets of fleets; other programs have their own."""
    assert MigrationSettings.load({**COMPLETE, **others}).site_name == "Larkfield Pottery"


def test_a_misspelt_name_keeps_no_run_from_going_on() -> None:
    """What it is about stays as it was when it began, without a workspace; the rest is read as it is now."""
    before = MigrationSettings.load({**COMPLETE, "PAGE_TIMEOUT": "90s"}).plain()
    now = {"PANTHEON_PASSWORD": "other", "WP_ADMIN_PASSWORD": "other", "PANTHEON_WORKSPCE": "Widgets"}
    again = MigrationSettings.load_again(now, before)
    assert (again.workspace, again.page_timeout) == (None, 90)
    with pytest.raises(WrongSettings, match="PANTHEON_WORKSPCE"):
        MigrationSettings.load({**before, **now})


def test_a_named_file_has_to_be_there(tmp_path: Path) -> None:
    """A typing mistake in --env-file is not taken for an empty file."""
    with pytest.raises(
        WrongSettings, match=r'nowhere\.env is not there. "guiderunner list --env > .*nowhere\.env" writes'
    ):
        environment(tmp_path / "nowhere.env")
    with pytest.raises(WrongSettings, match=r"is no file"):
        environment(tmp_path)


@pytest.mark.parametrize(
    ("broken", "where"),
    [
        ('PANTHEON_WORKSPACE="Widgets', "line 2"),
        ('PANTHEON_WORKSPACE="Wid"gets"', "line 2"),
        ("NEW SITE=x", "line 2"),
        ("PANTHEON_WORKSPACE='a\nNEW_SITE_NAME='b", "line 2"),
        ("A B=1\nC=2\nD E=3", "lines 2, 4"),
    ],
)
def test_a_line_that_cannot_be_read_is_not_passed_over(tmp_path: Path, broken: str, where: str) -> None:
    """It could be the workspace, and the site would be made in another one; what it holds could be a password."""
    file = tmp_path / "site.env"
    file.write_text(f"PANTHEON_EMAIL=me@example.com\n{broken}\nREVOKE_TOKEN=1\n")
    with pytest.raises(WrongSettings, match=rf"site\.env, {where}: neither NAME=value nor a comment") as caught:
        environment(file)
    assert "gets" not in str(caught.value)


def test_what_shells_and_other_systems_write_is_read(tmp_path: Path) -> None:
    """Windows' line ends and its mark at the beginning, quotes, `export`, names without a value, comments, several lines."""
    file = tmp_path / "site.env"
    lines = [
        "\ufeffTOY_FIRST=Käse",
        "export TOY_SECOND='a \"b\" #c'",
        "TOY_THIRD=p#q $r  # which is no part of it",
        "TOY_FOURTH",
        "  # TOY_FIFTH=no",
        'TOY_SIXTH="a',
        'b"',
        "TOY_SEVENTH=it's",
    ]
    file.write_bytes("\r\n".join([*lines, ""]).encode())
    assert {name: value for name, value in environment(file).items() if name.startswith("TOY_")} == {
        "TOY_FIRST": "Käse",
        "TOY_SECOND": 'a "b" #c',
        "TOY_THIRD": "p#q $r",
        "TOY_SIXTH": "a\nb",
        "TOY_SEVENTH": "it's",
    }


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user's, such as root's where cron runs as somebody else."""
    file = tmp_path / "site.env"
    file.touch()

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(file), "open", refused)
    with pytest.raises(WrongSettings, match=r"site\.env cannot be read: Permission denied\."):
        environment(file)


def test_a_folder_of_the_files_name_holds_no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a virtual environment named .env: nobody has named it as the file."""
    (tmp_path / ".env").mkdir()
    monkeypatch.chdir(tmp_path)
    assert "PATH" in environment()


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


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("HTTPS://WWW.Example.com:443/", "https://www.example.com"),
        ("https://Müller.de:8443/ä", "https://xn--mller-kva.de:8443/ä"),
        ("straße.de", "https://xn--strae-oqa.de"),
        ("http://Example.com:80/Blog/", "http://example.com/Blog"),
        ("https://[::1]:8443", "https://[::1]:8443"),
        ("Example.com:80", "https://example.com:80"),
        ("https://example.com:8080", "https://example.com:8080"),
    ],
)
def test_one_place_has_one_address(text: str, address: str) -> None:
    """What must not be done twice at a dashboard would else be done twice if its address is written otherwise."""
    assert url(text) == address


@pytest.mark.parametrize("text", ["ftp://x.com", "https://", "https://a b.com", "https://ä..de"])
def test_what_is_not_an_address(text: str) -> None:
    """Only web addresses are taken."""
    with pytest.raises(ValueError, match="is not a web address"):
        url(text)


def test_an_address_must_not_carry_a_password() -> None:
    """A password in an address would be shown wherever the address is."""
    with pytest.raises(ValueError, match="their own settings"):
        url("https://me:secret@example.com")


@pytest.mark.parametrize(
    "text",
    [
        "ftp://me:s3cr3t@example.com",
        "https://me:s3c r3t@example.com",
        "https://me:s3cr3t/x@example.com",
        "https://me:s3cr3t#x@example.com",
        "https://me:s3cr3t?x@example.com",
        "https://me:s3[cr3t@example.com",
        "me:s3cr3t?x@example.com",
    ],
)
def test_a_password_that_makes_it_no_address_is_not_shown(text: str) -> None:
    """With a slash in it the address of another host would be taken, and stand in the ledger with the password."""
    with pytest.raises(ValueError, match="is not a web address") as caught:
        url(text)
    assert "s3c" not in str(caught.value)


@pytest.mark.parametrize("text", ["https://example.com/@me", "https://example.com:8443/a?b=c@d", "example.com"])
def test_an_at_sign_elsewhere_is_part_of_an_address(text: str) -> None:
    """Only what stands before the host is a user."""
    assert url(text).endswith(text)


def test_a_password_of_basic_auth_is_long_enough_to_be_kept_secret() -> None:
    """That is said with the other settings, before anything begins."""
    with pytest.raises(WrongSettings, match="SOURCE_BASIC_AUTH: its password has fewer than 4 characters"):
        MigrationSettings.load({**COMPLETE, "SOURCE_BASIC_AUTH": "visitor:abc"})
    assert MigrationSettings.load({**COMPLETE, "SOURCE_BASIC_AUTH": "v:abcd"}).source_basic_auth


def test_equal_secrets_of_two_settings_keep_both_names_out_of_sight() -> None:
    """The same password for both accounts is redacted as well."""
    settings = MigrationSettings.load({**COMPLETE, "WP_ADMIN_PASSWORD": "correct horse"})
    assert all(isinstance(secret, Secret) for secret in settings.secrets())
