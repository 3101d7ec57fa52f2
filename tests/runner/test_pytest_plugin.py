"""The pytest plugin: what a failed test leaves behind holds no secret and is found, and nothing else is deleted."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from runner.pytest_plugin import refuse_to_delete

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "tok-0123456789-ABCDEFGHIJ-abcdefghij"

CONFTEST = f"""
from dataclasses import dataclass

import pytest

from runner.browser import BrowserSettings, find_browser
from runner.flow import Flow
from runner.pytest_plugin import begin
from runner.run import Run
from runner.settings import Settings, setting


@dataclass(frozen=True, kw_only=True)
class ToySettings(Settings):
    password: object = setting("TOY_PASSWORD", help="opens it", secret=True)


flow = Flow("toy", edition="1", run=Run, settings=ToySettings)


@flow.step(1, says="Open", images=["one.png"])
def open_toy(run):
    "Open the toy."
    body = "<title>Toy</title><h1>Toy</h1><input aria-label=Token>"
    run.page.route("**/*", lambda route: route.fulfill(content_type="text/html", body=body))
    run.page.goto("https://toy.example/")
    run.screenshot()


@flow.step(2, says="Fill in")
def fill_in(run):
    "Fill it in."
    with run.off_camera(run.page):
        run.page.get_by_label("Token").fill(run.settings.password.reveal())


@pytest.fixture
def performer(request):
    yield from begin(request, flow, flow.settings.load({{"TOY_PASSWORD": "{TOKEN}"}}))


@pytest.fixture
def toy(performer, page):
    performer.attach(page)
    return performer


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args, playwright):
    return {{**browser_type_launch_args, "executable_path": find_browser(playwright, "chromium", BrowserSettings.load({{}}))}}
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with a toy for its flow."""
    pytester.makeconftest(CONFTEST)
    return pytester


def contents(path: Path) -> Iterator[bytes]:
    """What is in a file, unpacked."""
    data = path.read_bytes()
    yield data
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield archive.read(name)
    elif data.startswith(b"\x1f\x8b"):
        yield gzip.decompress(data)


def test_a_failed_test_tells_all_but_the_secret(project: pytest.Pytester) -> None:
    """Not in the terminal with its local variables, nor in JUnit, pytest-html or Allure, nor in the trace of the run."""
    project.makepyfile(
        test_leak=f"""
        import logging
        from playwright.sync_api import expect

        def test_leak(toy):
            toy.until(2)
            token = "{TOKEN}"
            print("printed", token)
            logging.getLogger().warning("logged %s", token)
            field = toy.page.get_by_label("Token")
            expect.soft(field).to_have_value("soft", timeout=200)
            expect(field).to_have_value("x", timeout=200)

        def test_in_a_chain(toy):
            toy.until(1)
            kept = "{TOKEN}"
            try:
                raise ValueError("{TOKEN}")
            except ValueError as error:
                raise RuntimeError("{TOKEN}") from error
        """
    )
    # Its own source would tell it: only a mistake in a test writes a secret there.
    ran = project.runpytest_subprocess(
        "--tracing=on", "--showlocals", "--html=report.html", "--junitxml=junit.xml", "--alluredir=allure", "--tb=short"
    )
    ran.assert_outcomes(failed=2)
    source = project.path / "test_leak.py"
    source.unlink()
    for cached in project.path.rglob("__pycache__"):
        for path in cached.iterdir():
            path.unlink()
    (project.path / "conftest.py").unlink()
    said = "\n".join(ran.outlines + ran.errlines)
    for shown in ("printed [TOY_PASSWORD]", "logged [TOY_PASSWORD]", "kept       = '[TOY_PASSWORD]'"):
        assert shown in said
    held = [
        path for path in project.path.rglob("*") if path.is_file() for part in contents(path) if TOKEN.encode() in part
    ]
    assert TOKEN not in said
    assert held == []
    assert (project.path / "report.html").is_file()
    assert list((project.path / "allure").glob("*-result.json"))


def test_nothing_says_a_secret_however_a_test_ends(project: pytest.Pytester) -> None:
    """Skipped, expected to fail, failed by pytest's own word, in a group, with fields of its own, in a fixture, warned."""
    project.makepyfile(
        test_ends=f"""
        import subprocess
        import warnings
        import pytest
        from runner.errors import StepFailed

        SECRET = "{TOKEN}"

        class Own(Exception):
            def __str__(self):
                return SECRET

        def test_skipped(toy):
            pytest.skip(SECRET)

        def test_expected(toy):
            pytest.xfail(SECRET)

        def test_failed(toy):
            pytest.fail(SECRET)

        def test_command(toy):
            raise subprocess.CalledProcessError(1, ["open", SECRET])

        def test_group(toy):
            raise ExceptionGroup(SECRET, [ValueError(SECRET)])

        def test_own(toy):
            raise Own

        def test_warned(toy):
            warnings.warn(SECRET)

        def test_step_is_open(toy):
            toy.performed.settings.__dict__  # noqa
            toy.until(1)
            toy.flow.steps[1].perform = lambda run: 1 / 0
            with pytest.raises(StepFailed):
                toy.until(2)
            assert SECRET == "x"

        @pytest.fixture
        def broken(toy):
            print(SECRET)
            raise ValueError(SECRET)

        def test_setup(broken):
            pass

        @pytest.fixture
        def breaks(toy):
            yield
            raise ValueError(SECRET)

        def test_teardown(breaks):
            pass
        """
    )
    ran = project.runpytest_subprocess(
        "-rA", "--html=report.html", "--self-contained-html", "--junitxml=junit.xml", "--alluredir=allure"
    )
    ran.assert_outcomes(failed=5, skipped=1, xfailed=1, passed=2, errors=2, warnings=2)
    (project.path / "test_ends.py").unlink()
    (project.path / "conftest.py").unlink()
    for cached in project.path.rglob("*.pyc"):
        cached.unlink()
    assert TOKEN not in "\n".join(ran.outlines + ran.errlines)
    held = [
        path
        for path in project.path.rglob("*")
        if path.is_file() and any(TOKEN.encode() in part for part in contents(path))
    ]
    assert held == []
    ran.stdout.fnmatch_lines(["FAILED test_ends.py::test_failed* - Failed: ?TOY_PASSWORD?"])


def test_what_is_written_before_a_test_has_its_report_says_no_secret(project: pytest.Pytester) -> None:
    """Log records in the terminal and in a file, properties in JUnit, and the reason with which all tests end."""
    project.makepyfile(
        test_live=f"""
        import logging
        import pytest

        SECRET = "{TOKEN}"
        LOG = logging.getLogger("mine")

        def test_logs(toy, record_property, caplog):
            record_property("token", SECRET)
            record_property("tokens", [SECRET])
            LOG.warning("first %s", SECRET)
            LOG.warning("second", extra={{"more": SECRET}})
            assert caplog.records[-1].more == "[TOY_PASSWORD]"
            LOG.warning("third %d", 3)
            assert caplog.records[-1].args == (3,)
            try:
                raise ValueError(SECRET)
            except ValueError:
                LOG.exception("fourth")

        def test_is_left_as_it_was(browser_name):
            assert [handler.filters for handler in logging.getLogger().handlers] == [[], [], [], []]

        def test_exit(toy):
            pytest.exit("because of " + SECRET)
        """
    )
    ran = project.runpytest_subprocess("--log-file=all.log", "--log-cli-level=WARNING", "--junitxml=junit.xml")
    ran.assert_outcomes(passed=2)
    log, junit = ((project.path / name).read_text() for name in ("all.log", "junit.xml"))
    said = "\n".join(ran.outlines + ran.errlines)
    for text in (log, said):
        assert "first [TOY_PASSWORD]" in text
        assert "third 3" in text
        assert "ValueError: [TOY_PASSWORD]" in text
    assert 'name="token" value="[TOY_PASSWORD]"' in junit
    assert "because of [TOY_PASSWORD]" in said
    assert TOKEN not in log + said + junit


def test_a_page_that_was_opened_before_its_run_is_refused(project: pytest.Pytester) -> None:
    """Its context would be recorded with the run's secrets."""
    project.makepyfile(
        """
        import pytest

        @pytest.fixture
        def home(request):
            return request.getfixturevalue("toy")

        def test_late(page, home):
            pass
        """
    )
    ran = project.runpytest_subprocess("--tracing=on")
    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["E*WrongUsage: the test's page was opened before its run*"])


def test_what_a_failed_test_leaves_is_found_in_every_report(project: pytest.Pytester) -> None:
    """Steps, checks, screenshot and trace: in the terminal, in JUnit's properties, in pytest-html and in Allure."""
    project.makepyfile(
        """
        from playwright.sync_api import expect

        def test_two_checks(toy):
            toy.until(1)
            expect.soft(toy.page.get_by_text("first")).to_be_visible(timeout=100)
            expect.soft(toy.page.get_by_text("second")).to_be_visible(timeout=100)
        """
    )
    ran = project.runpytest_subprocess(
        "--tracing=retain-on-failure", "--html=out/report.html", "--junitxml=junit.xml", "--alluredir=allure"
    )
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(
        ["*Captured guide call*", "Step 1: Open the toy (* s)", "report: test-results/*/report.html"]
    )
    (folder,) = (project.path / "test-results").glob("*/runs/*-toy-*")
    report = (folder / "report.html").read_text()
    assert "The test has found these 2 things wrong" in report
    assert "Locator expected to be visible" in report
    assert "get_by_text(&#34;second&#34;)" in report
    junit = (project.path / "junit.xml").read_text()
    for kind, name in {"report": "report.html", "screenshot": "test-failed-1.png", "trace": "trace.zip"}.items():
        (found,) = folder.rglob(name)
        assert f'name="guiderunner_{kind}" value="{found.relative_to(project.path)}"' in junit
        assert str(found.relative_to(project.path)) in (project.path / "out" / "report.html").read_text()
    (result,) = (project.path / "allure").glob("*-result.json")
    (step,) = json.loads(result.read_text())["steps"]
    assert (step["name"], step["status"]) == ("Step 1: Open the toy", "passed")
    assert [each["name"] for each in step["attachments"]] == ["one.png"]


def test_tests_without_a_run_are_as_with_pytest_playwright_alone(project: pytest.Pytester) -> None:
    """Their contexts, traces and screenshots are its own."""
    project.makepyfile(
        """
        def test_plain(page, context):
            page.set_content("<h1>Plain</h1>")
            assert page.context == context
            assert 0
        """
    )
    ran = project.runpytest_subprocess("--tracing=on", "--screenshot=on")
    ran.assert_outcomes(failed=1)
    (folder,) = (project.path / "test-results").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["test-failed-1.png", "trace.zip"]


def test_expected_screenshots_lie_beside_the_test(project: pytest.Pytester) -> None:
    """They are written when asked for, named by browser and system, and compared from then on; a name is used once."""
    project.makepyfile(
        test_looks="""
        import pytest

        @pytest.mark.parametrize("body", ["<h1>Toy</h1>"])
        def test_page(page, expect_screenshot, body):
            page.set_content(body)
            expect_screenshot("toy")

        def test_run(toy, expect_screenshot):
            expect_screenshot("run", toy.until(1).page.get_by_role("heading"))
            expect_screenshot("run")
        """
    )
    first = project.runpytest_subprocess("--update-screenshots")
    first.assert_outcomes(passed=1, failed=1)
    first.stdout.fnmatch_lines(['expect_screenshot: this test has expected "run" before'])
    kept = sorted(path.name.partition("-")[0] for path in (project.path / "test_looks-screenshots").iterdir())
    assert kept == ["run", "toy"]
    source = project.path / "test_looks.py"
    source.write_text(source.read_text().replace('["<h1>Toy</h1>"]', '["<h1>Toys</h1>"]'))
    ran = project.runpytest_subprocess("-k", "test_page")
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(["E*AssertionError: toy-chromium-*.png looks different: a reader can see it*"])
    assert len(list((project.path / "test-results").rglob("looks/toy-differs.png"))) == 1
    source.write_text(source.read_text().replace('["<h1>Toys</h1>"]', '["<h1>Toy</h1>", "<h1>Toys</h1>"]'))
    ran = project.runpytest_subprocess("-k", "test_page", "--update-screenshots")
    ran.assert_outcomes(passed=1, failed=1)
    ran.stdout.fnmatch_lines(['expect_screenshot: "toy" is the picture of *: name another one'])


def test_known_violations_pass_and_new_ones_fail(project: pytest.Pytester) -> None:
    """The mark names the file of those that are known; without it they are listed in the report only."""
    project.makepyfile(
        """
        import pytest

        @pytest.mark.accessibility
        def test_listed(toy):
            toy.run()

        @pytest.mark.accessibility("known.json")
        def test_new(toy):
            toy.run()
        """
    )
    ran = project.runpytest_subprocess("-k", "test_new")
    ran.stdout.fnmatch_lines(["*accessibility: *known.json is not there: pytest --accept-accessibility writes it*"])
    (project.path / "known.json").write_text("{}")
    ran = project.runpytest_subprocess()
    ran.assert_outcomes(passed=1, failed=1)
    ran.stdout.fnmatch_lines(["E*Differs: *"])
    project.runpytest_subprocess("-k", "test_new", "--accept-accessibility").assert_outcomes(passed=1)
    project.runpytest_subprocess("-k", "test_new").assert_outcomes(passed=1)


@pytest.mark.parametrize("name", ["notes.txt", "dashboard/button.png", "a-test/notes.txt", "a-test/runs/notes.txt"])
def test_an_output_folder_with_something_else_in_it_is_refused(tmp_path: Path, name: str) -> None:
    """pytest-playwright deletes the folder: what no test has left there stays, and the sentence names it."""
    kept = tmp_path / "screenshots" / name
    kept.parent.mkdir(parents=True)
    kept.write_text("mine")
    with pytest.raises(pytest.UsageError, match="that folder would be deleted, and no test has made"):
        refuse_to_delete(tmp_path / "screenshots")
    assert kept.read_text() == "mine"


def test_an_output_folder_of_earlier_tests_is_not_refused(tmp_path: Path) -> None:
    """Nor is one that is empty, or is not there yet."""
    refuse_to_delete(tmp_path / "new")
    for name in ("a-test/trace.zip", "a-test/video-2.webm", "a-test/test-failed-1.png", "b-test/runs/ledger.db"):
        path = tmp_path / "test-results" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    refuse_to_delete(tmp_path / "test-results")


def test_a_link_is_no_output_folder(tmp_path: Path) -> None:
    """What it leads to would lose its files."""
    (tmp_path / "test-results").symlink_to(tmp_path)
    with pytest.raises(pytest.UsageError):
        refuse_to_delete(tmp_path / "test-results")


def test_pytest_ends_before_anything_is_deleted(project: pytest.Pytester) -> None:
    """The real command, with its exit code for wrong usage."""
    kept = project.mkdir("screenshots") / "step.png"
    kept.write_text("mine")
    project.makepyfile("def test_nothing(toy): pass")
    ran = project.runpytest_subprocess("--output", "screenshots")
    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    ran.stderr.fnmatch_lines(["ERROR: --output screenshots: that folder would be deleted*"])
    assert kept.read_text() == "mine"
    ran = project.runpytest_subprocess("--output", "screenshots", "-n", "1")
    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["--output screenshots: that folder would be deleted*"])
    assert kept.read_text() == "mine"


def test_a_project_that_asks_for_nothing_of_ours_is_left_alone(project: pytest.Pytester) -> None:
    """Its output folder is deleted as pytest-playwright does it, and its own packages are its own."""
    kept = project.mkdir("screenshots") / "step.png"
    kept.write_text("mine")
    for name in ("runner", "flows", "fixtures"):
        (project.mkpydir(name) / "mine.py").write_text("WHOSE = 'mine'")
    (project.path / "conftest.py").unlink()
    project.makepyfile(
        """
        from fixtures.mine import WHOSE as one
        from flows.mine import WHOSE as two
        from runner.mine import WHOSE as three

        def test_whose():
            assert one == two == three == "mine"
        """
    )
    for command in (["-p", "no:cacheprovider"], ["-n", "1"]):
        ran = project.runpytest_subprocess("--output", "screenshots", *command)
        ran.assert_outcomes(passed=1)
        assert not kept.exists()


def test_workers_do_not_delete_what_the_others_write(project: pytest.Pytester) -> None:
    """Each of them asks for it, as does one that takes the place of a crashed one."""
    project.makepyfile(
        """
        import os
        import pytest

        @pytest.mark.parametrize("number", range(3))
        def test_it(toy, number):
            toy.until(1)
            if number == 1 and not os.path.exists("crashed"):
                open("crashed", "w").close()
                os._exit(1)
        """
    )
    project.mkdir("test-results").joinpath("old").mkdir()
    project.runpytest_subprocess("-n", "1", "--max-worker-restart", "1")
    runs = [path.parent.name for path in project.path.glob("test-results/*/runs/*/ledger.jsonl")]
    assert len(runs) == 3
    assert not (project.path / "test-results" / "old").exists()
