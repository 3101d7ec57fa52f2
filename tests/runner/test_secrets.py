"""Secrets do not print, and are found in every form in which programs write them."""

from __future__ import annotations

import base64
import gzip
import json
import pickle
import zipfile
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, urlencode

import pytest

from runner.secrets import Secret, Secrets, plain_url

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VALUE = 'pÄss/word+"&<x> 9_-'


@pytest.fixture
def secrets() -> Secrets:
    """A registry with one awkward secret."""
    known = Secrets()
    known.add(Secret(VALUE, "password"))
    return known


def test_a_secret_shows_its_name_only() -> None:
    """str, repr and format say what it is, not what it holds."""
    secret = Secret(VALUE, "password")
    assert {str(secret), repr(secret), f"{secret}", f"{secret:>5}"} == {"<secret: password>"}


def test_a_secret_is_never_pickled() -> None:
    """A queue or a cache that pickles its arguments cannot carry it."""
    with pytest.raises(TypeError, match="never serialised"):
        pickle.dumps(Secret(VALUE, "password"))


def test_secrets_are_equal_by_value() -> None:
    """The same value under the same name is the same secret."""
    assert Secret("abcd", "a") == Secret("abcd", "a")
    assert Secret("abcd", "a") != Secret("abce", "a")
    assert Secret("abcd", "a") != "abcd"


FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent-encoded": quote,
    "percent-encoded, slashes too": lambda value: quote(value, safe=""),
    "form-encoded": quote_plus,
    "in a form": lambda value: urlencode({"user": "x", "password": value, "more": "y"}),
    "JSON": json.dumps,
    "JSON, not ASCII": lambda value: json.dumps({"a": value}, ensure_ascii=False),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 after one byte": lambda value: base64.b64encode(b"u" + value.encode()).decode(),
    "basic auth": lambda value: base64.b64encode(b"admin:" + value.encode() + b"!").decode(),
    "URL-safe base64": lambda value: base64.urlsafe_b64encode(b"xy" + value.encode() + b"zz").decode(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_every_form_is_redacted(secrets: Secrets, form: Callable[[str], str]) -> None:
    """Whatever wrote the secret into a text, it goes, and its name takes its place."""
    written = f"before {form(VALUE)} after"
    redacted = secrets.redact(written)
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")
    assert "[password]" in redacted
    assert VALUE not in redacted
    assert secrets.find(written) == {"password"}


def test_other_text_stays_as_it_is(secrets: Secrets) -> None:
    """Redaction touches nothing else."""
    text = "Fill in the password, then press Continue (50 % done)."
    assert secrets.redact(text) == text
    assert not secrets.find(text)


def test_the_longer_secret_wins(secrets: Secrets) -> None:
    """A secret that begins with another one leaves no rest behind."""
    secrets.add(Secret(VALUE + "-and-more", "token"))
    assert secrets.redact(VALUE + "-and-more") == "[token]"


def test_a_value_that_is_too_short_is_refused(secrets: Secrets) -> None:
    """Redacting a value of three letters would redact half of every text."""
    with pytest.raises(ValueError, match="fewer than 4"):
        secrets.add(Secret("abc", "pin"))


def test_the_scan_looks_into_every_file_name_and_archive(secrets: Secrets, tmp_path: Path) -> None:
    """A secret is found in text, in gzip, in a zip inside a zip, in a file's name, and in an entry's name."""
    data = f"token={quote(VALUE)}".encode()
    (tmp_path / "clean.txt").write_text("nothing here")
    (tmp_path / "plain.log").write_bytes(b"\xff\xfe binary " + VALUE.encode())
    (tmp_path / "packed.gz").write_bytes(gzip.compress(data))
    with zipfile.ZipFile(tmp_path / "inner.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("resources/body.json", data)
    with zipfile.ZipFile(tmp_path / "outer.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tmp_path / "inner.zip", "inner.zip")
    with zipfile.ZipFile(tmp_path / "names.zip", "w") as archive:
        archive.writestr(f"{quote(VALUE, safe='')}.txt", "x")
    (tmp_path / quote(VALUE, safe="")).write_text("x")
    found = {path.name for path, name in secrets.scan(tmp_path) if name == "password"}
    assert found == {"plain.log", "packed.gz", "inner.zip", "outer.zip", "names.zip", quote(VALUE, safe="")}


def test_a_url_loses_what_may_be_secret() -> None:
    """User information and the values of telling parameters go; the rest of the address stays."""
    url = "https://me:pw@example.com/wp-admin/admin.php?page=pantheon&bvnonce=12ab&blogvaultkey=xyz&tab=1#part"
    assert plain_url(url) == "https://example.com/wp-admin/admin.php?page=pantheon&bvnonce=…&blogvaultkey=…&tab=1"


@pytest.mark.parametrize(
    "text", ["code=287082", "the code 287082.", "%22287082%22", r"\u0022287082\u0022", "x287082y", '"287082"']
)
def test_a_short_number_is_found(secrets: Secrets, text: str) -> None:
    """A one-time code is redacted wherever it stands alone."""
    secrets.add(Secret("287082", "code"))
    assert secrets.redact(text) == text.replace("287082", "[code]")


@pytest.mark.parametrize("text", ["1732287082", "2870825", "12.287082", "287082.5"])
def test_a_short_number_is_not_found_in_other_numbers(secrets: Secrets, text: str) -> None:
    """A time or a measure that happens to hold its digits stays as it is, so that what programs read stays whole."""
    secrets.add(Secret("287082", "code"))
    assert secrets.redact(text) == text
