"""The migration in pytest: the examples of the documentation are run as they stand, and wrong marks say what there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fixtures.wordpress_versions import cache_directory

if TYPE_CHECKING:
    from fixtures.sandbox import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.sandbox]

PAGE = (Path(__file__).parents[2] / "TESTING.md").read_text(encoding="utf-8")
EXAMPLES = {
    title: dict(re.findall(r"```python\n# (\S+\.py)\n(.*?)```", text, re.DOTALL))
    for title, text in re.findall(r"^## (Example \d): [^\n]*\n(.*?)(?=^## )", PAGE, re.DOTALL | re.MULTILINE)
}


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pytester gives its tests another home; WordPress stays where it is."""
    monkeypatch.setenv("GUIDERUNNER_CACHE", str(cache_directory()))


def test_there_are_five_examples() -> None:
    """An empty list would let every other test here pass."""
    assert list(EXAMPLES) == [f"Example {number}" for number in range(1, 6)]
    assert all(EXAMPLES.values())


def test_the_examples_pass_as_they_stand(pytester: pytest.Pytester) -> None:
    """Those on a sandbox, side by side and with the plain command; what they expect of pictures is written first."""
    ours = [files for files in EXAMPLES.values() if "conftest.py" not in files]
    texts = {name: text for files in ours for name, text in files.items()}
    assert len(texts) == len(ours) == len(EXAMPLES) - 1
    for name, text in texts.items():
        (pytester.path / name).write_text(text)
    tests = sum(text.count("def test_") for text in texts.values())
    cases = sum("edition 2025" in text for text in texts.values())
    # Beside what the examples' own marks say: all comes sooner, and pages of wp-admin take half of their time.
    pytester.makeconftest(
        """
        import pytest

        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(pytest.mark.behaviour(delay_ms=20, migration_seconds=0.5))
                item.add_marker(pytest.mark.source(command_palette=False))
        """
    )
    ran = pytester.runpytest_subprocess("--update-screenshots")
    ran.assert_outcomes(passed=tests + cases)


def test_the_example_of_another_dashboard_passes_as_it_stands(
    pytester: pytest.Pytester, whole_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that starts no sandbox, with the settings of one that is there already."""
    (files,) = [files for files in EXAMPLES.values() if "conftest.py" in files]
    for name, text in files.items():
        (pytester.path / name).write_text(text)
    whole_sandbox.reset()
    for name, value in whole_sandbox.settings().items():
        monkeypatch.setenv(name, value)
    ran = pytester.runpytest_subprocess("--update-screenshots")
    ran.assert_outcomes(passed=sum(text.count("def test_") for text in files.values()))


WRONG = {
    'fault("session-end")': 'there is no fault "session-end"; the closest are: session-ends*',
    'fault("multisite", step=3)': "the fault multisite is one of the existing site, which is so from the start*",
    'fault("outage", step="Generate Token")': 'fault: "Generate Token" names no step of wordpress-migration: 1 *',
    'fault("outage", step=3.5)': "fault: 3.5 is no step: name its number, or words that the guide prints in bold in it",
    "fault(500)": "fault: it takes a name and perhaps a step: fault(*",
    'fault("outage", stp=3)': "fault: it takes a name and perhaps a step: fault(*",
    'markup("tile")': 'markup: there is no "tile"; there are: tiles, radios,*',
    'markup("tiles", "radios")': "markup: tiles and radios are both kinds of cms: name one of them",
    "behaviour(delay=3)": "behaviour: There is no behaviour 'delay'*",
    "source(colour=1)": 'source: there is no "colour"; there are: wordpress, basic_auth,*',
    'wordpress("5.9")': "*5.9*7.1*",
    "wordpress()": 'wordpress: it takes one argument, such as wordpress("...")',
}


def test_a_wrong_mark_says_what_there_is(pytester: pytest.Pytester) -> None:
    """One sentence for each, before anything is started."""
    pytester.makeconftest("import pytest\n\n@pytest.fixture(scope='session')\ndef session_sandbox():\n    assert 0\n")
    tests = [
        f"@pytest.mark.{mark}\ndef test_{number}(migration):\n    migration.run()\n"
        for number, mark in enumerate(WRONG)
    ]
    pytester.makepyfile("import pytest\n\n" + "\n".join(tests))
    ran = pytester.runpytest_subprocess()
    ran.assert_outcomes(errors=len(WRONG))
    for says in WRONG.values():
        ran.stdout.fnmatch_lines([says])


def test_what_cannot_come_about_is_refused(pytester: pytest.Pytester) -> None:
    """A fault at a step that there is not, one without a sandbox, an unknown edition, a setting that is missing."""
    pytester.makepyfile(
        """
        import pytest

        class TestInSandbox:
            @pytest.mark.fault("outage", step=99)
            def test_step(self, migration):
                pass

            @pytest.mark.source(language="xx_XX")
            def test_language(self, sandbox):
                pass

            @pytest.mark.fault("slow")
            @pytest.mark.edition("2025")
            def test_next_one_has_a_sandbox_all_the_same(self, sandbox, performer):
                assert sandbox.world.behaviour.edition == performer.flow.edition == "2025"

        class TestElsewhere:
            @pytest.fixture
            def migration_settings(self):
                return {"PANTHEON_PASSWORD": "only-this-one-is-set"}

            @pytest.mark.fault("name-taken")
            def test_fault(self, migration):
                pass

            def test_settings(self, migration):
                pass

            @pytest.mark.edition("1999")
            def test_edition(self, migration):
                pass

        class TestStaging:
            @pytest.fixture
            def migration_settings(self, session_sandbox):
                return session_sandbox.settings()

            @pytest.mark.accessibility(basline="known.json")
            def test_accessibility(self, migration):
                pass
        """
    )
    (pytester.path / "pytest.ini").write_text("[pytest]\n")
    ran = pytester.runpytest_subprocess()
    ran.assert_outcomes(errors=6, passed=1)
    for says in (
        "fault: outage at step 99: the guide has steps 1 to 9",
        "*xx_XX*",
        "fault: name-taken is the sandbox's, and the settings of this test are not its",
        "missing: *PANTHEON_EMAIL*",
        '*has no edition "1999"*',
        "accessibility: it takes the name of a file, or nothing: *",
    ):
        ran.stdout.fnmatch_lines([says])
    ran.stdout.no_fnmatch_line("*only-this-one-is-set*")


def test_a_fault_that_never_comes_about_fails_the_test(pytester: pytest.Pytester) -> None:
    """One that has passed otherwise, which would say of the fault what it has not seen; one that fails says why."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.fault("session-ends", step=4)
        def test_too_short(migration):
            migration.until(1)

        @pytest.mark.fault("error-500", "go to wp-admin")
        @pytest.mark.edition("2025")
        def test_nothing(performer):
            pass

        @pytest.mark.fault("session-ends", step=4)
        def test_fails_otherwise(performer):
            assert 1 == 2

        @pytest.mark.fault("slow", step=1)
        def test_comes(migration):
            migration.until(1)
        """
    )
    ran = pytester.runpytest_subprocess()
    ran.assert_outcomes(failed=3, passed=1)
    ran.stdout.fnmatch_lines_random(
        [
            "fault: session-ends at step 4 never came about: the run ended at step 1",
            "fault: error-500 at step 5 never came about: no step was performed",
            "E*assert 1 == 2",
        ]
    )
    assert sum("never came about" in line for line in ran.outlines if not line.startswith("FAILED")) == 2


def test_a_closer_mark_holds(pytester: pytest.Pytester) -> None:
    """The test's own comes before its module's; what a fault has changed goes back to what the marks say."""
    pytester.makepyfile(
        """
        import pytest

        pytestmark = [pytest.mark.edition("2024"), pytest.mark.markup("tiles", "combobox")]

        @pytest.mark.edition("2025")
        @pytest.mark.markup("listbox")
        @pytest.mark.behaviour(delay_ms=7)
        @pytest.mark.source(plugin_page=3)
        @pytest.mark.fault("slow")
        @pytest.mark.fault("maintenance")
        def test_it(sandbox, performer):
            behaviour = sandbox.world.behaviour
            assert (behaviour.edition, behaviour.markup.cms, behaviour.markup.workspace) == ("2025", "listbox", "combobox")
            assert performer.flow.edition == "2025"
            assert (behaviour.delay_ms, behaviour.slow_ms) == (7, 1000)
            sandbox.end_faults()
            behaviour = sandbox.world.behaviour
            assert (behaviour.delay_ms, behaviour.slow_ms, behaviour.markup.cms) == (7, 0, "listbox")
            assert '"page_of_plugin": 3' in (sandbox.source.directory / "site.json").read_text()
            assert '"maintenance": false' in (sandbox.source.directory / "site.json").read_text()
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_each_worker_has_a_sandbox_of_its_own(pytester: pytest.Pytester) -> None:
    """On ports of their own, and combined with a split of the tests over several machines."""
    pytester.makepyfile(
        """
        import os
        import pytest

        @pytest.mark.parametrize("number", range(4))
        def test_it(sandbox, number):
            worker = os.environ["PYTEST_XDIST_WORKER"]
            print("SANDBOX", worker, sandbox.dashboard_url, sandbox.source_url)
            assert sandbox.audit()["sites_created"] == []
        """
    )
    ran = pytester.runpytest_subprocess("-n", "2", "--dist", "each", "--splits", "2", "--group", "1", "-rP")
    ran.assert_outcomes(passed=4)
    seen = [line.split()[1:] for line in ran.outlines if line.startswith("SANDBOX")]
    one, other = ({place for worker, *places in seen for place in places if worker == each} for each in ("gw0", "gw1"))
    assert one
    assert other
    assert not one & other
