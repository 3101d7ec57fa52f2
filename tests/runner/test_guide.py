"""A guide is read from its Markdown, and every way in which it can differ from the flow is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.wordpress_migration.flow import FLOW
from runner.errors import WrongUsage
from runner.guide import compare, image_path, read_guide

REAL = Path(__file__).parents[3] / "shared" / "guide" / "migrate-wordpress.md"


def written(steps: list[tuple[list[str], list[str]]]) -> str:
    """A guide with these bold words and images, in our own sentences, with what real guides have around them."""
    lines = ["---", "title: A guide", "---", "", "<Accordion title='**Not a step**'>", "", "</Accordion>", ""]
    for says, images in steps:
        words = " and then ".join(f"**{words}**" for words in says) or "nothing in particular"
        lines += [f"1. Look for {words}.", ""]
        for image in images:
            lines += [f"   ![What it looks like](../../../images/{image})", ""]
    return "\n".join([*lines, "<Alert>", "", "1. **No** step of it.", "", "</Alert>", ""])


@pytest.fixture
def steps() -> list[tuple[list[str], list[str]]]:
    """What the flow says and shows, step by step."""
    return [(list(step.says), list(step.images)) for step in FLOW.steps]


def differences(tmp_path: Path, steps: list[tuple[list[str], list[str]]]) -> list[str]:
    """Compare a guide with these steps with the flow."""
    path = tmp_path / "guide.md"
    path.write_text(written(steps), encoding="utf-8")
    return compare(path, FLOW)


def test_steps_words_images_and_lines_are_read(tmp_path: Path) -> None:
    """The longest numbered list counts, with nested lists and later paragraphs of an item belonging to its step."""
    path = tmp_path / "guide.md"
    path.write_text(
        "---\na: **b**\n---\n\n1. only **one**\n\ntext\n\n1. Press **Go**\n   now.\n\n   1. or **Else**\n\n"
        "   ![Alt](../../../images/a/b.png)\n\n1. **Two words** and `code`.\n",
        encoding="utf-8",
    )
    first, second = read_guide(path)
    assert [(words.text, words.line) for words in first.says] == [("Go", 9), ("Else", 12)]
    assert [(image.text, image.line) for image in first.images] == [("a/b.png", 14)]
    assert (second.number, second.line, second.says[0].text) == (2, 16, "Two words")


def test_a_guide_that_agrees_has_no_differences(tmp_path: Path, steps: list[tuple[list[str], list[str]]]) -> None:
    """The flow's own words make a guide that agrees with it."""
    assert differences(tmp_path, steps) == []


@pytest.mark.skipif(not REAL.is_file(), reason="the guide is not ours to ship")
def test_the_published_guide_agrees() -> None:
    """The flow performs the guide as it is published."""
    assert compare(REAL, FLOW) == []


def test_a_changed_bold_word_is_named_from_both_sides(tmp_path: Path, steps: list[tuple[list[str], list[str]]]) -> None:
    """What the guide says now, and what the flow still looks for."""
    steps[4] = (["Go to wp-admin"], steps[4][1])
    found = differences(tmp_path, steps)
    assert len(found) == 2
    assert found[0].startswith("guide.md:")
    assert 'step 5 says "Go to wp-admin", the flow does not' in found[0]
    assert 'step 5 does not say "Install on /wp-admin", the flow does' in found[1]


def test_a_changed_image_is_named(tmp_path: Path, steps: list[tuple[list[str], list[str]]]) -> None:
    """An image that moved to another path."""
    steps[0] = (steps[0][0], ["dashboard/new-dashboard/2025/migrate-site-button.png"])
    found = differences(tmp_path, steps)
    assert [line.partition(" ")[2] for line in found] == [
        'step 1 shows "dashboard/new-dashboard/2025/migrate-site-button.png", the flow does not',
        'step 1 does not show "dashboard/new-dashboard/2024/migrate-site-button.png", the flow does',
    ]


def test_a_step_that_is_gone_or_new_is_named(tmp_path: Path, steps: list[tuple[list[str], list[str]]]) -> None:
    """Fewer steps, and more steps, than the flow performs."""
    assert any("step 9: the flow goes on" in line for line in differences(tmp_path, steps[:-1]))
    assert any("step 10: the flow ends at step 9" in line for line in differences(tmp_path, [*steps, (["More"], [])]))


def test_another_order_is_named(tmp_path: Path, steps: list[tuple[list[str], list[str]]]) -> None:
    """Words that change places change what a reader does."""
    steps[1] = (steps[1][0][::-1], steps[1][1])
    assert any('says "Continue", "WordPress" in another order' in line for line in differences(tmp_path, steps))


@pytest.mark.parametrize(
    ("src", "below"),
    [
        ("../../../images/a/b.png", "a/b.png"),
        ("/images/b.png", "b.png"),
        ("images/b.png", "b.png"),
        ("../b.png", "b.png"),
    ],
)
def test_an_image_is_known_by_its_path_below_the_image_folder(src: str, below: str) -> None:
    """A guide names its images relative to itself."""
    assert image_path(src) == below


def test_what_is_not_a_guide_is_refused(tmp_path: Path) -> None:
    """A missing file, a file without steps, and a picture each get their own sentence."""
    with pytest.raises(WrongUsage, match="cannot be read"):
        read_guide(tmp_path / "missing.md")
    (tmp_path / "prose.md").write_text("# Title\n\n- a\n- b\n")
    with pytest.raises(WrongUsage, match="no numbered steps"):
        read_guide(tmp_path / "prose.md")
    (tmp_path / "picture.md").write_bytes(b"\x89PNG\r\n\x1a\n\xff")
    with pytest.raises(WrongUsage, match="not text in UTF-8"):
        read_guide(tmp_path / "picture.md")
