"""Secrets do not print, and are found in every form in which programs write them."""

from __future__ import annotations

import base64
import gzip
import html
import json
import pickle
import zlib
from html.entities import codepoint2name
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, urlencode

import pytest

from runner.secrets import Secret, Secrets, plain_url

if TYPE_CHECKING:
    from collections.abc import Callable

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
    """Whatever they are called, as members of a set too."""
    assert len({Secret("abcd", "a"), Secret("abcd", "b")}) == 1
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


NESTED: dict[str, Callable[[str], str]] = {
    "percent-encoded twice": lambda value: quote(quote(value, safe=""), safe=""),
    "base64 of JSON": lambda value: base64.b64encode(json.dumps({"token": value}).encode()).decode(),
    "base64 of what is percent-encoded": lambda value: base64.b64encode(f"a={quote(value)}&b=1".encode()).decode(),
    "JSON within JSON": lambda value: json.dumps({"body": json.dumps({"password": value})}),
    "JSON within JSON, in a script": lambda value: "let state = " + json.dumps(json.dumps({"p": value})) + ";",
    "percent-encoded base64 in a query": lambda value: (
        "https://x.example/?a=1&auth=" + quote(base64.b64encode(f"user:{value}".encode()).decode(), safe="")
    ),
    "base64 in JSON in base64": lambda value: base64.b64encode(
        json.dumps({"inner": base64.b64encode(json.dumps([value]).encode()).decode()}).encode()
    ).decode(),
}


@pytest.mark.parametrize("form", NESTED.values(), ids=NESTED.keys())
def test_what_is_encoded_more_than_once_is_redacted_deeply(secrets: Secrets, form: Callable[[str], str]) -> None:
    """Undone from the outside in, redacted, and done again: nothing of the secret is left, however it is read."""
    written = f"before {form(VALUE)} after"
    assert secrets.find_deep(written) == {"password"}
    redacted = secrets.redact_deep(written)
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")
    assert not secrets.find_deep(redacted)
    # What stands at the secret's end is too short to be found as a piece of it.
    assert "9_-" not in redacted


AWKWARD = {
    "apostrophe": "a'b(&1d!",
    "spaces": "x'y z&q",
    "percent": "100%41'\"\\",
    "accents": "pässwörd1",
    "emoji": 'p😀ss\\wo"r',
    "words": 'it\'s <a> "b" of mine',
}
"""What a password may be, most of them too short for a piece of them to be found."""


def _as_address(value: str, encoded: str) -> str:
    """How a browser writes it into a part of an address: all but some signs stays."""
    return "".join(quote(sign, safe="") if sign in encoded or not sign.isascii() else sign for sign in value)


def _with_escapes(value: str, escape: Callable[[int], str], *, width: int = 2) -> str:
    """All signs but letters and digits, in units of UTF-16 or, where they have room there, shorter."""

    def escaped(sign: str) -> str:
        if width == 1 and ord(sign) < 256:
            return f"\\x{ord(sign):02x}"
        units = sign.encode("utf-16-be")
        return "".join(escape(int.from_bytes(units[at : at + 2])) for at in range(0, len(units), 2))

    return "".join(sign if sign.isascii() and sign.isalnum() else escaped(sign) for sign in value)


WRITTEN: dict[str, Callable[[str], str]] = {
    "encodeURIComponent": lambda value: quote(value, safe="!'()*"),
    "encodeURI": lambda value: quote(value, safe="!'()*;/?:@&=+$,#"),
    "path": lambda value: _as_address(value, ' "#<>?`{}'),
    "query": lambda value: _as_address(value, " \"#<>'"),
    "percent-encoded twice": lambda value: quote(quote(value, safe="!'()*"), safe="!'()*"),
    "htmlspecialchars": lambda value: html.escape(value).replace("&#x27;", "&#039;"),
    "htmlspecialchars twice": lambda value: html.escape(html.escape(value).replace("&#x27;", "&#039;")),
    "htmlentities": lambda value: "".join(
        f"&{codepoint2name[ord(sign)]};" if ord(sign) in codepoint2name else sign for sign in value
    ),
    "JSON of other programs": lambda value: _with_escapes(value, lambda unit: f"\\u{unit:04X}"),
    "JSON three times": lambda value: json.dumps(json.dumps(json.dumps(value))),
    "a script": lambda value: _with_escapes(value, lambda unit: f"\\u{unit:04x}", width=1),
    "packed": lambda value: base64.urlsafe_b64encode(
        zlib.compress(json.dumps([{"typed": value}] * 3).encode())
    ).decode(),
    "packed by gzip": lambda value: base64.b64encode(gzip.compress(json.dumps({"typed": value}).encode())).decode(),
}


@pytest.mark.parametrize("password", AWKWARD.values(), ids=AWKWARD.keys())
@pytest.mark.parametrize("form", WRITTEN.values(), ids=WRITTEN.keys())
def test_whatever_writes_an_awkward_password_it_is_redacted(form: Callable[[str], str], password: str) -> None:
    """Browsers, scripts, PHP and what counts visitors each encode signs of their own choice."""
    secrets = Secrets()
    secrets.add(Secret(password, "password"))
    written = f"before {form(password)} after"
    assert secrets.find_deep(written) == {"password"}
    redacted = secrets.redact_deep(written)
    assert not secrets.find_deep(redacted)
    assert password[-4:] not in redacted


ORDINARY = (
    "50% of it's there, and 20%20 more &copy; &amp;amp; 2024 &nbsp;",
    "C:\\users\\xavier \\u0041 \\x41 \\ud83d is half",
    "x^2 + y^2, eJx of eJwBAAAAAP//, H4sIAAAAAAAA, xœ",
)


@pytest.mark.parametrize("text", ORDINARY)
def test_what_only_looks_encoded_stays_as_it_is(text: str) -> None:
    """Percent signs, entities, escapes and what begins like something packed are not touched for their own sake."""
    secrets = Secrets()
    for value in AWKWARD.values():
        secrets.add(Secret(value, "password"))
    assert secrets.redact_deep(text) == text


def test_a_password_with_spaces_is_found_without_them_and_spread() -> None:
    """An application password opens as much without them, and a page may split it at each of them."""
    secrets = Secrets()
    secrets.add(Secret("abcd EFGH 1234 ijkl MNOP 5678", "application password"))
    assert secrets.redact("abcdEFGH1234ijklMNOP5678") == "[application password]"
    assert secrets.spread(["Your password: ", "abcd", "EFGH", "1234", "ijkl", "MNOP", "5678", "Done"]).keys() == {
        1,
        2,
        3,
        4,
        5,
        6,
    }


def test_a_password_of_percent_signs_takes_no_short_word_along() -> None:
    """What an address would read in it is in every text by chance."""
    secrets = Secrets()
    secrets.add(Secret("%61%62%63", "password"))
    assert secrets.redact("abc, a cab") == "abc, a cab"
    assert secrets.redact("x=%61%62%63") == "x=[password]"


def test_what_is_beside_a_secret_can_still_be_written() -> None:
    """Half of an emoji, as pages cut them, stays an escape: as a character it could not be written to any file."""
    secrets = Secrets()
    secrets.add(Secret("pässwörd1", "password"))
    secrets.redact_deep('["cut \\ud83d", "p\\u00e4ssw\\u00f6rd1" is not JSON').encode()


def test_half_of_a_character_is_a_sign_for_it(secrets: Secrets) -> None:
    """Whole ones stay, and what is said beside them."""
    assert secrets.redact_deep("Cut \ud83d, whole 😀") == "Cut \N{REPLACEMENT CHARACTER}, whole 😀"
    assert secrets.redact_all({"a": ["\ude00"]}) == {"a": ["\N{REPLACEMENT CHARACTER}"]}


def test_json_stays_json(secrets: Secrets) -> None:
    """A program can still read what was redacted, names and all."""
    value = {"a": [VALUE, 1, None], VALUE: {"b": base64.b64encode(VALUE.encode()).decode()}, "c": "plain"}
    encoded = base64.b64encode(b"[password]").decode()
    redacted = json.loads(secrets.redact_deep(json.dumps(value)))
    assert redacted["a"] == ["[password]", 1, None]
    assert redacted["[password]"]["b"] in ("[password]", encoded)
    assert redacted["c"] == "plain"


TOKEN = "Zq3-abcdefGHIJ0123456789_klmnopQRSTuvwxyz4567"


@pytest.mark.parametrize("piece", [TOKEN[:12], TOKEN[-12:], TOKEN[7:31], TOKEN[3:15]])
def test_a_piece_of_a_secret_is_a_secret(secrets: Secrets, piece: str) -> None:
    """Twelve characters of it are not written, wherever they stand and whatever is around them."""
    secrets.add(Secret(TOKEN, "token"))
    for before in range(9):
        assert secrets.redact(f"{'.' * before}{piece}…") == f"{'.' * before}[token]…"


def test_fewer_characters_than_a_piece_are_left(secrets: Secrets) -> None:
    """Eleven characters say too little to redact ordinary text for them."""
    secrets.add(Secret(TOKEN, "token"))
    assert secrets.redact(f"begins with {TOKEN[:11]}…") == f"begins with {TOKEN[:11]}…"


def test_a_piece_that_is_no_secret_stays(secrets: Secrets) -> None:
    """A cookie that holds the account's address makes no secret of the address."""
    secrets.add(Secret("robin@larkfield.example|1764|Zq3abcdefGHIJ", "cookie"))
    secrets.let_stand("robin@larkfield.example")
    assert secrets.redact("signed in as robin@larkfield.example") == "signed in as robin@larkfield.example"
    assert secrets.redact("larkfield.example|1764|Zq3") == "[cookie]"


def test_a_session_is_a_secret_whole_only(secrets: Secrets) -> None:
    """What a cookie says beside its keys, such as a path, stands in addresses too."""
    secrets.add(Secret("/workspaces/widgets/migrate|Zq3abcdefGHIJ", "session"), pieces=False)
    assert (
        secrets.redact("https://x.example/workspaces/widgets/migrate") == "https://x.example/workspaces/widgets/migrate"
    )
    assert secrets.redact("s=/workspaces/widgets/migrate|Zq3abcdefGHIJ") == "s=[session]"


def test_what_was_a_session_and_is_more_counts_in_pieces_from_then_on(secrets: Secrets) -> None:
    """A token that stood in a cookie first is a token all the same."""
    secrets.add(Secret(TOKEN, "cookie"), pieces=False)
    assert secrets.redact(TOKEN[:20]) == TOKEN[:20]
    secrets.add(Secret(TOKEN, "token"))
    assert TOKEN[:20] not in secrets.redact(TOKEN[:20])


def test_a_secret_of_one_character_again_and_again_is_found_in_one_pass(secrets: Secrets) -> None:
    """A long run of its character is not searched anew from each of its places."""
    secrets.add(Secret("a" * 60, "token"))
    assert secrets.redact("a" * 600_000 + "b").endswith("[token]b")


def test_a_long_text_without_a_secret_is_searched_in_one_pass(secrets: Secrets) -> None:
    """Millions of characters in one word, as a picture in base64 has them, take no time that grows with their square."""
    word = "0123456789abcdefghijklmnopqrstuvwxyz" * 60_000
    assert secrets.find_deep(f"data:image/png;base64,{word}") == set()
    assert secrets.find_deep(f"{word}%20{word}{quote(VALUE)}") == {"password"}


@pytest.mark.parametrize("filling", ["-", "ö", "\N{PENGUIN}", "\udcff"], ids=["ascii", "letters", "emoji", "bytes"])
@pytest.mark.parametrize("shift", range(8))
def test_a_piece_is_found_wherever_it_stands_in_a_long_text(secrets: Secrets, filling: str, shift: int) -> None:
    """A text of a report's or a trace's length is sifted first, and its last characters too."""
    secrets.add(Secret(TOKEN, "token"))
    before, between, piece = filling * (100_000 + shift), filling * 50, TOKEN[9:21]
    found = secrets.places(f"{before}{piece}{between}{piece}")
    assert found == [(start, start + 12, "token") for start in (len(before), len(before) + 62)]
    assert secrets.places(f"{before}{piece[:11]}{between}{piece[1:]}") == []


def test_a_secret_that_is_added_later_is_found_in_a_long_text_too(secrets: Secrets) -> None:
    """The token is learned in the midst of a run."""
    text = "." * 200_000 + TOKEN
    assert secrets.find(text) == set()
    secrets.add(Secret(TOKEN, "token"))
    assert secrets.find(text) == {"token"}


def test_a_url_loses_what_may_be_secret() -> None:
    """User information and the values of telling parameters go; the rest of the address stays."""
    url = "https://me:pw@example.com/wp-admin/admin.php?page=pantheon&bvnonce=12ab&blogvaultkey=xyz&tab=1#part"
    assert plain_url(url) == "https://example.com/wp-admin/admin.php?page=pantheon&bvnonce=…&blogvaultkey=…&tab=1"


def test_what_is_no_address_is_no_error() -> None:
    """A page may call anything an address."""
    assert plain_url("webpack://[name]/x.js?secret=1") == "webpack://[name]/x.js"


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
