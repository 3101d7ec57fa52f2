"""The sites of a fleet are read as spreadsheet programs write them; all that is wrong is named, no secret is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from runner.errors import WrongSettings, WrongUsage
from runner.flow import Flow
from runner.run import Run
from runner.settings import Settings, seconds, setting, switch
from runner.sites import Site, read_sites

if TYPE_CHECKING:
    from pathlib import Path

    from runner.secrets import Secret

PASSWORD = "HERONBASKET_17"
"""A password that looks like a variable's name."""

HERE = {"NAME_1": PASSWORD, "KEY_2": "Saddle-Orchid-44-Tunnel", "OWNER": "rowan", "PASSWORD": "Quarry-Lamp-90-Fern"}


@dataclass(frozen=True, kw_only=True)
class ToySettings(Settings):
    """What a toy is about."""

    name: str = setting("NAME", help="name")
    owner: str = setting("OWNER", help="owner")
    patience: float = setting("PATIENCE", help="patience", default="30s", parse=seconds)
    password: Secret = setting("PASSWORD", help="password", secret=True)
    key: Secret | None = setting("KEY", help="key", default="", secret=True, instead="none")
    tidy: bool = setting("TIDY", help="tidy", default="0", parse=switch, in_fleets="1")

    @property
    def subject(self) -> str:
        """The toy's name, however it is written."""
        return self.name.lower()

    @property
    def site(self) -> str:
        """The same."""
        return self.name

    @property
    def account(self) -> str:
        """The owner."""
        return self.owner


TOY: Flow[Run[ToySettings]] = Flow("toy", edition="1", run=Run, settings=ToySettings)


def read(folder: Path, content: str | bytes, here: dict[str, str] | None = None) -> list[Site]:
    """Read a file with this content."""
    path = folder / "sites.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_sites(path, TOY, HERE if here is None else here)


def problems(folder: Path, content: str | bytes, here: dict[str, str] | None = None) -> list[str]:
    """What is said to be wrong with it."""
    with pytest.raises(WrongUsage) as caught:
        read(folder, content, here)
    first, *lines = str(caught.value).splitlines()
    assert first.endswith("sites.csv: nothing was started.")
    return lines


def test_a_row_is_a_site_and_what_it_leaves_out_comes_from_the_environment(tmp_path: Path) -> None:
    """Plain settings travel by their values, secrets by their variables' names; a fleet has defaults of its own."""
    ball, kite = read(tmp_path, "NAME,PASSWORD,KEY,PATIENCE\nBall,NAME_1,,\nKite,,KEY_2,2m\n")
    assert ball == Site(
        flow="toy",
        subject="ball",
        site="Ball",
        account="rowan",
        plain={"NAME": "Ball", "OWNER": "rowan", "PATIENCE": "30.0", "TIDY": "1"},
        secrets={"PASSWORD": "NAME_1"},
        edition="1",
    )
    assert kite.plain["PATIENCE"] == "120.0"
    assert kite.secrets == {"PASSWORD": "PASSWORD", "KEY": "KEY_2"}
    assert kite.environment(HERE)["KEY"] == "Saddle-Orchid-44-Tunnel"
    assert not [value for value in HERE.values() if value in repr(Site.of(kite.values())) and value != "rowan"]


@pytest.mark.parametrize(
    "content",
    [
        "NAME,OWNER\nBall,rowan\nKite,ash\n",
        "\ufeffNAME;OWNER\r\nBall;rowan\r\n;;\r\nKite;ash;\r\n",
        "sep=;\r\nname;owner\r\nBall;rowan\r\nKite;ash\r\n",
        'NAME\tOWNER\n"Ball"\t"rowan"\n\nKite\tash',
        "\ufeffNAME,OWNER\nBall,rowan\nKite,ash".encode("utf-16-le"),
    ],
    ids=["plain", "BOM, semicolons, empty rows", "sep=, lower case", "tabs, quotes", "UTF-16"],
)
def test_a_file_is_read_as_a_spreadsheet_program_writes_it(tmp_path: Path, content: str | bytes) -> None:
    """Byte order mark, semicolons, quotes, line ends, empty rows and cells at the end."""
    assert [(site.site, site.account) for site in read(tmp_path, content)] == [("Ball", "rowan"), ("Kite", "ash")]


def test_a_name_with_a_comma_and_a_line_end_in_quotes_is_one_cell(tmp_path: Path) -> None:
    """And the lines after it are numbered as an editor numbers them."""
    content = 'NAME,PATIENCE\n"Ball, red\nand blue",30s\nKite,never\n'
    assert problems(tmp_path, content) == ['line 4: PATIENCE: "never" is not a duration, such as 90, 30s, 15m or 6h']
    assert read(tmp_path, content.replace("never", "5"))[0].site == "Ball, red\nand blue"


def test_everything_that_is_wrong_is_named_at_once_with_its_line(tmp_path: Path) -> None:
    """Columns, values, what is missing, and what is there twice, with both lines; the same sentence only once."""
    said = problems(
        tmp_path,
        "NAME,PATIENCE,PASWORD,NAME\nBall,1x,\nBALL,,,\nball,30s\n,30s\n,\n,1m\nKite,,,,,more\n",
    )
    assert said == [
        'line 1: the column "PASWORD" is no setting; is it PASSWORD?',
        "line 1: there are two columns NAME",
        'line 2: PATIENCE: "1x" is not a duration, such as 90, 30s, 15m or 6h',
        "line 4: the same as line 3: ball",
        "lines 5, 7: NAME is missing: it is neither in this row nor in the environment",
        "line 8: there are more cells than columns (4)",
    ]


def test_what_is_missing_everywhere_is_said_once(tmp_path: Path) -> None:
    """A thousand rows without a password are one problem, not a thousand."""
    rows = "".join(f"Toy {number}\n" for number in range(1000))
    assert problems(tmp_path, f"NAME\n{rows}", {"OWNER": "rowan"}) == [
        "lines 2, 3, 4, 5, 6, 7, 8, 9 and 992 more: PASSWORD is missing: it is neither in this row nor in the environment"
    ]


@pytest.mark.parametrize("cell", ["Heron-Basket-17-Quarry", PASSWORD, "name_1", "$NAME_1", "UNSET_NAME"])
def test_a_secret_in_the_file_is_refused_and_never_shown(tmp_path: Path, cell: str) -> None:
    """What is not the name of a variable that is set may be the secret itself, even if it looks like a name."""
    (said,) = problems(tmp_path, f"NAME,PASSWORD\nBall,NAME_1\nKite,{cell}\n")
    assert said.startswith("line 3: PASSWORD has to be the name of an environment variable that is set")
    assert cell not in said.replace("PASSWORD_1", "")


def test_a_word_that_stands_for_no_secret_may_be_in_the_file(tmp_path: Path) -> None:
    """It holds nothing, and comes before a variable of the setting's own name."""
    (site,) = read(tmp_path, "NAME,KEY\nBall,none\n", HERE | {"KEY": "Fern-Lamp-12-Quarry"})
    assert site.secrets == {"PASSWORD": "PASSWORD"}
    assert site.environment(HERE)["KEY"] == "none"
    assert problems(tmp_path, "NAME,PASSWORD\nBall,none\n")[0].startswith("line 2: PASSWORD has to be the name")


def test_a_secret_in_another_column_is_refused(tmp_path: Path) -> None:
    """A password that slipped into the next cell would be written down as a name."""
    (said,) = problems(tmp_path, "NAME\nBall\nQuarry-Lamp-90-Fern\n")
    assert said == "line 3: NAME holds the value of PASSWORD; a secret must never be in this file"
    assert read(tmp_path, "NAME\nadmin\n", HERE | {"PASSWORD": "admin"})[0].site == "admin"


@pytest.mark.parametrize("content", ["", "\n", "NAME,OWNER\n", "NAME,OWNER\n,\n"])
def test_a_file_without_sites_is_refused(tmp_path: Path, content: str) -> None:
    """A fleet of nothing would be done at once."""
    assert problems(tmp_path, content) == ["there are no sites in it"]


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """A wrong encoding would migrate to a wrong name; a quote that is not closed would swallow the rest."""
    with pytest.raises(WrongUsage, match="line 2: it is not text in UTF-8"):
        read(tmp_path, "NAME\nBär\n".encode("latin-1"))
    (said,) = problems(tmp_path, 'NAME\nBall\n"Kite\nTop\n')
    assert said == 'line 3: a quotation mark (") is not closed'
    (said,) = problems(tmp_path, 'NAME\nBall\n"Kite"s\n')
    assert said.startswith("line 3: it cannot be read: ")
    with pytest.raises(WrongUsage, match="cannot be read: No such file"):
        read_sites(tmp_path / "nowhere.csv", TOY, HERE)


def test_a_machine_without_a_secret_says_which(tmp_path: Path) -> None:
    """All variables that it lacks are named."""
    (site,) = read(tmp_path, "NAME,PASSWORD,KEY\nBall,NAME_1,KEY_2\n")
    with pytest.raises(WrongSettings) as caught:
        site.environment({"OWNER": "ash"})
    assert str(caught.value).splitlines() == [
        "PASSWORD: this machine has no environment variable NAME_1.",
        "KEY: this machine has no environment variable KEY_2.",
    ]
