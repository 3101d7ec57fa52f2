"""One-time codes (TOTP, RFC 6238): what an authenticator app would show, each given once."""

from __future__ import annotations

import base64
import binascii
import hashlib
import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from pyotp import TOTP

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.secrets import Secret

ENDING = 3.0
"""Seconds before a code's end in which it is no longer given: it might end on its way."""

DIGITS = (6, 7, 8)
"""How many digits a code may have (RFC 6238; RFC 4226, section 5.3)."""

_DIGESTS = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256, "SHA512": hashlib.sha512}


def totp(text: str) -> TOTP:
    """What makes the codes, from the text that a service shows beside its QR code or that the QR code holds.

    Args:
        text: The secret in base32, in any case, with or without blanks and dashes; or an `otpauth://totp/` address
            (the key URI format of Google Authenticator's documentation), whose further parameters are passed over.

    Raises:
        ValueError: Codes cannot be made from it. The message never holds the text.
    """
    if not text.lower().startswith("otpauth:"):
        return TOTP(_base32(text))
    uri = urlsplit(text)
    if uri.netloc.lower() != "totp":
        raise ValueError("it is not an otpauth://totp/ address: codes that a counter makes are not supported")
    said = {name.lower(): values[0] for name, values in parse_qs(uri.query).items()}
    if "secret" not in said:
        raise ValueError("the otpauth:// address holds no secret")
    digest = said.get("algorithm", "SHA1").upper().replace("-", "").removeprefix("HMAC")
    digits, period = said.get("digits", "6"), said.get("period", "30")
    if digest not in _DIGESTS:
        raise ValueError(f"the otpauth:// address names an algorithm that is none of {', '.join(_DIGESTS)}")
    if not (digits.isdecimal() and int(digits) in DIGITS):
        raise ValueError("the otpauth:// address asks for codes that have neither 6 nor 7 nor 8 digits")
    if not (period.isdecimal() and int(period) > 2 * ENDING):
        raise ValueError("the otpauth:// address has a period that is not a number of seconds above 6")
    return TOTP(_base32(said["secret"]), digits=int(digits), digest=_DIGESTS[digest], interval=int(period))


def totp_secret(text: str) -> str:
    """The text itself, for a setting, when codes can be made from it.

    Raises:
        ValueError: As `totp`.
    """
    totp(text)
    return text


def _base32(text: str) -> str:
    bare = "".join(text.replace("-", "").split()).rstrip("=").upper()
    if bare.isdecimal() and len(bare) in DIGITS:
        raise ValueError("it is a one-time code itself, not the secret that such codes are made from")
    try:
        key = base64.b32decode(bare + "=" * (-len(bare) % 8))
    except (binascii.Error, ValueError):  # ValueError: not even ASCII
        key = b""
    if not key:
        raise ValueError("it is neither a secret in base32 (letters and the digits 2 to 7) nor an otpauth:// address")
    return bare


class OneTimeCodes:
    """The codes of one account in one run.

    Args:
        secret: What they are made from, see `totp`; its name stands in messages.
        keep: Registers a value as a secret before anything is done with it (`Run.keep_secret`).
        off_camera: Keeps a tab off the video while a code stands in it (`Run.off_camera`).
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        secret: Secret,
        *,
        keep: Callable[[str, str], Secret],
        off_camera: Callable[[Any], AbstractContextManager[None]] = lambda _: nullcontext(),
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.setting = secret.name
        self.off_camera = off_camera
        self._keep = keep
        self._clock = clock or time.time
        self._totp = totp(secret.reveal())
        self._given: float | None = None
        # As the secret alone it may stand where the whole text does not, such as on a page that sets it up.
        keep(self._totp.secret, secret.name)

    @property
    def period(self) -> float:
        """Seconds for which a code is good, and in which the next one comes."""
        return self._totp.interval

    def next(self) -> Secret | None:
        """The code of this moment; None while that has been given already or is about to end: ask again."""
        now = self._clock()
        number, gone = divmod(now, self.period)
        if number == self._given or self.period - gone < ENDING:
            return None
        self._given = number
        return self._keep(self._totp.at(int(now)), f"one-time code of {self.setting}")
