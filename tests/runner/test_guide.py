"""A guide is read from its Markdown: steps, bold words and images with their places, and the flow that performs it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flows.wordpress_migration.flow import FLOW
from runner.errors import NotAGuide, WrongUsage
from runner.flow import Flow
from runner.guide import Image, best_fit, flow_of, guides_in, image_path, read_guide
from runner.run import Run
from runner.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.guide import Guide, GuideStep

REAL = Path(__file__).parents[3] / "shared" / "guide" / "migrate-wordpress.md"


def write(path: Path, text: str) -> Path:
    """A file with this text, as it is, in a folder that is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def read(tmp_path: Path, text: str) -> Guide:
    """The guide with this text."""
    return read_guide(write(tmp_path / "guide.md", text))


def said(steps: Sequence[GuideStep]) -> list[list[str]]:
    """What each step says, and then what it shows."""
    return [[words.text for words in (*step.says, *step.images)] for step in steps]


def nothing(run: Run[Any]) -> None:
    """Do nothing."""


def flow(*steps: tuple[Sequence[str], Sequence[str]], name: str = "toy") -> Flow[Any]:
    """A flow whose steps say and show this."""
    made: Flow[Any] = Flow(name, edition="1", run=Run, settings=Settings)
    for number, (says, images) in enumerate(steps, 1):
        made.step(number, says=says, images=images)(nothing)
    return made


def test_steps_words_images_and_lines_are_read(tmp_path: Path) -> None:
    """The longest numbered list counts, with nested lists and later paragraphs of an item belonging to its step."""
    guide = read(
        tmp_path,
        "---\na: **b**\n---\n\n1. only **one**\n\ntext\n\n1. Press **Go**\n   now.\n\n   1. or **Else**\n\n"
        "   ![Alt](../../../images/a/b.png)\n\n1. **Two words** and `code`.\n",
    )
    first, second = guide.steps
    assert [(words.text, words.line) for words in first.says] == [("Go", 9), ("Else", 12)]
    assert [(image.text, image.line, image.alt) for image in first.images] == [("a/b.png", 14, "Alt")]
    assert (second.number, second.line, second.says[0].text) == (2, 16, "Two words")


@pytest.mark.skipif(not REAL.is_file(), reason="the guide is not ours to ship")
def test_the_published_guide_is_read() -> None:
    """Nine steps, and the words and images that the flow performs."""
    guide = read_guide(REAL)
    assert [(len(step.says), len(step.images)) for step in guide.steps] == [
        (len(step.says), len(step.images)) for step in FLOW.steps
    ]
    assert flow_of(guide, [FLOW]) is FLOW


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1. __A b__ and ***c*** and *d*", [["A b", "c"]]),
        (r"1. **A \* b\_** and \**no\**", [["A * b_"]]),
        ("1. **[A](A)**, [**B**](b.md), **`c`** and `**no**`", [["A", "B", "c"]]),
        ("1. **A\n   b** and **c&amp;d**", [["A b", "c&d"]]),
        ("1. <b> </b> <strong>A</strong>, <b class='x'>B <b>b</b></b>, a stray </b> and **C**", [["A", "B b", "C"]]),
        ("1. ** no ** and **** and **A", [[]]),
        ("1. a\n   ```\n   **no** ![no](no.png)\n   1. no\n   ```\n1. **b**", [[], ["b"]]),
        ("1. a\n\n   ![x][ref] ![y](<a b.png> 'T') ![no][none]\n\n[ref]: ../images/r.png", [["r.png", "a b.png"]]),
        (
            '1. <img alt="x" src="images/i&amp;b.png?a&amp;b" /> <img\n   src={"j.png"}\n   /> <img alt="none"/>',
            [["i&b.png", "j.png"]],
        ),
        ("1. **A ![x](i.png) b**", [["A b", "i.png"]]),
        ("1) **A**\n2) **B**", [["A"], ["B"]]),
        ("1. **A**\n   - **b**\n     1. **c**\n        1. **d**\n   - e\n1. **F**", [["A", "b", "c", "d"], ["F"]]),
        ("1. > **A**\n   >\n   > 1. **b**\n1. C", [["A", "b"], []]),
    ],
)
def test_bold_words_and_images_are_known_however_they_are_written(
    tmp_path: Path, text: str, expected: list[list[str]]
) -> None:
    """Markdown has several ways to write the same; code and what is escaped is nothing of it."""
    assert said(read(tmp_path, text + "\n").steps) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('1. A\n\n   <Alert title="**no**" type="info">\n\n   **b** ![x](i.png)\n\n   </Alert>\n\n1. **C**', [["b", "i.png"], ["C"]]),
        ("1. A\n   <Alert>**b** text</Alert>\n1. **C**", [["b"], ["C"]]),
        ("1. **A**\n1. **B**\n\n<Alert>\n\n**c** ![x](i.png)\n\n</Alert>\n\n1. **D**", [["A"], ["B", "c", "i.png"], ["D"]]),
        ("1. **A**\n<Alert>\n**b**\n</Alert>\n1. **C**", [["A", "b"], ["C"]]),
        ("1. **A**\n\n![x](i.png)\n\n1. **B**", [["A", "i.png"], ["B"]]),
        ("1. **A**\n\n  **b** text\n\n  - **c**\n\n1. **D**", [["A", "b", "c"], ["D"]]),
        ("1. **A**\n\n```\ncode\n```\n\n1. **B**", [["A"], ["B"]]),
        ("1. **A**\n\nProse.\n\n2. **B**\n\n## Part\n\n3. **C**", [["A"], ["B"], ["C"]]),
        ("<Alert\n  title={`1. **no**`}\n  data={{a: {b: '>'}}}\n>\n\n1. no\n\n</Alert>\n\n1. **A**\n1. **B**", [["A"], ["B"]]),
        ("<Tabs>\n<Tab title='x'>\n\n1. **A**\n1. **B**\n\n</Tab>\n<Tab title='y'>\n\n1. no\n\n</Tab>\n</Tabs>", [["A"], ["B"]]),
        ("<Accordion>\n\n    1. **A**\n\n       ![x](i.png)\n\n    1. **B**\n\n</Accordion>", [["A", "i.png"], ["B"]]),
        ("1. **A**\n\n   {/* 1. **no**\n\n   ![no](no.png) */}\n\n   <!-- **no** -->\n\n1. **B** {/* **no** */}", [["A"], ["B"]]),
        ("import X from './x'\nimport {\n  y } from '**y**'\n\nexport const a = 1\n\n1. **A**\n2. import the **b**", [["A"], ["b"]]),
        ("<>\n\n1. **A**\n\n</>\n\n1. a <b and c> d\n1. if 1 < 2 **B** or 3 > 2, <https://x.test/>", [[], ["B"]]),
        ("1. **A**\n\n<Youtube src='x' />\n\n<hr>\n\n1. **B**", [["A"], ["B"]]),
        ("1. **A**\n<Alert>\n\n1. **no step**\n\n</Alert>\n\n1. **C**", [["A", "no step"], ["C"]]),
        ("<B and\n\n1. **A** >\n1. **B**", [["A"], ["B"]]),
        ("1. **A**\n   <Youtube src='x' />\n\n   <br/>\n1. **B<br/>c**", [["A"], ["B c"]]),
        ("> 1. no\n\n1. **A**\n1. **B**", [["A"], ["B"]]),
    ],
)  # fmt: skip
def test_components_are_looked_into_and_do_not_end_a_list(tmp_path: Path, text: str, expected: list[list[str]]) -> None:
    """What stands in an Alert or a Tab is Markdown; a list in it is not the one outside; attributes are not Markdown."""
    assert said(read(tmp_path, text + "\n").steps) == expected


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_each_place_is_where_the_words_stand(tmp_path: Path, ending: str) -> None:
    """Words, paths and their lines, whatever stands before them and however lines end."""
    text = (
        "\ufeff---\nguiderunner: toy\n---\n\n1. Press Go, \u2028 **Go**\n   now.\n\n   > more\n   > of **`It`** ![x](\n   > a/b.png)\n"
        "\n   <Alert>and\n   <b>Bold</b></Alert>\n\n\t- ### Head **Line** ###\n\n1. ![y][r]\n\n[r]:\n  ../images/c.png 'T'\n"
    ).replace("\n", ending)
    guide = read(tmp_path, text)
    assert guide.flow == "toy"
    first, second = guide.steps
    assert [(words.text, words.line, words.span.text) for words in first.says] == [
        ("Go", 5, "Go"),
        ("It", 9, "`It`"),
        ("Bold", 13, "Bold"),
        ("Line", 15, "Line"),
    ]
    assert all(text[words.span.start - 2 : words.span.start] in ("**", "b>") for words in first.says)
    assert [(image.line, image.path.text) for image in (*first.images, *second.images)] == [
        (9, "a/b.png"),
        (17, "../images/c.png"),
    ]
    assert second.images[0].path.line == 20


def test_prose_that_broke_a_list_is_a_steps_where_the_flow_says_so(tmp_path: Path) -> None:
    """Whether a list that begins with 1 after a sentence goes on cannot be seen; how it fits the flow tells."""
    guide = read(
        tmp_path, "1. **A**\n1. **B**\n\nThen **c**:\n\n1. **D**\n\n## Later\n\n1. **E**\n1. **F**\n1. **G**\n"
    )
    assert said(guide.steps) == [["E"], ["F"], ["G"]]
    assert said(guide.steps_for(flow((["A"], []), (["B", "c"], []), (["D"], [])))) == [["A"], ["B", "c"], ["D"]]
    assert said(guide.steps_for(flow((["A"], []), (["B"], [])))) == [["A"], ["B"]]
    later = read(tmp_path, "1. **A**\n1. **B**\n\n## Later\n\n1. no bold words\n")
    assert said(later.steps_for(flow((["A"], []), (["B"], [])))) == [["A"], ["B"]]


# -- includes -----------------------------------------------------------------------------------------------------


def test_what_a_guide_includes_is_read_with_its_own_places(tmp_path: Path) -> None:
    """Steps, and what is in a step, may come from partials, which may include others."""
    write(
        tmp_path / "source/partials/steps.md",
        "---\nx: y\n---\n\n1. **B**\n\n   <Partial file='./deep/../deep/more.md' />\n\n1. **D**\n",
    )
    write(tmp_path / "source/partials/deep/more.md", "Text with **c**.\n\n1. **nested**\n")
    guide = write(
        tmp_path / "source/content/guides/guide.md",
        '1. **A** `<Partial file="none.md" />`\n\n   <Partial\n     file="deep/more.md" />\n\n<Partial file="steps.md" />\n\n1. **E**\n',
    )
    steps = read_guide(guide).steps
    assert said(steps) == [["A", "c", "nested"], ["B", "c", "nested"], ["D"], ["E"]]
    assert [(step.number, step.file.name, step.line) for step in steps] == [
        (1, "guide.md", 1),
        (2, "steps.md", 5),
        (3, "steps.md", 9),
        (4, "guide.md", 8),
    ]
    assert [(words.file.name, words.line) for words in steps[1].says] == [
        ("steps.md", 5),
        ("more.md", 1),
        ("more.md", 3),
    ]


def test_a_partial_that_leaves_a_component_open_does_not_change_the_guide(tmp_path: Path) -> None:
    """What follows it is where it was."""
    write(tmp_path / "partials/x.md", "<Alert>\n\n**b**\n")
    assert said(read(tmp_path, "1. **A**\n\n<Partial file='x.md' />\n\n1. **C**\n").steps) == [["A", "b"], ["C"]]


def test_the_folder_of_the_partials_can_be_named(tmp_path: Path) -> None:
    """It comes instead of the folders above the guide."""
    write(tmp_path / "partials/x.md", "1. **near**\n")
    write(tmp_path / "other/x.md", "1. **named**\n")
    guide = write(tmp_path / "guide.md", '<Partial file="x.md"></Partial>\n')
    assert said(read_guide(guide).steps) == [["near"]]
    assert said(read_guide(guide, partials=tmp_path / "other").steps) == [["named"]]


@pytest.mark.parametrize(
    ("partial", "tag", "message"),
    [
        ("", "<Partial file='no.md' />", r'guide\.md:3 includes "no\.md", which is not in a folder partials'),
        (
            "",
            "<Partial file='../outside.md' />",
            r'guide\.md:3 includes "\.\./outside\.md", which leads out of the folder',
        ),
        ("", "<Partial file='/etc/passwd' />", r'guide\.md:3 includes "/etc/passwd", which leads out of the folder'),
        (
            "",
            "<Partial file='x.md/../../x.md' />",
            r"guide\.md:3 includes .* leads out of the folder of the partials\. Name a",
        ),
        ("", "<Partial />", r"guide\.md:3 has a <Partial> without a file"),
        (
            "\n<Partial file='x.md' />",
            "<Partial file='x.md' />",
            r'x\.md:2 includes "x\.md", which is being included already',
        ),
    ],
)
def test_an_include_that_cannot_be_read_is_told_with_its_line(
    tmp_path: Path, partial: str, tag: str, message: str
) -> None:
    """A missing file, one outside, a file that is not named, and a circle."""
    write(tmp_path / "partials/x.md", partial)
    write(tmp_path / "outside.md", "**not** for readers")
    with pytest.raises(WrongUsage, match=message):
        read(tmp_path, f"1. **A**\n\n{tag}\n")


# -- which flow performs it ---------------------------------------------------------------------------------------

ONE = flow((["A", "B"], ["i.png"]), (["C"], []), name="one")
TWO = flow((["A"], []), (["X", "Y"], ["j.png"]), name="two")


def test_the_flow_that_fits_best_is_found(tmp_path: Path) -> None:
    """By bold words and images, wherever in the guide they stand."""
    assert best_fit(read(tmp_path, "1. **A**\n1. **C**\n"), [TWO, ONE]) is ONE
    assert best_fit(read(tmp_path, "1. **A** **Y**\n1. ![x](../images/j.png)\n"), [ONE, TWO]) is TWO


def test_a_guide_that_fits_no_flow_is_refused(tmp_path: Path) -> None:
    """The sentence says what was compared, and what to do."""
    with pytest.raises(WrongUsage, match=r"guide\.md fits no flow: .* is one of one, two\. Name .* with --flow"):
        best_fit(read(tmp_path, "1. **Z**\n"), [ONE, TWO])


def test_the_front_matter_names_the_flow(tmp_path: Path) -> None:
    """It comes before what fits best; a name that is none is refused."""
    assert flow_of(read(tmp_path, '---\nguiderunner: "two"\n---\n\n1. **A** **B**\n'), [ONE, TWO]) is TWO
    with pytest.raises(WrongUsage, match=r'guide\.md: its front matter names the flow "tow"; there is: one, two'):
        flow_of(read(tmp_path, "---\nguiderunner: tow\n---\n\n1. **A**\n"), [ONE, TWO])


def test_the_guides_of_a_tree_are_found(tmp_path: Path) -> None:
    """What fits well enough or says so is a guide; other numbered lists, prose and hidden folders are not."""
    write(tmp_path / "a/fits.mdx", "1. **A** **B**\n1. Else\n")
    write(tmp_path / "says.md", "---\nguiderunner: two\n---\n\n1. **Z**\n")
    write(tmp_path / "little.md", "1. **A**\n1. **Q** **R** **S**\n")
    write(tmp_path / "prose.md", "**A** **B**\n")
    write(tmp_path / "fits.txt", "1. **A** **B**\n")
    write(tmp_path / ".git/fits.md", "1. **A** **B**\n")
    write(tmp_path / "node_modules/fits.md", "1. **A** **B**\n")
    (tmp_path / "latin.md").write_bytes(b"1. \xff\n")
    write(tmp_path / "broken.md", "1. **A** **B**\n\n<Partial file='no.md' />\n")
    passed_over: list[str] = []
    found = guides_in(tmp_path, [ONE, TWO], passed_over=passed_over.append)
    assert [(guide.path.name, its.name) for guide, its in found] == [("fits.mdx", "one"), ("says.md", "two")]
    assert len(passed_over) == 1
    assert 'broken.md:3 includes "no.md"' in passed_over[0]
    (found_two,) = guides_in(tmp_path, [ONE, TWO], named="two", passed_over=passed_over.append)
    assert found_two[0].path.name == "says.md"


@pytest.mark.parametrize(
    ("front_matter", "message"), [("two", r'guide\.md:5 includes "no\.md"'), ("tow", 'names the flow "tow"')]
)
def test_what_says_that_it_is_a_guide_is_never_passed_over(tmp_path: Path, front_matter: str, message: str) -> None:
    """A check that had left it out would be taken for one that agrees."""
    partial = "<Partial file='no.md' />" if front_matter == "two" else ""
    write(tmp_path / "guide.md", f"---\nguiderunner: {front_matter}\n---\n1. **A**\n{partial}\n")
    write(tmp_path / "fits.md", "1. **A** **B**\n")
    with pytest.raises(WrongUsage, match=message):
        guides_in(tmp_path, [ONE, TWO], passed_over=pytest.fail)


def test_a_tree_without_a_guide_is_refused(tmp_path: Path) -> None:
    """Nothing compared is never agreement."""
    write(tmp_path / "little.md", "1. **Q**\n")
    with pytest.raises(WrongUsage, match="has no guide of one, two"):
        guides_in(tmp_path, [ONE, TWO], passed_over=pytest.fail)
    write(tmp_path / "fits.md", "1. **A** **B**\n")
    with pytest.raises(WrongUsage, match="has no guide of two"):
        guides_in(tmp_path, [ONE, TWO], named="two", passed_over=pytest.fail)


@pytest.mark.parametrize(
    ("src", "below"),
    [
        ("../../../images/a/b.png", "a/b.png"),
        ("/images/b.png", "b.png"),
        ("images/b.png", "b.png"),
        ("../b.png", "b.png"),
        ("../images/b.png?v=2", "b.png"),
        ("images/b.png#gh-dark-mode-only", "b.png"),
    ],
)
def test_an_image_is_known_by_its_path_below_the_image_folder(src: str, below: str) -> None:
    """A guide names its images relative to itself."""
    assert image_path(src) == below


def test_what_is_not_a_guide_is_refused(tmp_path: Path) -> None:
    """A missing file, a file without steps, and a picture each get their own sentence."""
    with pytest.raises(WrongUsage, match="cannot be read"):
        read_guide(tmp_path / "missing.md")
    with pytest.raises(NotAGuide, match="no numbered steps"):
        read(tmp_path, "# Title\n\n- a\n- b\n")
    (tmp_path / "picture.md").write_bytes(b"\x89PNG\r\n\x1a\n\xff")
    with pytest.raises(NotAGuide, match="not text in UTF-8"):
        read_guide(tmp_path / "picture.md")


@pytest.mark.parametrize("piece", ["<A ", "<A a='", "{/* ", "**", "<A {", "![a](", "<b>", "1. ", "> ", "<A>\n\n", "{{"])
def test_what_never_ends_is_read_in_little_time(tmp_path: Path, piece: str) -> None:
    """A file that is no guide at all, met in a tree, must not hold the whole check up."""
    began = time.monotonic()
    guide = read(tmp_path, f"1. **A**\n\n{piece * 5000}\n\n1. **B**\n")
    assert time.monotonic() - began < 20
    assert not any(isinstance(words, Image) for words in guide.found)
