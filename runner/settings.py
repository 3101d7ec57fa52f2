"""Settings: frozen dataclasses read from the environment and from a .env file; the environment comes first.

A flow declares what it needs with `setting(...)`; `load` reads all of it and names everything that is missing or
malformed in one error.
"""

from __future__ import annotations

import dataclasses
import difflib
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import urlsplit

from dotenv.parser import parse_stream

from runner.errors import WrongSettings
from runner.secrets import SHORTEST, Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

ALIKE = 0.9
"""How alike two names are, as `difflib` counts it, of which one is the other misspelt."""


@dataclass(frozen=True)
class Setting:
    """One setting: its name in the environment, what it is for, and how its text is read."""

    name: str
    help: str
    required: bool
    secret: bool
    example: str
    default: str
    parse: Callable[[str], object]
    fixed: bool
    in_fleets: str
    instead: str


def setting(
    name: str,
    *,
    help: str,  # noqa: A002 - the word that Typer and argparse use for the same thing
    default: str | None = None,
    example: str = "",
    secret: bool = False,
    parse: Callable[[str], object] = str,
    fixed: bool = False,
    instead: str = "",
    in_fleets: str = "",
) -> Any:  # noqa: ANN401 - as dataclasses.field, it stands where a value of any type is declared
    """Declare a field of a Settings class.

    Args:
        name: Name in the environment and in .env.
        help: What it is for, in one sentence.
        default: Text to read when nothing is set; None makes the setting required.
        example: A value for what `example` writes.
        secret: The value is wrapped in `Secret` and never shown.
        parse: Makes the value from its text; raises ValueError with the reason (without the text, for a secret).
        instead: Word that can stand in a secret's place and means that there is none; the value is None then.
        fixed: It says what a run is about, and stays as it was when the run goes on.
        in_fleets: Text to read instead of the default where many runs are performed at once.
    """

    def read(text: str) -> object:
        if instead and text == instead:
            return None
        value = parse(text)
        return _secret(text, name) if secret else value

    about = Setting(name, help, default is None, secret, example, default or "", read, fixed, in_fleets, instead)
    return dataclasses.field(metadata={"setting": about})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Base of all settings classes."""

    @classmethod
    def about(cls) -> Iterator[tuple[str, Setting]]:
        """Field name and declaration of each setting, in the order of declaration."""
        for field in dataclasses.fields(cls):
            yield field.name, cast("Setting", field.metadata["setting"])

    @classmethod
    def load(cls, environment: Mapping[str, str]) -> Self:
        """Read all settings from `environment` (see `environment()`).

        Raises:
            WrongSettings: Something is missing or malformed; all of it is named.
        """
        values: dict[str, object] = {}
        missing, wrong = [], []
        others = {name for name, value in environment.items() if value} - {about.name for _, about in cls.about()}
        for field, about in cls.about():
            text = environment.get(about.name, "").strip()
            if about.fixed and not text and (other := _misspelt(about.name, others)):
                # Passed over, it would have something else done than what is meant, such as in another workspace.
                wrong.append(f"{about.name}: it is not set, but {other} is, which is no setting. Correct that name.")
                continue
            text = text or about.default
            if not text and about.required:
                missing.append(about.name)
                continue
            try:
                values[field] = about.parse(text) if text else None if about.secret else about.parse("")
            except ValueError as error:
                wrong.append(f"{about.name}: {error}.")
        if missing or wrong:
            raise WrongSettings(missing=missing, wrong=wrong)
        return cls(**values)

    @property
    def subject(self) -> str:
        """What must not be done twice, the same for every run that would do it; nothing where all may be repeated."""
        return ""

    @property
    def site(self) -> str:
        """What a run with these settings is about, for people."""
        return ""

    @property
    def account(self) -> str:
        """The account that a run signs in with; how often that happens can be limited."""
        return ""

    def plain(self) -> dict[str, str]:
        """The settings that are no secrets, by name, as texts that `load` reads."""
        values = {about.name: getattr(self, field) for field, about in self.about() if not about.secret}
        set_ones = {name: value for name, value in values.items() if value is not None}
        return {name: _as_text(value) for name, value in set_ones.items()}

    @classmethod
    def load_again(cls, environment: Mapping[str, str], before: Mapping[str, str]) -> Self:
        """Read the settings of a run that goes on: what it is about stays as it was.

        Args:
            environment: See `environment()`.
            before: What `plain` said when the run began.

        Raises:
            WrongSettings: Something is missing or malformed; all of it is named.
        """
        stay = {about.name for _, about in cls.about() if about.fixed}
        now = {about.name: environment[about.name] for _, about in cls.about() if about.name in environment}
        unset = dict.fromkeys(stay, "")
        return cls.load({**before, **now, **unset, **{name: before[name] for name in stay & set(before)}})

    def secrets(self) -> Iterator[Secret]:
        """The secrets among the settings, found by their type."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Secret):
                yield value


def _as_text(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    return str(int(value) if isinstance(value, bool) else value)


def example(*classes: type[Settings]) -> str:
    """A .env file with every setting of these classes: what it is for, and an example or the default as its value."""
    blocks = ["# A value with # after a space needs quotes, single ones if it holds double ones: 'Shop \"A\" #1'.\n"]
    for about in (about for one in classes for _, about in one.about()):
        value = about.default or about.example
        line = f'{about.name}="{value}"' if " " in value else f"{about.name}={value}"
        blocks.append(f"# {about.help}.\n{line if about.required else f'# {line}'}\n")
    return "\n".join(blocks)


def environment(env_file: Path | None = None) -> dict[str, str]:
    """The environment over the .env file.

    Args:
        env_file: The file; None means `.env` in the current folder, if there is one.

    Raises:
        WrongSettings: A file was named and is not there, or it cannot be read.
    """
    path = env_file or Path(".env")
    if env_file and not env_file.is_file():
        if env_file.exists():
            raise WrongSettings(wrong=[f"{env_file} is no file. Name one that holds the settings."])
        raise WrongSettings(
            wrong=[f'{env_file} is not there. "guiderunner list --env > {env_file}" writes one to fill in.']
        )
    from_file = _read(path) if path.is_file() or path.is_fifo() else {}
    return from_file | {name: value for name, value in os.environ.items() if value}


def _read(path: Path) -> dict[str, str]:
    """The settings of a file; a line that is passed over could be the workspace that the new site belongs to.

    Raises:
        WrongSettings: It cannot be read, or one of its lines cannot.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            lines = list(parse_stream(file))
    except UnicodeDecodeError:
        raise WrongSettings(wrong=[f"{path} is not text in UTF-8. Save it as such."]) from None
    except OSError as error:
        raise WrongSettings(wrong=[f"{path} cannot be read: {error.strerror}."]) from None
    if broken := [str(one.original.line) for one in lines if one.error]:
        where = f"line{'s' if len(broken) > 1 else ''} {', '.join(broken)}"
        raise WrongSettings(wrong=[f"{path}, {where}: neither NAME=value nor a comment; is a quote left open?"])
    return {one.key: one.value for one in lines if one.key is not None and one.value is not None}


def url(text: str) -> str:
    """An http(s) address without the trailing slash, written so that one place has one address.

    A missing scheme means https.

    Raises:
        ValueError: It is not an address, or it carries a user or a password.
    """
    address = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(address)
        host, netloc = parts.hostname or "", parts.netloc.lower()
        whole = parts.scheme in ("http", "https") and host and parts.port != 0 and " " not in address
        if not host.isascii():
            import idna  # noqa: PLC0415 - it takes 25 ms to import, and most addresses do without

            # As browsers show it: a page's address is compared with it.
            netloc = netloc.replace(host, idna.encode(host, uts46=True).decode())
    except ValueError:  # what idna raises is one too
        whole = False
    if not whole:
        # What stands before an @ may be a password, which has made it no address.
        shown = "it" if "@" in text else f'"{text}"'
        raise ValueError(f"{shown} is not a web address, such as https://www.example.com")
    if parts.username or parts.password:
        raise ValueError("the address holds a user or a password; set them in their own settings")
    usual = {"http": ":80", "https": ":443"}[parts.scheme]
    # The case of a host's name says nothing, nor does the usual port (RFC 3986, section 6.2).
    return parts._replace(netloc=netloc.removesuffix(usual).removesuffix(":")).geturl().rstrip("/")


def is_local(host: str) -> bool:
    """Whether a host is this machine, by its name or address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def seconds(text: str) -> float:
    """A duration such as 90, 30s, 15m or 6h, in seconds.

    Raises:
        ValueError: It is not a positive duration.
    """
    units = {"s": 1, "m": 60, "h": 3600}
    number, unit = (text[:-1], units[text[-1]]) if text[-1:] in units else (text, 1)
    try:
        value = float(number) * unit
    except ValueError:
        value = 0
    if not 0 < value < float("inf"):
        raise ValueError(f'"{text}" is not a duration, such as 90, 30s, 15m or 6h')
    return value


def switch(text: str) -> bool:
    """A yes or a no: 1/0, yes/no, true/false or on/off, in any case.

    Raises:
        ValueError: It is none of them.
    """
    word = text.casefold()
    if word in ("1", "yes", "true", "on"):
        return True
    if word in ("0", "no", "false", "off"):
        return False
    raise ValueError(f'"{text}" is neither yes nor no; write 1 or 0')


def path(text: str) -> Path | None:
    """A path, with ~ as the home folder; nothing means None."""
    return Path(text).expanduser() if text else None


def optional(text: str) -> str | None:
    """The text; nothing means None."""
    return text or None


def _misspelt(name: str, others: Iterable[str]) -> str | None:
    """One of the other names that can only be meant as this one; not what goes on after it, such as a number."""
    near = [one for one in others if one[:3] == name[:3] and not one.startswith(name)]
    return next(iter(difflib.get_close_matches(name, near, n=1, cutoff=ALIKE)), None)


def _secret(text: str, name: str) -> Secret:
    if len(text) < SHORTEST:
        raise ValueError(f"it has fewer than {SHORTEST} characters")
    return Secret(text, name)
