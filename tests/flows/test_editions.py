"""Edition 2025 is performed on the sandbox's dashboard of that edition; an edition is recognised, or found to be wrong."""

from __future__ import annotations

import re
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from flows.wordpress_migration.pages.wp_admin import WpAdmin
from runner.errors import StepFailed
from runner.ledger import Ledger
from runner.performance import Options, resume
from tests.cases import cases
from tests.evidence import holds_a_secret
from tests.flows.conftest import FLOWS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser

    from fixtures.sandbox import Sandbox
    from runner.performance import Result
    from tests.flows.conftest import Outcome

pytestmark = pytest.mark.sandbox

IMAGES = [name for step in FLOWS["2025"].steps for name in step.screenshots]
POPUP = "dashboard/new-dashboard/2025/confirm-workspace-prompt.png"


@pytest.fixture
def take_up(browser: Browser, sandbox: Sandbox, tmp_path: Path) -> Callable[..., Result]:
    """Take up the one run, in a fresh browser, in the edition that it has recorded."""

    def run(**options: Any) -> Result:
        ledger = Ledger.beside(tmp_path / "runs")
        (record,) = ledger.runs()
        flow = FLOWS[record.edition]
        settings = flow.settings.load_again({**sandbox.settings(), "PAGE_TIMEOUT": "20s"}, record.settings)
        return resume(
            flow, settings, lambda: nullcontext(browser), record=record, ledger=ledger, options=Options(**options)
        )

    return run


def test_the_whole_guide_of_2025(migrate: Callable[..., Outcome], sandbox: Sandbox) -> None:
    """It is recognised; eight steps, eleven pictures, everything once, and the token is nowhere."""
    outcome = migrate(
        {"PANTHEON_WORKSPACE": "Fernhill Studio"},
        {"edition": "2025", "reauthenticate": "dialogue", "migration_seconds": 0.5},
        edition="",
        report=True,
    )
    assert outcome.error is None
    assert set(outcome.done.values()) == {1}
    assert outcome.result
    assert (outcome.result.edition, outcome.result.steps_done) == ("2025", 8)
    assert outcome.result.screenshots == IMAGES
    (site,) = outcome.audit["sites_created"]
    assert (site["name"], site["workspace"]) == ("larkfield-pottery-studio", "Fernhill Studio")
    (token,) = sandbox.world.tokens.values()
    assert outcome.run.machine_token.reveal() == token.value
    assert holds_a_secret(outcome.run.folder, token.value) == []
    assert "edition 2025" in (outcome.run.folder / "report.html").read_text()


def test_edition_2024_is_recognised(migrate: Callable[..., Outcome]) -> None:
    """Step 1's picture is the one that this edition names so."""
    outcome = migrate(edition="", until=1)
    assert outcome.result
    assert (outcome.result.edition, outcome.result.state) == ("2024", "stopped")
    (image,) = FLOWS["2024"].steps[0].images
    assert outcome.result.screenshots == [image]
    pictures = outcome.run.folder / "screenshots"
    assert [path.relative_to(pictures).as_posix() for path in pictures.rglob("*.png")] == [image]


WRONG: dict[str, tuple[str, str, int, str]] = {
    "2024 where the dashboard is 2025": (
        "2024",
        "2025",
        2,
        (
            r'no field for the current website URL.*\. By edition 2024 of the guide there is "current website URL" '
            r"here; the closest control on the page is .+\. The page looks like edition 2025: .* --edition 2025$"
        ),
    ),
    "2025 where the dashboard is 2024": (
        "2025",
        "2024",
        4,
        (
            r'By edition 2025 of the guide there is "Continue to Migration" here; the closest control on the page is '
            r".+\. The page looks like edition 2024: .* --edition 2024$"
        ),
    ),
}


@pytest.mark.parametrize(
    ("edition", "shown", "step", "sentence"), cases(WRONG, slow={"2025 where the dashboard is 2024"})
)
def test_the_wrong_edition_ends_where_a_reader_would_be_stuck(
    migrate: Callable[..., Outcome], edition: str, shown: str, step: int, sentence: str
) -> None:
    """With a sentence that names it, the closest control, and the edition that the page looks like."""
    outcome = migrate({"PAGE_TIMEOUT": "5s"}, {"edition": shown}, edition=edition, until=step)
    with pytest.raises(StepFailed) as caught:
        raise outcome.error or AssertionError("the run did not fail")
    assert caught.value.failure.step == step
    assert re.search(sentence, caught.value.failure.sentence), caught.value.failure.sentence
    assert caught.value.failure.closest in caught.value.failure.controls


DASHBOARDS: dict[str, dict[str, Any]] = {
    "tiles, input": {},
    "radios, links, text, other words": {
        "markup": {"cms": "radios", "buttons": "link", "token": "text"},
        "wording": "other",
        "reauthenticate": "page",
    },
    "list, roles, masked token": {
        "markup": {"cms": "list", "buttons": "role", "token": "masked-with-copy"},
        "reauthenticate": "page-again",
        "cookie_banner": True,
    },
    "listbox, copy-only token, session ends at the site's creation": {
        "markup": {"cms": "listbox", "token": "copy-only"},
        "session_ends": "/api/sites",
        "delay_ms": 900,
    },
}


@pytest.mark.parametrize(
    "behaviour",
    cases(
        DASHBOARDS,
        slow={
            "radios, links, text, other words",
            "tiles, input",
            "list, roles, masked token",
            "listbox, copy-only token, session ends at the site's creation",
        },
    ),
)
def test_a_run_of_2025_goes_on_from_its_fifth_step(
    migrate: Callable[..., Outcome], take_up: Callable[..., Result], sandbox: Sandbox, behaviour: dict[str, Any]
) -> None:
    """Another token is made, the new tab arrives at the plugin's own page; no popup asked, so it has no picture."""
    outcome = migrate(behaviour={"edition": "2025", **behaviour}, edition="", until=4)
    assert outcome.error is None
    assert outcome.done["tokens_made"] == 1
    result = take_up(until=5)
    assert (result.state, result.edition, result.steps_done) == ("stopped", "2025", 5)
    assert result.screenshots == [name for name in IMAGES[:7] if name != POPUP]
    assert result.facts["site_name"] == "larkfield-pottery-studio"
    assert len(sandbox.audit()["sites_created"]) == 1
    assert len(sandbox.audit()["tokens_made"]) == 2


@pytest.mark.slow
def test_the_popup_may_have_links_that_look_like_buttons(migrate: Callable[..., Outcome]) -> None:
    """**Confirm** is found as every other control is, in the popup for the workspace too."""
    behaviour = {"edition": "2025", "markup": {"buttons": "link"}}
    settings = {"PANTHEON_WORKSPACE": "Fernhill Studio", "CREATION_TIMEOUT": "15s"}
    outcome = migrate(settings, behaviour, edition="2025", until=3)
    assert outcome.error is None
    (site,) = outcome.audit["sites_created"]
    assert site["workspace"] == "Fernhill Studio"


SOURCES: dict[str, dict[str, Any]] = {
    "plugin installed": {"plugin": "installed"},
    "plugin active, not in the directory": {"plugin": "active", "in_directory": False},
    "plugin installed, no changes of files allowed": {"plugin": "installed", "file_mods": False},
    "plugin outdated, classic pages": {"plugin": "outdated-inactive", "install": "classic"},
    "in German": {"language": "de_DE", "activation_redirect": False},
}


@pytest.mark.slow
@pytest.mark.parametrize("source", cases(SOURCES))
def test_step_6_of_2025_ends_with_the_plugin_active(migrate: Callable[..., Outcome], source: dict[str, Any]) -> None:
    """Whatever is there of it, and wherever the tab has arrived."""
    outcome = migrate(source=source, behaviour={"migration_seconds": 0.5}, only_in_second_tab=True, edition="2025")
    assert outcome.error is None
    assert outcome.done["migrations_completed"] == 1


@pytest.mark.slow
def test_an_interruption_between_install_now_and_activate_is_made_good(
    migrate: Callable[..., Outcome],
    take_up: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The step is performed again, on a page that offers to activate the plugin only; it is installed once."""
    activate = WpAdmin.activate_plugin

    def interrupted(_: WpAdmin) -> None:
        monkeypatch.setattr(WpAdmin, "activate_plugin", activate)
        raise KeyboardInterrupt

    monkeypatch.setattr(WpAdmin, "activate_plugin", interrupted)
    with pytest.raises(KeyboardInterrupt):
        migrate(only_in_second_tab=True, edition="2025", until=2)
    result = take_up(until=2, preflight=False)
    assert (result.state, result.steps_done) == ("stopped", 2)
    said = [entry["words"] for entry in Ledger.beside(tmp_path / "runs").entries(result.id) if entry["event"] == "said"]
    assert said.count("installing the plugin") == 1
