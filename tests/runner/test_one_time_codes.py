"""One-time codes are those of RFC 6238, each is given once, and what cannot make any is said without showing it."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import pytest

from runner.errors import WrongSettings
from runner.one_time_codes import OneTimeCodes, totp, totp_secret
from runner.secrets import Secret, Secrets
from runner.settings import Settings, setting

KEY = b"12345678901234567890"
SECRET = base64.b32encode(KEY).decode()


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        """What it shows."""
        return self.now


@pytest.fixture
def secrets() -> Secrets:
    """A run's registry."""
    return Secrets()


def codes(secrets: Secrets, clock: Clock, secret: str = SECRET) -> OneTimeCodes:
    """The codes of one account."""
    return OneTimeCodes(Secret(secret, "TOTP"), keep=lambda value, name: secrets.add(Secret(value, name)), clock=clock)


# RFC 6238, appendix B
VECTORS = {
    ("SHA1", KEY): {59: "94287082", 1111111109: "07081804", 1234567890: "89005924", 20000000000: "65353130"},
    ("SHA256", b"12345678901234567890123456789012"): {59: "46119246", 1111111109: "68084774", 20000000000: "77737706"},
    ("SHA512", (b"1234567890" * 7)[:64]): {59: "90693936", 1111111109: "25091201", 20000000000: "47863826"},
}


@pytest.mark.parametrize(("kind", "expected"), VECTORS.items(), ids=[kind for kind, _ in VECTORS])
def test_the_codes_are_those_of_the_standard(kind: tuple[str, bytes], expected: dict[int, str]) -> None:
    """With each of its three digests, by an address as a QR code holds it."""
    algorithm, key = kind
    secret = base64.b32encode(key).decode().rstrip("=")
    made = totp(f"otpauth://totp/Example:jo%40example.com?secret={secret}&algorithm={algorithm}&digits=8&image=x")
    assert {at: made.at(at) for at in expected} == expected


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        SECRET.lower(),
        "gezd gnbv gy3t qojq gezd gnbv gy3t qojq",
        "GEZD-GNBV-GY3T-QOJQ-GEZD-GNBV-GY3T-QOJQ====",
        f"otpauth://totp/jo?secret={SECRET.lower()}",
        f"OTPAUTH://TOTP/Example?Issuer=Other&Secret={SECRET}&period=30",
    ],
)
def test_a_secret_is_read_as_people_write_it(text: str) -> None:
    """In any case, in groups, or as an address: the same codes."""
    assert totp(text).at(59) == "287082"
    assert totp_secret(text) == text


WRONG = {
    "a code": ("287082", "it is a one-time code itself"),
    "no base32": ("Heron-Basket-17-Quarry", "neither a secret in base32"),
    "a letter lost": ("GEZDGNBVG", "neither a secret in base32"),
    "not ASCII": ("ÄÖÜß" * 4, "neither a secret in base32"),
    "a counter's": (f"otpauth://hotp/jo?secret={SECRET}&counter=1", "codes that a counter makes"),
    "an address without a secret": ("otpauth://totp/jo?issuer=Example", "holds no secret"),
    "an address with a wrong one": ("otpauth://totp/jo?secret=Heron-Basket-18", "neither a secret in base32"),
    "another digest": (f"otpauth://totp/jo?secret={SECRET}&algorithm=MD5", "none of SHA1, SHA256, SHA512"),
    "other digits": (f"otpauth://totp/jo?secret={SECRET}&digits=5", "neither 6 nor 7 nor 8 digits"),
    "no period": (f"otpauth://totp/jo?secret={SECRET}&period=half", "not a number of seconds"),
}


@pytest.mark.parametrize(("text", "sentence"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_setting_is_named_without_its_value(text: str, sentence: str) -> None:
    """The sentence says what is wrong, and holds no part of the text."""

    @dataclass(frozen=True, kw_only=True)
    class Account(Settings):
        secret: Secret = setting("TOTP", help="makes codes", secret=True, parse=totp_secret)

    with pytest.raises(WrongSettings, match=f"^TOTP: .*{sentence}") as caught:
        Account.load({"TOTP": text})
    assert text not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_code_is_given_once(secrets: Secrets) -> None:
    """Services refuse one that was used: the next comes with the next half minute."""
    clock = Clock(60)
    ours = codes(secrets, clock)
    first = ours.next()
    assert first
    assert ours.next() is None
    clock.now = 85
    assert ours.next() is None
    clock.now = 90
    second = ours.next()
    assert second
    assert first != second


def test_a_code_that_is_about_to_end_is_not_given(secrets: Secrets) -> None:
    """It might end on its way."""
    clock = Clock(87.5)
    ours = codes(secrets, clock)
    assert ours.next() is None
    clock.now = 86.9
    assert ours.next()


def test_codes_and_their_secret_are_secrets(secrets: Secrets) -> None:
    """The code and the bare secret are redacted from the moment they are known."""
    ours = codes(secrets, Clock(35), f"otpauth://totp/jo?secret={SECRET}")
    code = ours.next()
    assert code
    assert code.reveal() == "287082"
    assert secrets.redact(f"typed {code.reveal()} of {SECRET}.") == "typed [one-time code of TOTP] of [TOTP]."
