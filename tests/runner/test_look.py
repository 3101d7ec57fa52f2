"""How images look is read from a file, and from a user's own on top of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from runner.errors import WrongUsage
from runner.flow import load_flows
from runner.look import ImageLook, Look

if TYPE_CHECKING:
    from pathlib import Path

FLOWS = """
viewport = [1200, 700]
scale = 1
color-scheme = "dark"
clock = 2024-06-03T09:30:00
cover = ["role=img[name=Avatar]"]

[replace.settings]
TOY_EMAIL = "you@example.com"
TOY_SITE = "https://example.com"

[replace.facts]
name = "example"

[replace.patterns]
'(\\d+) days? ago' = '3 days ago'

[images."one.png"]
element = "role=main"
padding = 8
mark = "number"
number = 3
heading = "Welcome"
"""

MINE = """
scale = 2
locale = "zh-Hant-TW"
timezone = "America/Argentina/Ushuaia"

[replace.settings]
TOY_EMAIL = "me@example.com"

[images."one.png"]
mark = "arrow"
padding = [1, 2, 3, 4]

[images."two.png"]
region = [0, 10, 300, 200]
trim = false
"""


def written(folder: Path, *texts: str) -> list[Path]:
    """Files with these texts."""
    paths = [folder / f"{number}.toml" for number, _ in enumerate(texts)]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    return paths


def test_a_file_says_how_images_look(tmp_path: Path) -> None:
    """All of it; what it does not say is as usual."""
    look = Look.read(*written(tmp_path, FLOWS))
    assert (look.viewport, look.scale, look.color_scheme, look.locale) == ((1200, 700), 1, "dark", "en-US")
    assert look.clock == datetime(2024, 6, 3, 9, 30)  # noqa: DTZ001 - it has no zone: the browser's counts
    assert look.of("one.png") == ImageLook(
        element="role=main", padding=(8, 8, 8, 8), mark="number", number=3, heading="Welcome"
    )
    assert look.of("other.png") == ImageLook()


def test_a_users_own_file_comes_on_top(tmp_path: Path) -> None:
    """It needs to say only what is otherwise, also of one image."""
    look = Look.read(*written(tmp_path, FLOWS, MINE))
    assert (look.viewport, look.scale) == ((1200, 700), 2)
    assert (look.locale, look.timezone) == ("zh-Hant-TW", "America/Argentina/Ushuaia")
    assert look.replace.settings == {"TOY_EMAIL": "me@example.com", "TOY_SITE": "https://example.com"}
    assert look.of("one.png") == ImageLook(
        element="role=main", padding=(1, 2, 3, 4), mark="arrow", number=3, heading="Welcome"
    )
    assert look.of("two.png") == ImageLook(region=(0, 10, 300, 200), trim=None)


def test_a_flow_needs_no_file_and_a_user_names_one_that_is_there(tmp_path: Path) -> None:
    """A flow without one has the usual look."""
    assert Look.read(tmp_path / "look.toml") == Look()
    with pytest.raises(WrongUsage, match=r"mine\.toml cannot be read: No such file"):
        Look.read(tmp_path / "look.toml", tmp_path / "mine.toml")


def test_what_is_replaced_depends_on_what_is_known(tmp_path: Path) -> None:
    """A setting that is not set and a fact that is not known yet are nothing to replace."""
    look = Look.read(*written(tmp_path, FLOWS))
    assert look.replace.texts_for({"TOY_EMAIL": "real@example.org"}, {}) == {"real@example.org": "you@example.com"}
    sites = look.replace.texts_for({"TOY_SITE": "https://real.example:8080"}, {})
    assert sites == {"https://real.example:8080": "https://example.com", "real.example:8080": "example.com"}
    known = look.replace.texts_for({}, {"name": "real", "other": "thing"})
    assert known == {"real": "example"}


WRONG = {
    "viewport = 3": r"0\.toml: viewport: it is not width and height",
    "viewport = [0, 10]": r"viewport: a number in it is not from 1 to 5000",
    "viewport = [390, 0.5]": r"viewport: a number in it is not from 1 to 5000",
    'timezone = "Europe/Berlim"': r'timezone: "Europe/Berlim" is not a time zone, such as Europe/Berlin',
    'timezone = "../UTC"': r'timezone: "\.\./UTC" is not a time zone',
    'locale = "german"': r'locale: "german" is not the tag of a language, such as de or de-DE',
    "scale = 9": r"scale: it is not a number from 1 to 4",
    "scale = true": r"scale: it is not a number from 1 to 4",
    'color-scheme = "blue"': r"color-scheme: it is none of light, dark",
    'colour = "blue"': r"colour: there is no such key; there are: viewport, scale",
    'clock = "noon"': r"clock: it is not a date and time without a zone",
    "cover = 1": r"cover: it is not a list of texts",
    "replace = 1": r"replace: it is not a table",
    "[replace]\nothers = {}": r"replace\.others: there is no such key; there are: settings, facts",
    "[replace.settings]\nA = 1": r"replace\.settings: it is not a table of texts",
    "[replace.patterns]\n'(' = ''": r"replace\.patterns: it is not a regular expression",
    '[images]\n"one.png" = 1': r'images\."one\.png": it is not a table',
    '[images."one.png"]\nmark = "star"': r'images\."one\.png"\.mark: it is none of outline, number, arrow, none',
    '[images."one.png"]\nregion = [0, 0, 0, 9]': r"region: it shows nothing",
    '[images."one.png"]\nheading = "["': r"heading: it is not a regular expression",
    '[images."one.png"]\nnumber = 100': r"number: it is not a whole number from 0 to 99",
    '[images."one.png"]\ntrim = true': r"trim: it is neither false nor a number",
    '[images."one.png"]\nelement = ""': r"element: it is not a text",
    "viewport = [": r"0\.toml is not TOML",
}


@pytest.mark.parametrize(("text", "sentence"), WRONG.items(), ids=list(WRONG))
def test_what_cannot_be_used_is_named_with_its_place(tmp_path: Path, text: str, sentence: str) -> None:
    """File and key, and what it should be."""
    with pytest.raises(WrongUsage, match=sentence):
        Look.read(*written(tmp_path, text))


def test_an_image_that_there_is_not_is_refused_with_the_closest(tmp_path: Path) -> None:
    """What a file says of it would never be seen; without knowing the images nothing is refused."""
    paths = written(tmp_path, '[images."migrate-site-cmz.png"]\nmark = "none"')
    with pytest.raises(
        WrongUsage,
        match=r'0\.toml: images\."migrate-site-cmz\.png": there is no such image; the closest is migrate-site-cms\.png',
    ):
        Look.read(*paths, images=["migrate-site-info.png", "migrate-site-cms.png"])
    with pytest.raises(WrongUsage, match='there is no such image; see "guiderunner list"'):
        Look.read(*paths, images=["x"])
    assert Look.read(*paths).of("migrate-site-cmz.png").mark == "none"


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    """Editors on Windows write one."""
    path = tmp_path / "look.toml"
    path.write_text("scale = 3", encoding="utf-8-sig")
    assert Look.read(path).scale == 3


def test_every_flow_says_something_true_of_its_own_images() -> None:
    """Its file can be read, and names no image and no setting that the flow does not have."""
    for flow in load_flows().values():
        look = Look.read(flow.look)
        settings = {about.name for _, about in flow.settings.about()}
        steps = [step for edition in flow.editions for step in edition.steps]
        assert set(look.images) <= {image for step in steps for image in step.screenshots}
        assert set(look.replace.settings) <= settings
        assert {image.at for image in look.images.values() if image.at} <= settings
