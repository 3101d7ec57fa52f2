"""Secrets: values that must not be written anywhere, and the redaction of all that leaves the process.

A `Secret` does not print, format or pickle. `Secrets` knows every secret of a run, from the settings and from the
pages, and finds each in a text, whole or a piece of it, in the forms that programs write: plain, URL-encoded, base64,
JSON- and HTML-escaped, and these inside one another.
"""

from __future__ import annotations

import base64
import hmac
import html
import json
import re
import zlib
from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn
from urllib.parse import quote, quote_plus, unquote, urlsplit, urlunsplit

from runner.interruptions import uninterrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from runner.sieve import Sieve

SHORTEST = 4
"""Characters; a shorter value is in every text by chance, so that redacting it would say where it was."""

SHORT_NUMBER = 8
"""Digits; so many, such as those of a one-time code, are in many longer numbers by chance, such as in times."""

PIECE = 12
"""Characters of a secret, or of a form of it, that must not be written even without the rest."""

_SAMPLE, _STRIDE = 5, 8
"""Characters; wherever a piece stands, one sample of it begins at a multiple of the stride (5 + 8 - 1 = PIECE)."""

_LONG = 8_000
"""Characters from which a text is sifted as a whole: twenty times faster than looking up one sample after another."""

BETWEEN = re.compile("[\\s\u00ad\u200b-\u200d\u2060\ufeff]+")
"""What may stand between the characters of a secret on a page: spaces, and signs that only let it wrap."""

_HALF = re.compile("[\ud800-\udfff]")

_DEEP = 3
"""So many encodings inside one another are undone."""


class Secret:
    """A value that is used and never shown.

    Args:
        value: The secret itself.
        name: What it is, in words; shown in its place.
    """

    __slots__ = ("_value", "name")

    def __init__(self, value: str, name: str) -> None:
        self._value = value
        self.name = name

    def reveal(self) -> str:
        """The value, for the one place that types it into a page."""
        return self._value

    def __repr__(self) -> str:
        return f"<secret: {self.name}>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"the {self.name} is a secret and is never serialised")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(Secret)  # what has the same value is the same, whatever it is called


class Secrets:
    """All secrets of one run."""

    def __init__(self) -> None:
        self._secrets: list[Secret] = []
        self._names: dict[str, str] = {}
        self._short: re.Pattern[str] | None = None
        self._samples: dict[str, list[tuple[str, int]]] = {}
        self._sieve: Sieve | None = None
        self._in_pieces: set[str] = set()
        self._ordinary: list[str] = []

    def add(self, secret: Secret, *, pieces: bool = True) -> Secret:
        """Register `secret` and return it; from now on nothing that leaves the process shows it.

        Args:
            secret: What must not be written.
            pieces: Nor any piece of it. Not so where pieces are no secrets, such as the user's name in a cookie.

        Raises:
            ValueError: The value is shorter than `SHORTEST`, so that it cannot be told from ordinary text.
        """
        if len(secret.reveal()) < SHORTEST:
            raise ValueError(f"the {secret.name} has fewer than {SHORTEST} characters and cannot be kept secret")
        written = forms(secret.reveal())
        if pieces:
            self._in_pieces |= written  # it may have been known as one that counts whole only
        if secret in self._secrets:
            return secret
        self._secrets.append(secret)
        self._sieve = None
        for form in written - self._names.keys():
            self._names[form] = secret.name
            if len(form) >= PIECE:
                for at in range(len(form) - _SAMPLE + 1):
                    self._samples.setdefault(form[at : at + _SAMPLE], []).append((form, at))
        short = [form for form in self._names if len(form) < PIECE]
        self._short = re.compile("|".join(map(_alone, sorted(short, key=len, reverse=True)))) if short else None
        return secret

    def let_stand(self, *texts: str) -> None:
        """Texts that are no secrets, such as the account's address: a piece that stands in one of them stays."""
        self._ordinary += [
            form for text in texts for form in {text, quote(text, safe=""), BETWEEN.sub("", text)} if text
        ]

    def __iter__(self) -> Iterator[Secret]:
        return iter(self._secrets)

    def redact(self, text: str) -> str:
        """The text with every secret, in every known form, and every piece of one, replaced by its name."""
        written, end = [], 0
        for start, stop, name in self.places(text):
            written += [text[end:start], f"[{name}]"]
            end = stop
        return "".join([*written, text[end:]]) if end else text

    def redact_deep(self, text: str, depth: int = _DEEP) -> str:
        """The same, also inside what is encoded in the text; what cannot be taken out of it takes all of it along.

        Half of a character, as a page has that cuts its texts, becomes a sign for it: it cannot be written to any file.
        """
        text = _HALF.sub("\N{REPLACEMENT CHARACTER}", text)
        if not self.find_deep(text, depth):
            return text
        clean = text
        if depth:
            # From the outside in: a piece taken out of the midst of an encoded text would leave the rest of the secret.
            clean = self._redact_json(clean, depth)
            for encoding in _ENCODINGS:
                clean = self._redact_encoded(clean, encoding, depth)
            for plain in (*unescaped(clean), unquote(clean)):
                if any(form in plain and form not in clean for form in self._names):
                    clean = self.redact(plain)
        clean = self.redact(clean)
        left = self.find_deep(clean, depth)
        return f"[{', '.join(sorted(left))}]" if left else clean

    def _redact_encoded(self, text: str, encoding: _Encoding, depth: int) -> str:
        def redacted(found: re.Match[str]) -> str:
            plain = encoding.undo(found[0])
            return encoding.do(self.redact_deep(plain, depth - 1)) if self.find_deep(plain, depth - 1) else found[0]

        return encoding.looks.sub(redacted, text)

    def _redact_json(self, text: str, depth: int) -> str:
        if not text.lstrip().startswith(("{", "[", '"')):
            return text
        try:
            value = json.loads(text)
        except ValueError:
            return text
        return json.dumps(self.redact_all(value, depth - 1), separators=(",", ":"))

    def redact_all(self, value: Any, depth: int = _DEEP) -> Any:  # noqa: ANN401 - whatever JSON holds
        """What JSON holds, with every text in it redacted deeply, names too."""
        if isinstance(value, str):
            return self.redact_deep(value, depth)
        if isinstance(value, dict):
            return {self.redact_deep(name, depth): self.redact_all(one, depth) for name, one in value.items()}
        return [self.redact_all(one, depth) for one in value] if isinstance(value, list) else value

    def find(self, text: str) -> set[str]:
        """Names of the secrets that stand in `text`, whole or in pieces."""
        return {name for _, _, name in self.places(text)}

    def find_among_bytes(self, data: bytes) -> set[str]:
        """Names of the secrets that stand, whole or in pieces, in what is no text, such as a picture or a video."""
        # Where no form has other characters than ASCII's, each byte can be read for itself, in no time.
        return self.find(data.decode("latin-1" if all(map(str.isascii, self._names)) else "utf-8", "surrogateescape"))

    def find_deep(self, text: str, depth: int = _DEEP) -> set[str]:
        """The same, also inside what is encoded in the text, and in that, `depth` times."""
        names = self.find(text)
        if depth and len(text) >= SHORTEST:
            for plain in unescaped(text):
                names |= self.find(plain)
                text = plain
            for inner in decoded(text):
                names |= self.find_deep(inner, depth - 1)
        return names

    def spread(self, texts: Sequence[str]) -> dict[int, str]:
        """Which of the texts that follow one another on a page hold a part of a secret of `PIECE` characters or more.

        It may be split among them, such as by elements that let it wrap, and have spaces or invisible signs in it.

        Returns:
            The secret's name by the number of the text.
        """
        # On most pages there is none: that is seen sooner in all of it at once. What joins them is a space, too.
        found = self._long_places(BETWEEN.sub("", "\x1f".join(texts))) if self._samples else []
        if not found:
            return {}
        apart = [BETWEEN.sub("", text) for text in texts]
        ends = list(accumulate(map(len, apart)))
        return {
            number: name
            for start, end, name in found
            for number in range(bisect_right(ends, start), bisect_left(ends, end) + 1)
            if apart[number]
        }

    def places(self, text: str) -> list[tuple[int, int, str]]:
        """Start, end and name of every secret in the text, in their order; the longest where several overlap."""
        found = [(m.start(), m.end(), self._names[m[0]]) for m in self._short.finditer(text)] if self._short else []
        if self._samples:
            found += self._long_places(text)
        if len(found) < 2:  # noqa: PLR2004 - one overlaps with none
            return found
        apart: list[tuple[int, int, str]] = []
        for start, end, name in sorted(set(found), key=lambda one: (one[0], -one[1])):
            if not apart or start >= apart[-1][1]:
                apart.append((start, end, name))
            elif end > apart[-1][1]:
                before = apart.pop()
                longer = name if end - start > before[1] - before[0] else before[2]
                apart.append((before[0], end, longer))
        return apart

    def _long_places(self, text: str) -> list[tuple[int, int, str]]:
        """Where the forms stand that are not short, whole or in pieces."""
        found: list[tuple[int, int, str]] = []
        samples, width, searched = self._samples, _SAMPLE, 0
        every: Iterable[int] = range(0, len(text) - width + 1, _STRIDE)
        if len(text) >= _LONG:
            every = self._sifted(text)
        for at in [at for at in every if text[at : at + width] in samples]:
            if at + width <= searched:
                continue  # within what was found already
            for form, offset in samples[text[at : at + width]]:
                start, end = _around(text, at, form, offset)
                whole = end - start == len(form)
                piece = end - start >= PIECE and form in self._in_pieces
                if whole or (piece and not any(text[start:end] in one for one in self._ordinary)):
                    found.append((start, end, self._names[form]))
                    searched = max(searched, end)
        return found

    def _sifted(self, text: str) -> list[int]:
        with uninterrupted():  # numpy, imported by half, could not be imported any more
            from runner.sieve import Sieve  # noqa: PLC0415 - numpy takes 80 ms to import, and a run begins without it
        sieve = self._sieve = self._sieve or Sieve(list(self._samples), _SAMPLE, _STRIDE)
        return sieve.sift(text)


def _around(text: str, at: int, form: str, offset: int) -> tuple[int, int]:
    """Where the piece of `form` begins and ends in `text` of which `form[offset]` stands at `at`."""
    if text.startswith(form, at - offset) and at >= offset:
        return at - offset, at - offset + len(form)
    start, first = at, offset
    while start > 0 and first > 0 and text[start - 1] == form[first - 1]:
        start, first = start - 1, first - 1
    end, last = at, offset
    while end < len(text) and last < len(form) and text[end] == form[last]:
        end, last = end + 1, last + 1
    return start, end


def forms(value: str) -> set[str]:
    """The ways in which programs write `value`: plain, URL-encoded, base64, JSON- and HTML-escaped."""
    raw = value.encode()
    found = {value, quote(value), quote(value, safe=""), quote_plus(value)}
    found |= {quote(value, safe=kept) for kept in (_KEPT_IN_PARTS, _KEPT_IN_ADDRESSES)}
    # Without its spaces an application password opens as much.
    found |= {alone} if len(alone := BETWEEN.sub("", value)) >= SHORTEST else set()
    as_address = unquote(value)  # an address keeps a percent sign as it is
    found |= {as_address} if len(as_address) >= SHORTEST else set()
    found |= {html.escape(value), html.escape(value, quote=False)}
    found |= {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    # Inside a longer text base64 has one of three alignments; the characters that depend on the neighbours are cut.
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        begin = 0 if shift == 0 else shift + 1
        end = len(encoded) if (shift + len(raw)) % 3 == 0 else len(encoded) - 1
        core = encoded[begin:end]
        if len(core) >= 2 * SHORTEST:
            found |= {core, core.replace("+", "-").replace("/", "_")}
    return found


_KEPT_IN_PARTS = "!'()*"
"""What JavaScript's encodeURIComponent leaves as it is, besides what Python always does (ECMAScript, 19.2.6)."""

_KEPT_IN_ADDRESSES = _KEPT_IN_PARTS + ";/?:@&=+$,#"
"""The same of encodeURI."""


def _alone(form: str) -> str:
    """The expression that finds a form; a short number only where it is no part of a longer one, or of a fraction."""
    found = re.escape(form)
    if not (form.isdecimal() and len(form) <= SHORT_NUMBER):
        return found
    # The digit before it may be the end of an encoded character, as in %22 or \u0022.
    return rf"(?:(?<!\d)(?<!\d\.)|(?<=%[0-9A-Fa-f]\d)|(?<=\\u[0-9A-Fa-f]{{3}}\d)){found}(?!\.?\d)"


class _Encoding(NamedTuple):
    """How something encoded looks in a text, how it is undone, and how it is done again.

    Attributes:
        sign: What is in each line that has some.
    """

    sign: str
    looks: re.Pattern[str]
    undo: Callable[[str], str]
    do: Callable[[str], str]


def _from_base64(text: str) -> str:
    """The text that is encoded in base64, of either alphabet, packed or not; nothing if none is."""
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        data = base64.b64decode(plain + "=" * (-len(plain) % 4))
        # In what is no text a secret has one of its forms in base64.
        return (inflated(data, UNPACKED) if data.startswith(PACKED) else data).decode()
    except (ValueError, zlib.error):
        return ""


PACKED = (b"x\x01", b"x^", b"x\x9c", b"x\xda", b"\x1f\x8b")
"""How what is packed begins, by zlib (RFC 1950) or gzip (RFC 1952); what counts visitors sends so what they did."""

UNPACKED = 1 << 24
"""Bytes; nobody packs more of what was done on a page into one word."""


def inflated(data: bytes, at_most: int = 0) -> bytes:
    """What was packed by zlib or gzip, or so many bytes of it; 0 means all.

    Raises:
        zlib.error: It was not packed, or is damaged.
    """
    whole = b""
    while data:  # several that were packed one by one may follow one another
        one = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        whole += one.decompress(data, at_most - len(whole) if at_most else 0)
        data = one.unused_data if not at_most or len(whole) < at_most else b""
    return whole


def _to_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _from_percent(text: str) -> str:
    return unquote(text.replace("+", " "), errors="surrogateescape")


def _to_percent(text: str) -> str:
    return quote(text, errors="surrogateescape")


# A word is looked at once, from its beginning: a picture in base64 has millions of characters.
_PERCENT = r"""(?<![^\s"'<>&=?;#])[^\s"'<>&=?;#%]*+%[^\s"'<>&=?;#]*+"""

_PERCENT_SIGN = re.compile("%[0-9A-Fa-f]{2}")

_ENCODINGS = (
    _Encoding("%", re.compile(_PERCENT), _from_percent, _to_percent),
    _Encoding("", re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}"), _from_base64, _to_base64),
)


def decoded(text: str) -> Iterator[str]:
    """What is encoded in `text`, by percent signs or in base64; each as one text."""
    lines = text.split("\n")
    # Whole lines too: addresses keep signs at which words end, such as an apostrophe, and encode what is beside them.
    if percent := "\n".join(dict.fromkeys(line for line in lines if _PERCENT_SIGN.search(line))):
        yield unquote(percent, errors="surrogateescape")
    for encoding in _ENCODINGS:
        found = (word for line in lines if encoding.sign in line for word in encoding.looks.findall(line))
        # The same words stand in a page, and in its styles, again and again.
        inner = "\n".join(filter(None, map(encoding.undo, dict.fromkeys(found))))
        if inner:
            yield inner


def unescaped(text: str) -> Iterator[str]:
    """The text without the escapes of HTML; then without those of JSON and scripts, and after that without HTML's too.

    Each time that something was undone, since a secret may itself hold what looks like an escape.
    """
    yield from _without(_ENTITY, html.unescape, text)
    plain = text
    for plain in _without(_ESCAPE, _without_backslashes, text):
        yield plain
    if plain != text:
        yield from _without(_ENTITY, html.unescape, plain)


def _without(escape: re.Pattern[str], undo: Callable[[str], str], text: str) -> Iterator[str]:
    for _ in range(_DEEP):
        if not escape.search(text):
            return
        text = undo(text)
        yield text


def _without_backslashes(text: str) -> str:
    return _ESCAPE.sub(_character, text)


def _character(escape: re.Match[str]) -> str:
    """What an escape stands for; what lies beyond 16 bits, such as an emoji, has two of them."""
    first, second, number, itself = escape.groups()
    if first:
        return bytes.fromhex(first + second).decode("utf-16-be")
    character = chr(int(number[1:], 16)) if number else itself
    return escape[0] if "\ud800" <= character <= "\udfff" else character  # half of a character is none


_ESCAPE = re.compile(
    r"""\\(?:u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|(u[0-9a-f]{4}|x[0-9a-f]{2})|(["'/\\]))""", re.IGNORECASE
)
_ENTITY = re.compile(r"&(#\d+|#x[0-9a-f]+|[a-z][a-z0-9]+);", re.IGNORECASE)


_SENSITIVE = re.compile(r"token|secret|key|nonce|code|state|pass|auth|sig|session|ticket", re.IGNORECASE)


def plain_url(url: str) -> str:
    """The address without user information and without the values of query parameters that may be secret."""
    try:
        parts = urlsplit(url)
    except ValueError:  # a page may call anything an address, such as webpack://[name]/x.js
        return url.partition("?")[0]
    host = parts.netloc.rpartition("@")[2]
    pairs = [pair.partition("=") for pair in parts.query.split("&") if pair]
    query = "&".join(f"{name}{eq}{'…' if _SENSITIVE.search(name) and value else value}" for name, eq, value in pairs)
    return urlunsplit((parts.scheme, host, parts.path, query, ""))
