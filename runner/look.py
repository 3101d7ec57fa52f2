"""How the images of a flow look: read from `look.toml` beside the flow, and from a user's own file on top of it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal, cast, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from runner.errors import WrongUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

Mark = Literal["outline", "number", "arrow", "none"]
Scheme = Literal["light", "dark"]
Sides = tuple[float, float, float, float]

LARGEST = 5000
"""CSS pixels on a side of the viewport, at most: browsers draw no larger ones."""


@dataclass(frozen=True, kw_only=True)
class ImageLook:
    """How one image looks.

    Attributes:
        element: Playwright selector of the element that is shown; unset, all of the viewport.
        region: What is shown of the viewport instead: x, y, width, height in CSS pixels.
        trim: CSS pixels left below the last thing on the page where nothing more is; all if None, in a file false.
        padding: CSS pixels around the element: top, right, bottom, left; in a file also one number for all four.
        mark: How the control is marked that the step names: outline, number, arrow or none.
        number: The number of the mark, where it is one.
        viewport: Another viewport for this image: width, height in CSS pixels.
        heading: Regular expression for a heading that the page must have.
        at: Name of the setting whose host the page must be at.
        cover: Playwright selectors of elements that are covered.
        window: The image shows another tab behind: where this tab's window lies on it, CSS pixels from left and top.
    """

    element: str | None = None
    region: Sides | None = None
    trim: float | None = 32
    padding: Sides = (24, 24, 24, 24)
    mark: Mark = "outline"
    number: int | None = None
    viewport: tuple[int, int] | None = None
    heading: str | None = None
    at: str | None = None
    cover: tuple[str, ...] = ()
    window: tuple[float, float] = (440, 72)


@dataclass(frozen=True, kw_only=True)
class Replacements:
    """Which texts of a page become others on its image, in fields too.

    Attributes:
        settings: By the name of the setting whose value is replaced.
        facts: By the name of what the run has learned.
        texts: By the text itself.
        patterns: By a regular expression.
        elements: By a Playwright selector of elements, whose whole text becomes another.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    patterns: Mapping[str, str] = field(default_factory=dict)
    elements: Mapping[str, str] = field(default_factory=dict)

    def texts_for(self, settings: Mapping[str, str], facts: Mapping[str, str]) -> dict[str, str]:
        """Text and what it becomes, with what is known now.

        Args:
            settings: The run's settings that are no secrets, as texts.
            facts: What it has learned.
        """
        found: dict[str, str] = {}
        for known, wanted in ((settings, self.settings), (facts, self.facts)):
            found |= {known[name]: instead for name, instead in wanted.items() if known.get(name)}
        found |= self.texts
        # Pages also name a site by its host alone.
        hosts = {_host(text): _host(instead) for text, instead in found.items()}
        return {text: instead for text, instead in hosts.items() if text and instead} | found


def _host(text: str) -> str:
    """The host of an address; nothing for another text."""
    return urlsplit(text).netloc.rpartition("@")[2] if "://" in text else ""


@dataclass(frozen=True, kw_only=True)
class Look:
    """How all images of a flow look.

    Attributes:
        viewport: CSS pixels, width and height.
        scale: Device pixels for each CSS pixel.
        locale: Language of the browser.
        timezone: Time zone of the browser.
        color_scheme: What it prefers: light or dark.
        clock: The time at which each page begins, without a zone; unset, the real one.
        cover: Playwright selectors of elements that are covered on every image.
        replace: Which texts become others.
        images: Each image by its path.
    """

    viewport: tuple[int, int] = (1280, 800)
    scale: float = 2
    locale: str = "en-US"
    timezone: str = "UTC"
    color_scheme: Scheme = "light"
    clock: datetime | None = None
    cover: tuple[str, ...] = ()
    replace: Replacements = field(default_factory=Replacements)
    images: Mapping[str, ImageLook] = field(default_factory=dict)

    @classmethod
    def read(cls, *paths: Path, images: Collection[str] = ()) -> Look:
        """Read one file on top of the other; one that is not there is passed over only if it is the first.

        Args:
            paths: The files.
            images: The images that there are, if they are known: files may say something of these only.

        Raises:
            WrongUsage: A file is not there, is not TOML, or says what cannot be used; names file and key.
        """
        look = cls()
        for number, path in enumerate(paths):
            if number or path.is_file():
                look = look.with_file(path, images)
        return look

    def with_file(self, path: Path, images: Collection[str] = ()) -> Look:
        """This look with what a file says on top of it."""
        try:
            said = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise WrongUsage(f"{path} cannot be read: {error.strerror}. It should say how images look.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise WrongUsage(f"{path} is not TOML: {error}.") from None
        reader = _Reader(str(path), images)
        return reader.on_top(self, said, "")

    def of(self, image: str) -> ImageLook:
        """How this image looks."""
        return self.images.get(image, ImageLook())


class _Reader:
    """Reads what a file says, and names its place when that cannot be used."""

    def __init__(self, path: str, images: Collection[str]) -> None:
        self._path = path
        self._images = images

    def on_top(self, look: Look, said: dict[str, Any], place: str) -> Look:
        values = self._values(Look, said, place)
        if "replace" in values:
            more = self._values(Replacements, values["replace"], "replace.")
            before = {each.name: getattr(look.replace, each.name) for each in fields(Replacements)}
            values["replace"] = Replacements(**{name: {**before[name], **more.get(name, {})} for name in before})
        if "images" in values:
            images = dict(look.images)
            for name, about in values["images"].items():
                place = f'images."{name}".'
                if not isinstance(about, dict):
                    raise self._wrong(place.rstrip("."), "it is not a table")
                if self._images and name not in self._images:
                    close = get_close_matches(name, self._images, n=1, cutoff=0.4)
                    closest = f"the closest is {close[0]}" if close else 'see "guiderunner list"'
                    raise self._wrong(place.rstrip("."), f"there is no such image; {closest}")
                images[name] = replace(images.get(name, ImageLook()), **self._values(ImageLook, about, place))
            values["images"] = images
        return replace(look, **values)

    def _values(self, kind: type, said: object, place: str) -> dict[str, Any]:
        if not isinstance(said, dict):
            raise self._wrong(place.rstrip("."), "it is not a table")
        names = {each.name.replace("_", "-"): each.name for each in fields(kind)}
        values = {}
        for key, value in said.items():
            if key not in names:
                raise self._wrong(place + key, f"there is no such key; there are: {', '.join(names)}")
            try:
                values[names[key]] = _CHECKS[names[key]](value)
            except ValueError as error:
                raise self._wrong(place + key, str(error)) from None
        return values

    def _wrong(self, key: str, why: str) -> WrongUsage:
        return WrongUsage(f"{self._path}: {key}: {why}")


def _numbers(count: int, what: str, *, least: float) -> Callable[[object], tuple[float, ...]]:
    def check(value: object) -> tuple[float, ...]:
        if not isinstance(value, list) or len(value) != count or not all(_is_number(each) for each in value):
            raise ValueError(f"it is not {what}, such as {list(range(100, 100 + 10 * count, 10))}")
        if not all(least <= each <= LARGEST for each in value):
            raise ValueError(f"a number in it is not from {least:g} to {LARGEST}")
        return tuple(value)

    return check


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def size(value: object) -> tuple[int, int]:
    """Width and height in CSS pixels.

    Raises:
        ValueError: They are no such size.
    """
    width, height = _numbers(2, "width and height", least=1)(value)
    return int(width), int(height)


def language(value: object) -> str:
    """The tag of a language, as browsers take it.

    Raises:
        ValueError: It does not look like one.
    """
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", _text(value)):
        raise ValueError(f'"{value}" is not the tag of a language, such as de or de-DE')
    return _text(value)


def _timezone(value: object) -> str:
    try:
        ZoneInfo(_text(value))
    except (OSError, KeyError, ValueError):
        if available_timezones():  # a small system may know none
            raise ValueError(f'"{value}" is not a time zone, such as Europe/Berlin') from None
    return _text(value)


def _padding(value: object) -> Sides:
    if _is_number(value):
        number = cast("float", value)
        return (number, number, number, number)
    return cast("Sides", _numbers(4, "top, right, bottom, left", least=0)(value))


def _region(value: object) -> Sides:
    x, y, width, height = _numbers(4, "x, y, width, height", least=0)(value)
    if not width or not height:
        raise ValueError("it shows nothing: width and height are above 0")
    return (x, y, width, height)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("it is not a text")
    return value


def _expression(value: object) -> str:
    try:
        re.compile(_text(value))
    except re.error as error:
        raise ValueError(f"it is not a regular expression: {error}") from None
    return _text(value)


def _one_of(kind: object) -> Callable[[object], str]:
    def check(value: object) -> str:
        if value not in get_args(kind):
            raise ValueError(f"it is none of {', '.join(get_args(kind))}")
        return str(value)

    return check


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("it is not a list of texts")  # noqa: TRY004 - every key's check says what is wrong so
    return tuple(map(_text, value))


def _pairs(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise ValueError("it is not a table of texts")
    return value


def _patterns(value: object) -> dict[str, str]:
    return {_expression(key): instead for key, instead in _pairs(value).items()}


def scale_factor(value: object) -> float:
    """Device pixels for each CSS pixel.

    Raises:
        ValueError: It is no such number.
    """
    if not _is_number(value) or not 1 <= cast("float", value) <= 4:  # noqa: PLR2004 - no screen has more
        raise ValueError("it is not a number from 1 to 4")
    return cast("float", value)


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 99:  # noqa: PLR2004 - fits its disc
        raise ValueError("it is not a whole number from 0 to 99")
    return value


def _trim(value: object) -> float | None:
    if value is False:
        return None
    if not _is_number(value) or not 0 <= cast("float", value) <= LARGEST:
        raise ValueError("it is neither false nor a number of CSS pixels")
    return cast("float", value)


def _clock(value: object) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo:
        raise ValueError("it is not a date and time without a zone, such as 2024-06-03T09:30:00")
    return value


def _table(value: object) -> object:
    return value


_CHECKS: dict[str, Callable[[object], Any]] = {
    "viewport": size,
    "scale": scale_factor,
    "locale": language,
    "timezone": _timezone,
    "color_scheme": _one_of(Scheme),
    "clock": _clock,
    "cover": _texts,
    "replace": _table,
    "images": _table,
    "settings": _pairs,
    "facts": _pairs,
    "texts": _pairs,
    "patterns": _patterns,
    "elements": _pairs,
    "element": _text,
    "region": _region,
    "trim": _trim,
    "padding": _padding,
    "mark": _one_of(Mark),
    "number": _number,
    "heading": _expression,
    "at": _text,
    "window": _numbers(2, "left and top", least=0),
}
"""What each key of the file holds; a key means the same wherever it stands."""
