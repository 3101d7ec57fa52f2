"""Every way in which a guide can differ from its flow is named with its line, and the patch makes the guide true."""

from __future__ import annotations

import random
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flows.wordpress_migration.flow import FLOW
from runner.drift import Comparison, Difference, differences_on_page, patched, unified_diff
from runner.errors import Failure
from runner.guide import read_guide
from runner.markdown import Source, Span
from tests.runner.test_guide import REAL, flow, write

if TYPE_CHECKING:
    from collections.abc import Sequence

Step = tuple[list[str], list[str]]


def written(steps: list[Step]) -> str:
    """A guide with these bold words and images, in our own sentences, with what real guides have around them."""
    lines = ["---", "title: A guide", "---", "", "<Accordion title='**Not a step**'>", "", "</Accordion>", ""]
    for says, images in steps:
        words = " and then ".join(f"**{words}**" for words in says) or "nothing in particular"
        lines += [f"1. Look for {words}.", ""]
        for image in images:
            lines += [f"   ![How {image} looks](../../../images/{image})", ""]
    return "\n".join([*lines, "<Alert>", "", "1. **No** step of it.", "", "</Alert>", ""])


@pytest.fixture
def steps() -> list[Step]:
    """What the flow says and shows, step by step."""
    return [(list(step.says), list(step.images)) for step in FLOW.steps]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are named from the folder where the command is given."""
    monkeypatch.chdir(tmp_path)


def compared(text: str, known: Sequence[tuple[Sequence[str], Sequence[str]]], **options: bool | Path) -> Comparison:
    """The comparison of a guide with this text and a flow with these steps."""
    return Comparison(read_guide(write(Path("guide.md"), text)), flow(*known), **options)  # type: ignore[arg-type]


def sentences(text: str, *known: tuple[Sequence[str], Sequence[str]], **options: bool | Path) -> list[str]:
    """What is said of a guide with this text, with the severity of what is only advice."""
    return [
        f"{one}" if one.severity == "difference" else f"advice {one}"
        for one in compared(text, known, **options).findings
    ]


def test_a_guide_that_agrees_has_no_differences(steps: list[Step]) -> None:
    """The flow's own words make a guide that agrees with it."""
    assert compared(written(steps), steps).findings == []


@pytest.mark.skipif(not REAL.is_file(), reason="the guide is not ours to ship")
def test_the_published_guide_agrees_with_one_advice() -> None:
    """The flow performs the guide as it is published; two of its images share an alt text."""
    comparison = Comparison(read_guide(REAL), FLOW, images_root=REAL.parent / "images")
    assert comparison.differences == []
    assert [(one.kind, one.step) for one in comparison.findings] == [("alt", 8)]


@pytest.mark.parametrize(
    ("text", "known", "expected"),
    [
        ("1. **A**\n1. **X**\n", [("A",), ("B",)], ['guide.md:2 step 2 says "X", the flow says "B"']),
        ("1. **A** **X**\n", [("A",)], ['guide.md:1 step 1 says "X", the flow does not']),
        ("1. a\n   **B**\n", [("A", "B")], ['guide.md:1 step 1 does not say "A", the flow does']),
        (
            "1. **Note** **Go to wp**\n",
            [("Install on wp",)],
            ['guide.md:1 step 1 says "Note", the flow does not', 'guide.md:1 step 1 says "Go to wp", the flow says "Install on wp"'],
        ),
        ("1. **B** a\n   **A** **B**\n", [("A", "B")], ['guide.md:1 step 1 says "B", "A" in another order than the flow']),
        ("1. **B** **X**\n", [("A", "B")], [
            'guide.md:1 step 1 says "X", the flow says "A"', 'guide.md:1 step 1 says "B", "X" in another order than the flow']),
        ("1. **A**\n1. **B**\n1. **C**\n", [("A",), ("B",)], ["guide.md:3 step 3: the flow ends at step 2"]),
        ("1. **A**\n1. **C**\n1. **B**\n", [("A",), ("B",)], ["guide.md:2 step 2: the flow has no such step"]),
        ("1. **A**\n", [("A",), ("B",)], ['guide.md:1 step 2: the flow goes on with "B", the guide has ended']),
        ("1. **A**\n1. **C**\n", [("A",), ("B",), ("C",)], ['guide.md:2 step 2: before it the flow has a step "B", the guide has not']),
        ("1. **B**\n1. **A**\n1. **C**\n", [("A",), ("B",), ("C",)], ["guide.md:1 step 1 is step 2 of the flow"]),
    ],
)  # fmt: skip
def test_each_difference_is_a_line(text: str, known: list[tuple[str, ...]], expected: list[str]) -> None:
    """Renamed, surplus and missing words, another order, and steps that are new, gone or elsewhere."""
    assert sentences(text, *((says, ()) for says in known)) == expected


def test_a_changed_image_is_named() -> None:
    """An image that moved to another path, with the line where its path stands."""
    text = "1. **A**\n\n   ![x](../images/2025/a.png)\n"
    assert sentences(text, (["A"], ["2024/a.png"])) == [
        'guide.md:3 step 1 shows "2025/a.png", the flow shows "2024/a.png"'
    ]


def test_what_follows_an_images_path_is_no_difference_and_is_left_by_the_patch() -> None:
    """A version of it, or for whom it is shown; the path before it is corrected."""
    known = (["A"], ["a.png"])
    text = "1. **A**\n   ![x](../images/a.png?v=2) <img alt='x' src='a.png?v=2&amp;w=3#dark'>\n"
    assert sentences(text, known) == []
    (after,) = patched(compared(text.replace("a.png", "b.png"), [known]).differences).values()
    assert after == text


def test_an_alt_text_that_is_missing_or_repeated_is_advice() -> None:
    """It does not make the guide untrue; --strict counts it. The same image twice may have the same alt text."""
    text = "1. ![x](a.png) <img src='a.png' alt='x' /> <img alt='&#x78;' src='b.png'>\n   ![](c.png)\n"
    expected = [
        'guide.md:1 step 1 has another image with the alt text "x" of line 1',
        'guide.md:2 step 1 shows "c.png" without an alt text',
    ]
    known: Step = ([], ["a.png", "b.png", "c.png"])
    assert sentences(text, known) == [f"advice {one}" for one in expected]
    assert sentences(text, known, strict=True) == expected


def test_another_list_that_looks_like_the_flow_is_advice() -> None:
    """It was not compared, and a reader may follow it; one that has little of the flow's is somebody else's."""
    known = [(["A", "B"], ["a.png"]), (["C"], [])]
    same = "1. **A** **B**\n\n   ![x](a.png)\n1. **C**\n"
    tab = "\n<Tab>\n\n{}\n</Tab>\n"
    drifted, of_another = tab.format("1. **A**\n1. **X**\n1. **C**\n"), tab.format("1. **A**\n1. **X**\n")
    said = "another list of 3 steps looks like this flow and was not compared"
    assert sentences(same + drifted + of_another, *known) == [f"advice guide.md:8 {said}"]
    (found,) = compared(same + drifted, known).findings
    assert found.as_annotation() == f"::notice file=guide.md,line=8,title=Advice for the guide::{said}"
    assert sentences(same + drifted, *known, strict=True) == [f"guide.md:8 {said}"]
    assert sentences(same + tab.format(same), *known) == []


def test_an_image_must_exist_beside_the_guide_or_in_the_image_folder(tmp_path: Path) -> None:
    """Only where the image folder is named; what is elsewhere in the web is not looked for."""
    write(tmp_path / "docs/be side.png", "")
    write(tmp_path / "source/images/a/b c.png", "")
    text = "1. ![1](docs/be%20side.png) ![2](../../images/a/b%20c.png?v=1#x)\n   ![3](images/no.png) ![4](https://x.test/y.png)\n"
    known: Step = ([], ["docs/be%20side.png", "a/b%20c.png", "no.png", "https://x.test/y.png"])
    assert sentences(text, known) == []
    assert sentences(text, known, images_root=Path("source/images")) == [
        'guide.md:2 step 1 shows "images/no.png", which is neither beside the guide nor in source/images'
    ]


def test_an_image_of_a_partial_may_be_beside_it_or_beside_the_guide(tmp_path: Path) -> None:
    """Which of the two its path is meant from depends on how the documentation is built; alt texts are the guide's."""
    write(tmp_path / "partials/x.md", "![x](here.png) ![y](there.png)\n")
    write(tmp_path / "partials/here.png", "")
    write(tmp_path / "there.png", "")
    text = "1. ![x](there.png)\n\n   <Partial file='x.md' />\n"
    assert sentences(text, ([], ["there.png", "here.png"]), images_root=tmp_path / "elsewhere") == [
        'advice partials/x.md:1 step 1 has another image with the alt text "x" of guide.md:1'
    ]


# -- the patch ----------------------------------------------------------------------------------------------------


def apply(program: str, patch: str, folder: Path) -> None:
    """Apply a patch as its reader would."""
    command = {"git": ["git", "apply", "-"], "patch": ["patch", "-p1", "--binary", "-s"]}[program]
    subprocess.run(command, input=patch.encode(), cwd=folder, check=True)


@pytest.mark.parametrize("program", ["git", "patch"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1. a **X** b __X__\n1. **Y Y**", "1. a **A** b __A__\n1. **B b**"),
        ("1. **[X](X)** <b><i class='X'>X</i></b>\r\n1. **`Y`**\r\n", "1. **[A](X)** <b><i class='X'>A</i></b>\r\n1. **`B b`**\r\n"),
        ("1. a **A**\n1. **B b** ![x](<../images/x.png>) ![y](y\\.png)\n", "1. a **A**\n1. **B b** ![x](<../images/i.png>) ![y](j.png)\n"),
        ("1. X **X** ***X***\n1. **one\n   two** x\n", "1. X **A** ***A***\n1. **B b** x\n"),
        ("1. X **\\X**\n1. **Y** **B b**\n", "1. X **A**\n1. **Y** **B b**\n"),
        ("1. **A**\n1. **B b** ![x](../images/y.png?)\n\n   ![**A**](../images/x.png 'x.png')", "1. **A**\n1. **B b** ![x](../images/i.png?)\n\n   ![**A**](../images/j.png 'x.png')"),
        ("1. **A**\n1. **B b** ![X][x] <img src='/images/y.png' alt='y.png'>\n\n[x]: <../images/x.png> (x.png)\n", "1. **A**\n1. **B b** ![X][x] <img src='/images/j.png' alt='y.png'>\n\n[x]: <../images/i.png> (x.png)\n"),
    ],
)  # fmt: skip
def test_the_patch_makes_the_guide_true_and_leaves_all_else(
    tmp_path: Path, program: str, text: str, expected: str
) -> None:
    """Each mention is rewritten where it stands; links, code, titles, line ends and the last line stay as they are."""
    known: list[Step] = [(["A"], []), (["B b"], ["i.png", "j.png"] if "png" in text else [])]
    comparison = compared(text, known)
    assert comparison.differences
    apply(program, unified_diff(patched(comparison.differences)), tmp_path)
    assert (tmp_path / "guide.md").read_bytes().decode() == expected
    again = Comparison(read_guide(Path("guide.md")), flow(*known))
    assert [str(one) for one in again.differences] == [str(one) for one in comparison.left_by_patch()]


def test_what_a_patch_cannot_make_true_is_left() -> None:
    """Steps, surplus and missing words, another order, and words whose markup a replacement would break."""
    comparison = compared(
        "1. **X** **Note the end**\n1. **C** **B**\n1. **a [b](c)**\n1. **D**\n",
        [(["A"], []), (["B", "C"], []), (["E"], [])],
    )
    assert [one.split(" ", 1)[1] for one in map(str, comparison.left_by_patch())] == [
        'step 1 says "Note the end", the flow does not',
        'step 2 says "C", "B" in another order than the flow',
        'step 3 says "a b", the flow says "E"',
        "step 4: the flow ends at step 3",
    ]


def test_words_with_markdown_in_them_are_escaped_in_a_patch(tmp_path: Path) -> None:
    """The reader sees the flow's words, not what Markdown makes of them."""
    known: list[Step] = [(["A * [b] <c> `d` _e_ f_g &amp; \\"], [])]
    comparison = compared("1. **X**\n", known)
    assert comparison.left_by_patch() == []
    apply("git", unified_diff(patched(comparison.differences)), tmp_path)
    assert Comparison(read_guide(Path("guide.md")), flow(*known)).differences == []


def test_words_in_code_are_not_escaped_in_a_patch() -> None:
    """There Markdown has no marks; a word with the mark of code itself cannot be put there."""
    comparison = compared("1. **`X`**\n1. **`Y`**\n", [(["a*b"], []), (["a`b"], [])])
    assert list(patched(comparison.differences).values()) == ["1. **`a*b`**\n1. **`Y`**\n"]
    assert [one.instead for one in comparison.left_by_patch()] == ["a`b"]


def test_a_partial_of_several_guides_is_patched_once(tmp_path: Path) -> None:
    """In its own file, whose name may have blanks."""
    write(tmp_path / "partials/a step.md", "1. **X**\n")
    guides = [
        read_guide(write(tmp_path / name, '<Partial file="a step.md" />\n\n1. **Y**\n')) for name in ("a.md", "b.md")
    ]
    comparisons = [Comparison(guide, flow((["A"], []), (["B"], []))) for guide in guides]
    patch = unified_diff(patched([one for comparison in comparisons for one in comparison.differences]))
    assert patch.count("+1. **A**") == 1
    apply("patch", patch, tmp_path)
    assert (tmp_path / "partials/a step.md").read_text() == "1. **A**\n"
    assert (tmp_path / "b.md").read_text().endswith("1. **B**\n")


def test_any_renaming_is_undone_by_its_patch(tmp_path: Path, steps: list[Step]) -> None:
    """Whatever words and images of the real flow's guide are renamed, the patch gives the first text back."""
    choice = random.Random(1)  # noqa: S311 - chooses cases, no secrets
    for _ in range(20):
        changed = written(steps)
        for words in choice.sample([words for says, images in steps for words in (*says, *images)], 5):
            for before, after in (
                (f"**{words}**", f"**Other {words[::2]}**"),
                (f"({'../' * 3}images/{words})", f"({'../' * 3}images/x/{words})"),
            ):
                changed = changed.replace(before, after)
        comparison = Comparison(read_guide(write(tmp_path / "guide.md", changed)), FLOW)
        assert comparison.differences
        assert comparison.left_by_patch() == []
        assert list(patched(comparison.differences).values()) == [written(steps)]


# -- formats ------------------------------------------------------------------------------------------------------


def test_a_difference_is_plain_values_for_programs() -> None:
    """Everything that a line says, each by itself."""
    (one,) = compared("1. **X**\n", [(["A"], [])]).findings
    assert one.as_json() == {
        "file": "guide.md",
        "line": 1,
        "step": 1,
        "kind": "says",
        "severity": "difference",
        "sentence": 'guide.md:1 step 1 says "X", the flow says "A"',
        "says": "X",
        "instead": "A",
    }


def test_a_difference_is_an_annotation_for_github() -> None:
    """Advice is a notice; what has a meaning in GitHub's commands is escaped."""
    span = Span(Source(Path("a,b:c%.md"), "1. x"), 0, 0)
    error = Difference(span, 1, "says", ' says "100%\n::x"')
    notice = Difference(span, 1, "alt", " has: none", severity="advice")
    assert error.as_annotation() == (
        '::error file=a%2Cb%3Ac%25.md,line=1,title=Guide and flow differ::step 1 says "100%25%0A::x"'
    )
    assert notice.as_annotation() == (
        "::notice file=a%2Cb%3Ac%25.md,line=1,title=Advice for the guide::step 1 has: none"
    )


# -- on a page ----------------------------------------------------------------------------------------------------


def on_page(text: str, looked_for: str, *controls: str) -> list[str]:
    """What a failed step says of a guide, and its patch."""
    known = flow((["Install on wp", "Other"], []))
    guide = read_guide(write(Path("guide.md"), text))
    failure = Failure("toy", "Step 1", 1, "", "", looked_for=looked_for, controls=controls)
    found = differences_on_page(guide, known, failure)
    comparison = Comparison(guide, known, on_page=tuple(found))
    assert comparison.left_by_patch() == [one for one in found if not one.edits]
    return [*map(str, comparison.differences), *patched(comparison.differences).values()]


def test_a_control_that_the_page_has_under_another_name_is_said() -> None:
    """The guide's words, the nearest control that a reader can press, and the patch."""
    assert on_page(
        "1. **Install on wp**, **Other**\n",
        'the control "Install on wp"',
        'heading "Install on wp-admin"',
        'link "Go to wp"',
        'button "Cancel"',
        "and 3 more",
    ) == ['guide.md:1 step 1 says "Install on wp", the page has the link "Go to wp"', "1. **Go to wp**, **Other**\n"]


def test_a_control_that_the_page_does_not_have_is_said() -> None:
    """With what there is."""
    assert on_page("1. **Install on wp**, **Other**\n", "Install on wp", 'button "Cancel"') == [
        'guide.md:1 step 1 says "Install on wp", the page has no such control; it has: button "Cancel"'
    ]


def test_a_guide_that_says_what_the_page_has_is_not_changed_to_what_the_flow_looks_for() -> None:
    """The flow is the one that is wrong."""
    assert on_page("1. **Go to wp**, **Other**\n", 'the control "Install on wp"', 'link "Go to wp"') == [
        'guide.md:1 step 1 says "Go to wp" as the page does, the flow looks for "Install on wp"'
    ]


def test_a_control_of_a_later_step_is_that_steps() -> None:
    """A step ends with waiting for what the next one begins with; what is behind the reader is not looked at again."""
    known = flow((["Begin"], []), ([], []), (["Install"], []))
    guide = read_guide(write(Path("guide.md"), "1. **Begin**\n1. wait\n1. **Install**\n"))
    failed = Failure("toy", "Step 1", 1, "", "", looked_for='the control "Install"', controls=['link "Instal it"'])
    found = differences_on_page(guide, known, failed)
    assert [str(one) for one in found] == ['guide.md:3 step 3 says "Install", the page has the link "Instal it"']
    assert differences_on_page(guide, known, replace(failed, step=2, looked_for='"Begin"')) == []


def test_a_failure_that_is_not_about_the_guides_words_says_nothing_of_it() -> None:
    """It is told as every failure is."""
    assert on_page("1. **Install on wp**, **Other**\n", "a new tab", 'link "Go to wp"') == []
