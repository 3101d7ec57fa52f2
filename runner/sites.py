"""Reads the sites of a fleet from a CSV file, and names everything that is wrong with it before anything starts.

Each column is a setting of the flow. A secret is never in the file: its column names an environment variable that holds
it. Only that name travels to the machines that perform the runs; each of them has the secret in its own environment.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from runner.errors import WrongSettings, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from runner.flow import Flow
    from runner.settings import Setting, Settings

NAME = re.compile(r"[A-Z_][A-Z0-9_]*")
"""How an environment variable for a secret is named."""

DELIMITERS = ",;\t"
"""What stands between two columns; a spreadsheet program takes the semicolon where the comma is in numbers."""

UNMISTAKABLE = 8
"""Characters from which on a secret's value in another column is no coincidence."""

LINES_SHOWN = 8
"""Lines that are named for one problem; of more the number is said."""


@dataclass(frozen=True)
class Site:
    """One site of a fleet: what a run of it needs to know, without any secret.

    Attributes:
        flow: Name of the flow.
        subject: What must not be done twice, see `Settings.subject`.
        site: What it is about, for people.
        account: Whose sign-ins are limited, see `Settings.account`.
        plain: The settings that are no secrets, by name.
        secrets: For each setting that is one, the environment variable that holds it.
        edition: The edition that is performed; empty where it is to be recognised.
    """

    flow: str
    subject: str
    site: str
    account: str
    plain: dict[str, str]
    secrets: dict[str, str]
    edition: str = ""

    def values(self) -> dict[str, Any]:
        """The site as it travels to the machines."""
        return asdict(self)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """The site that has travelled."""
        return cls(**values)

    def environment(self, here: Mapping[str, str]) -> dict[str, str]:
        """What the flow's settings are loaded from, with the secrets of this machine's environment.

        Args:
            here: This machine's environment, see `runner.settings.environment`.

        Raises:
            WrongSettings: A secret's variable is not set here; all of them are named.
        """
        missing = [
            f"{name}: this machine has no environment variable {variable}."
            for name, variable in self.secrets.items()
            if not here.get(variable)
        ]
        if missing:
            raise WrongSettings(wrong=missing)
        return self.plain | {name: here[variable] for name, variable in self.secrets.items()}


def read_sites(path: Path, flow: Flow[Any], environment: Mapping[str, str]) -> list[Site]:
    """Read the sites of a fleet.

    Args:
        path: The CSV file, as spreadsheet programs write it.
        flow: What is performed for each site; its settings are the columns.
        environment: Where the secrets are, and the settings that have no column.

    Raises:
        WrongUsage: Something is wrong with the file; all of it is named, with the line's number, never a secret.
    """
    problems = _Problems()
    reader = _Reader(flow.settings, environment, problems)
    sites: list[Site] = []
    lines: dict[str, int] = {}
    for line, cells in _rows(path, reader, problems):
        settings, plain, secrets = reader.read(line, cells)
        if settings is None:
            continue
        subject = settings.subject
        if not subject:
            problems.add(0, f"{flow.name} does not say what must not be done twice, so a fleet of it could not go on")
            break
        if subject in lines:
            problems.add(line, f"the same as line {lines[subject]}: {subject}")
            continue
        lines[subject] = line
        sites.append(Site(flow.name, subject, settings.site, settings.account, plain, secrets, flow.edition))
    if not sites and not problems:
        problems.add(0, "there are no sites in it")
    if problems:
        raise WrongUsage("\n".join([f"{path}: nothing was started.", *problems.lines()]))
    return sites


class _Problems:
    """What is wrong with a file: the same sentence once, with all its lines."""

    def __init__(self) -> None:
        self._lines: dict[str, list[int]] = {}

    def __bool__(self) -> bool:
        return bool(self._lines)

    def add(self, line: int, sentence: str) -> None:
        """Something is wrong in a line; 0 means in all of the file."""
        self._lines.setdefault(sentence, []).append(line)

    def lines(self) -> Iterator[str]:
        """What is wrong, by the first line in which it is."""
        for sentence, lines in sorted(self._lines.items(), key=lambda problem: problem[1][0]):
            if lines == [0]:
                yield sentence
                continue
            more = f" and {len(lines) - LINES_SHOWN} more" if len(lines) > LINES_SHOWN else ""
            numbers = ", ".join(map(str, lines[:LINES_SHOWN]))
            yield f"line{'s' if len(lines) > 1 else ''} {numbers}{more}: {sentence}"


class _Reader:
    """Makes settings of a row."""

    def __init__(self, settings: type[Settings], environment: Mapping[str, str], problems: _Problems) -> None:
        self._settings = settings
        self._environment = environment
        self._problems = problems
        self.known: dict[str, Setting] = {about.name: about for _, about in settings.about()}
        self._in_fleets = {name: about.in_fleets for name, about in self.known.items() if about.in_fleets}
        secret = {name: environment.get(name, "") for name, about in self.known.items() if about.secret}
        # A short one may stand in the file for something else, such as admin.
        self._kept_secret = {value: name for name, value in secret.items() if len(value) >= UNMISTAKABLE}

    def read(self, line: int, cells: dict[str, str]) -> tuple[Settings | None, dict[str, str], dict[str, str]]:
        """The row's settings, as what is plain and the variables of its secrets; None when something is wrong."""
        secrets = {name: name for name, about in self.known.items() if about.secret and self._environment.get(name)}
        plain: dict[str, str] = {}
        wrong = False
        for name, cell in cells.items():
            if self.known[name].secret and cell != self.known[name].instead:
                # What stands there may be the secret itself: it is never shown.
                if NAME.fullmatch(cell) and self._environment.get(cell):
                    secrets[name] = cell
                    continue
                sentence = (
                    f"{name} has to be the name of an environment variable that is set and holds the secret, such as "
                    f"{name}_1; a secret must never be in this file"
                )
            elif cell in self._kept_secret:
                sentence = f"{name} holds the value of {self._kept_secret[cell]}; a secret must never be in this file"
            else:
                plain[name] = cell
                continue
            self._problems.add(line, sentence)
            wrong = True
        words = {name: cell for name, cell in plain.items() if self.known[name].secret}
        secrets = {name: variable for name, variable in secrets.items() if name not in words}
        values = {name: self._environment[variable] for name, variable in secrets.items()}
        refused = {name for name in cells if name not in plain and name not in secrets}
        try:
            settings = self._settings.load({**self._in_fleets, **self._environment, **plain, **values})
        except WrongSettings as error:
            for name in error.missing:
                if name not in refused:
                    self._problems.add(line, f"{name} is missing: it is neither in this row nor in the environment")
            for sentence in error.wrong:
                self._problems.add(line, sentence.rstrip("."))
            return None, {}, {}
        return (None if wrong else settings), settings.plain() | words, secrets


def _rows(path: Path, reader: _Reader, problems: _Problems) -> Iterator[tuple[int, dict[str, str]]]:
    """Number of the first line of each row, and its cells that are not empty, by column."""
    text = _text(path)
    first, _, rest = text.partition("\n")
    begins = 1
    if first.strip().lower().startswith("sep=") and len(first.strip()) == len("sep=;"):
        text, begins = rest, 2  # a spreadsheet program's own first line
    heading = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=heading.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: list[str] | None = None
    line = begins
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            if columns is None:
                columns = _columns(line, cells, reader, problems)
            elif any(cells):
                if any(cells[len(columns) :]):
                    problems.add(line, f"there are more cells than columns ({len(columns)})")
                else:
                    yield (
                        line,
                        {
                            name: cell
                            for name, cell in zip(columns, cells, strict=False)
                            if cell and name in reader.known
                        },
                    )
            line = begins + rows.line_num
    except csv.Error as error:
        # All that follows is in the quotes: the file ends before the row does.
        is_open = str(error) == "unexpected end of data"
        problems.add(line, 'a quotation mark (") is not closed' if is_open else f"it cannot be read: {error}")


def _columns(line: int, heading: list[str], reader: _Reader, problems: _Problems) -> list[str]:
    """The columns' settings; what is none is a problem, since its cells would count for nothing."""
    columns = [name.upper() for name in heading]
    while columns and not columns[-1]:
        columns.pop()
    for number, name in enumerate(columns):
        if name in columns[:number]:
            problems.add(line, f"there are two columns {name}")
        elif name not in reader.known:
            near = difflib.get_close_matches(name, reader.known, 1)
            other = f"is it {near[0]}?" if near else f"they are: {', '.join(reader.known)}"
            problems.add(line, f'the column "{heading[number]}" is no setting; {other}')
    return columns


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WrongUsage(f"{path} cannot be read: {error.strerror}") from None
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise WrongUsage(
            f"{path}: line {line}: it is not text in UTF-8. Save it anew; spreadsheet programs call it CSV UTF-8."
        ) from None
