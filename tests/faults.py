"""Performs the migration through the faults of the catalogue and says how it ends: by the real command line, or in short.

`python -m tests.faults [NAME ...]` records the outcomes, with `make faults` for all: they are never written by hand.
"""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fixtures.faults import CATALOGUE
from fixtures.wordpress import SourceOptions, activate_plugin
from flows.wordpress_migration.flow import FLOW
from flows.wordpress_migration.migration import check_workspace
from runner.errors import StepFailed
from runner.flow import Step
from runner.ledger import Ledger
from runner.performance import Options, perform, resume
from runner.run import Reporter
from tests.command_line import LIMIT, PROGRAM, environment, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager

    from playwright.sync_api import Browser

    from fixtures.faults import Fault
    from fixtures.sandbox import Sandbox
    from flows.wordpress_migration.run import MigrationRun
    from runner.performance import Result

OUTCOMES = Path(__file__).parents[1] / "flows/wordpress_migration/faults.json"

USUAL = Counter(
    {
        "looking at the existing site https://www.example.com": 1,
        "signing in to wp-admin": 1,
        "signing in to the dashboard": 1,
        "having a machine token made": 1,
        "installing the plugin": 1,
        "this is edition 2024 of the guide": 1,
        "no machine token is to be revoked; to revoke one: Personal Settings > Machine Tokens": 1,
    }
)
"""What a run says that nothing befalls."""

PROGRESS = re.compile(r"migrating: |about to |waiting without a browser|no machine token is to be revoked")
"""What it says as well, in words that differ from run to run."""


@dataclass(frozen=True)
class Outcome:
    """How a run ends that meets a fault.

    Attributes:
        state: done, failed, or asks.
        step: The step that it ends at, 0 for the preflight; None when it is done.
        exit_code: The command's.
        sentence: What it says of the fault.
        left: What is left behind outside by a run that stops; one that is done leaves what the guide makes.
        resume: Whether `resume` helps.
    """

    state: str
    step: int | None
    exit_code: int
    sentence: str
    left: list[str]
    resume: str


NOT_NEEDED = "not needed"
BY_ITSELF = "yes"
PUT_RIGHT = "yes, when it is put right"
OTHER_SETTINGS = "yes, with the settings corrected"
ANSWERED = "yes, with --answer"
NO = "no: begin anew"


def plain(sandbox: Sandbox, text: str) -> str:
    """A text without what differs from run to run: addresses, ports, ids.

    Args:
        sandbox: Whose addresses stand in it.
        text: What a run has said.
    """
    places = {
        sandbox.source_url: "www.example.com",
        sandbox.dashboard_url: "dashboard.example.com",
        sandbox.identity_url: "login.example.com",
        sandbox.service_url: "migrations.example.com",
    }
    for address, name in places.items():
        text = text.replace(address, f"https://{name}").replace(urlsplit(address).netloc, name)
    return re.sub(r"\b[0-9a-f]{8,32}\b", "1a2b3c4d", text)


def remarks(sandbox: Sandbox, said: Iterable[str]) -> str:
    """What a run has said that nothing would have made it say without a fault.

    Args:
        sandbox: Whose addresses stand in it.
        said: All that it has said, in order.
    """
    left, found = Counter(USUAL), []
    for words in (plain(sandbox, one) for one in said):
        if PROGRESS.match(words):
            continue
        if left[words] > 0:
            left[words] -= 1
        elif words not in found:
            found.append(words)
    return "; ".join(found)


class Performer:
    """Performs a run with a fault, and takes it up when the fault is over.

    Args:
        sandbox: What it runs on.
        cwd: Where its folder and the ledger go.
    """

    source = SourceOptions()
    """How the existing site is otherwise."""

    def __init__(self, sandbox: Sandbox, cwd: Path) -> None:
        self.sandbox = sandbox
        self.cwd = cwd

    def begin(self, fault: Fault) -> Ended:
        """Perform a run with this fault."""
        raise NotImplementedError

    def go_on(self, ended: Ended) -> int:
        """Take it up, beyond where it ended, without the fault; returns the exit code."""
        raise NotImplementedError

    def perform(self, fault: Fault, *, helps: str = "") -> Outcome:
        """Say how a run ends that meets a fault.

        Args:
            fault: What goes wrong.
            helps: Whether `resume` helps, if that is not to be tried.
        """
        self.sandbox.begin_with(fault, source=self.source, keep_site=True)
        ended = self.begin(fault)
        if ended.code == 0:
            return Outcome(ended.state, None, 0, remarks(self.sandbox, said_in(ended.entries)), [], NOT_NEEDED)
        left = self.sandbox.left_behind()
        sentence = plain(self.sandbox, ended.sentence)
        if helps:
            return Outcome(ended.state, ended.step, ended.code, sentence, left, helps)
        helps = BY_ITSELF
        if any(not name.endswith("_TIMEOUT") for name in fault.settings):
            helps = OTHER_SETTINGS
        elif fault.source or lasts(self.sandbox, fault):
            helps = PUT_RIGHT
        self.sandbox.end_faults()
        without_help = ANSWERED if ended.state == "asks" else NO
        resume = helps if self.go_on(ended) == 0 else without_help
        return Outcome(ended.state, ended.step, ended.code, sentence, left, resume)


@dataclass(frozen=True)
class Ended:
    """How one process of a run has ended."""

    id: str
    state: str
    step: int
    code: int
    sentence: str
    entries: list[dict[str, Any]]


class Whole(Performer):
    """By the real command line, from the beginning."""

    def begin(self, fault: Fault) -> Ended:
        """Start the command, and have the fault happen at its step's beginning."""
        done = self._command(fault, "run", FLOW.name)
        assert done.returncode in (0, 1), done.stderr  # interrupted, or something is missing: that is no outcome
        result = json.loads(done.stdout)
        failure = result["failure"] or {"step": 0, "sentence": ""}
        assert failure["sentence"] in done.stderr, "the sentence is not the one that was printed"
        if done.returncode == 0:
            audit = self.sandbox.audit()
            once = ("sites_created", "migrations_completed", "confirmed")
            assert [len(audit[name]) for name in once] == [1, 1, 1], audit
        entries = [json.loads(line) for line in self._ledger()]
        return Ended(result["id"], result["state"], failure["step"], done.returncode, failure["sentence"], entries)

    def go_on(self, ended: Ended) -> int:
        """By the command."""
        return self._command(None, "resume", ended.id, "--until", str(max(1, ended.step))).returncode

    def _command(self, fault: Fault | None, *args: str) -> subprocess.CompletedProcess[str]:
        command = [*PROGRAM, *args, "--json", "--trace", "off"]
        with subprocess.Popen(
            command,
            cwd=self.cwd,
            env=environment(**PATIENT | self.sandbox.settings()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            if fault and fault.step is not None:
                step = {"event": "step started", "step": fault.step}
                until(f"step {fault.step}", lambda: process.poll() is not None or self._has(step))
                self.sandbox.cause(fault)
            out, err = process.communicate(timeout=LIMIT)
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def _has(self, wanted: dict[str, Any]) -> bool:
        return any(wanted.items() <= json.loads(line).items() for line in self._ledger())

    def _ledger(self) -> list[str]:
        copies = list(self.cwd.glob("runs/*/ledger.jsonl"))
        lines = copies[0].read_text().splitlines(keepends=True) if copies else []
        return [line for line in lines if line.endswith("\n")]


PATIENT = {"MIGRATION_TIMEOUT": "6h", "CREATION_TIMEOUT": "15m"}
"""What a run that goes on is given, whatever it had before."""

PARTS: dict[str, tuple[int, int]] = {
    "network": (1, 3),
    "slow": (4, 5),
    "connection-drops": (0, 0),
    "connection-drops-in-page": (0, 0),
    "bad-gateway": (0, 0),
    "outage": (4, 4),
    "bad-gateway-at-migration": (8, 8),
    "source-unknown-host": (0, 0),
    "dashboard-unknown-host": (0, 0),
    "dashboard": (1, 3),
    "session-ends": (4, 4),
    "reauthentication-dialogue": (4, 4),
    "reauthentication-page": (4, 4),
    "other-identity": (4, 8),
    "wrong-password": (0, 0),
    "second-factor": (0, 0),
    "name-in-use": (0, 0),
    "renamed-beginning": (0, 0),
    "token-hidden": (4, 4),
    "token-only-copied": (4, 4),
    "token-missing": (4, 4),
    "early-confirm": (9, 9),
    "source": (0, 0),
    "plugin-not-found": (6, 6),
    "look-alikes-only": (6, 6),
    "directory-unreachable": (6, 6),
    "plugin-on-later-page": (6, 7),
    "plugin-installed": (6, 7),
    "plugin-active": (6, 7),
    "plugin-outdated": (6, 7),
    "plugin-fatal-error": (6, 7),
    "no-redirect": (6, 8),
    "scripts-broken": (6, 7),
    "another-language": (6, 7),
    "another-colour-scheme": (6, 7),
    "email-to-confirm": (6, 6),
    "php-warnings": (6, 8),
    "basic-auth": (8, 8),
    "migration": (8, 8),
}
"""The steps that a fault, or most of a group, has to do with: the first and the last; 0 is the preflight."""

NOT_RECOGNISED = {"renamed-beginning"}
"""Faults that end a run before it knows the edition, and whose sentence would name it."""

PATIENCE = 9
"""Seconds that a page is given here; PAGE_TIMEOUT's default would be 30."""

IN_VAIN = {
    "workspace-missing",
    "renamed-control",
    "renamed-control-after-creation",
    "renamed-beginning",
    "token-missing",
}
"""Faults after which something is waited for that never comes, in pages that only the stand-ins answer: 4 seconds do."""

QUICKER: dict[str, dict[str, Any]] = {
    "migration-takes-long": {"migration_seconds": 4.0},
    "slow": {"slow_ms": 300},
}
"""What takes less time than the fault would have it."""


class Short(Performer):
    """In this process, and only the steps that a fault has to do with: what comes before is made in the sandbox itself.

    Args:
        sandbox: What it runs on.
        cwd: Where its folder and the ledger go.
        browser: What it runs in.
    """

    source = SourceOptions(command_palette=False)
    """Without the scripts with which each page of wp-admin takes twice as long; the whole run loads them."""

    def __init__(self, sandbox: Sandbox, cwd: Path, browser: Browser) -> None:
        super().__init__(sandbox, cwd)
        self.browser = browser
        self.ledger = Ledger.beside(cwd)
        self.flow = FLOW
        self.options = Options()
        self.patience = PATIENCE

    def begin(self, fault: Fault) -> Ended:
        """Perform the steps."""
        first, last = PARTS.get(fault.name) or PARTS[fault.group]
        self.flow = copy.copy(FLOW)
        if fault.group != "source" and fault.name != "source-unknown-host":
            self.flow.first = Step(0, (), (), (), check_workspace, name="Preflight")
        self.flow.steps = [
            *([stand_before(self.sandbox, first)] if first else []),
            *FLOW.steps[max(first - 1, 0) : last],
        ]
        self.flow.last = None
        if fault.name in NOT_RECOGNISED:
            self.flow.edition = ""
        self.flow.editions = [self.flow if one is FLOW else one for one in FLOW.editions]
        self.patience = 4 if fault.name in IN_VAIN else PATIENCE
        self.options = Options(preflight=first == 0, report=False)
        self.sandbox.behave(**({"delay_ms": 20, "migration_seconds": 0.5} | QUICKER.get(fault.name, {})))
        return self._end(
            lambda settings: perform(
                self.flow,
                settings,
                self._browsers,
                runs=self.cwd,
                ledger=self.ledger,
                options=self.options,
                reporter=Bringing(self.sandbox, fault),
            )
        )

    def go_on(self, ended: Ended) -> int:
        """Perform the rest of them."""
        return self._end(
            lambda settings: resume(
                self.flow,
                settings,
                self._browsers,
                record=self.ledger.find(ended.id),
                ledger=self.ledger,
                options=self.options,
            )
        ).code

    def _end(self, act: Callable[[Any], Result]) -> Ended:
        given = PATIENT | {"PAGE_TIMEOUT": f"{self.patience}s"} | self.sandbox.settings()
        (before,) = [record.settings for record in self.ledger.runs()] or [{}]
        settings = FLOW.settings.load_again(given, before) if before else FLOW.settings.load(given)
        step, code, sentence = 0, 0, ""
        try:
            act(settings)
        except StepFailed as failed:
            step, code, sentence = failed.failure.step, failed.exit_code, failed.failure.sentence
        (record,) = self.ledger.runs()
        usual = sentence.replace(f" {self.patience} seconds", " 30 seconds")
        return Ended(record.id, record.state, step, code, usual, self.ledger.entries(record.id))

    def _browsers(self) -> AbstractContextManager[Browser]:
        return nullcontext(self.browser)


class Bringing(Reporter):
    """Brings a fault about at the beginning of its step.

    Args:
        sandbox: Where.
        fault: Which.
    """

    def __init__(self, sandbox: Sandbox, fault: Fault) -> None:
        self.sandbox = sandbox
        self.coming = {fault.step: fault}

    def step_started(self, step: Step[Any]) -> None:
        """Bring it about, if this is its step, and the first time that it begins."""
        if fault := self.coming.pop(step.number, None):
            self.sandbox.cause(fault)


def stand_before(sandbox: Sandbox, number: int) -> Step[MigrationRun]:
    """What the steps before this one leave behind, without performing them.

    Args:
        sandbox: Where it is left behind.
        number: The step that is to come: the first, or one from the fourth on.
    """

    def stand(run: MigrationRun) -> None:
        """Stand before the step: the site and what else comes before it are there."""
        run.facts["name_was_free"] = "yes"
        if number == 1:
            return
        world, source = sandbox.world, sandbox.source_url
        account = world.account
        site = world.create_site(account, run.settings.site_name, account.workspaces[0], source)
        run.facts["site_page"] = f"{sandbox.dashboard_url}/migrate/{site.id}"
        if number == 4:
            run.dashboard.open_site_page(run.facts["site_page"])
            run.dashboard.reach(run.dashboard.generate_machine_token)
        if number > 4:
            run.machine_token = run.keep_secret(world.make_token(account, "test").value, "machine token")
            run.facts["site_name"] = site.name
        if number in (6, 7, 8):
            run.page.goto(sandbox.dashboard_url)
            with run.page.context.expect_page() as opened:
                run.page.evaluate("url => void open(url)", f"{source}/wp-admin/plugin-install.php")
            run.take_new_tab(opened.value).check_arrival()
        if number == 8:
            activate_plugin(sandbox.source)
        if number == 9:
            migration = world.begin_migration(site, source, None)
            migration.state, migration.percent = "completed", 100

    return Step(number - 1, (), (), (), stand)


def said_in(entries: Iterable[dict[str, Any]]) -> list[str]:
    """What a run has said to whoever watched, from its ledger.

    Args:
        entries: The ledger's.
    """
    told = {"said": "{words}", "interrupted by": "something lay over the page: {words}", "step again": "{sentence}"}
    return [told[entry["event"]].format(**entry) for entry in entries if entry["event"] in told]


def lasts(sandbox: Sandbox, fault: Fault) -> bool:
    """Whether a fault is still there: what happens once takes itself back.

    Args:
        sandbox: Where it happened.
        fault: What happened.
    """
    now = sandbox.world.behaviour
    return any(getattr(now, name) == value for name, value in fault.behaviour.items())


def recorded() -> dict[str, Outcome]:
    """The outcomes as they were recorded."""
    found = json.loads(OUTCOMES.read_text(encoding="utf-8"))
    return {name: Outcome(**outcome) for name, outcome in found.items()}


def record(names: Sequence[str]) -> None:
    """Perform the migration with each of these faults by the command line, and record how it ends.

    Args:
        names: Which; none for all.
    """
    from fixtures.sandbox import Sandbox  # noqa: PLC0415 - only where PHP and the stand-ins' packages are

    outcomes = {name: asdict(outcome) for name, outcome in recorded().items()} if OUTCOMES.exists() else {}
    with Sandbox() as sandbox:
        for name in names or CATALOGUE:
            with tempfile.TemporaryDirectory(prefix="faults-") as folder:
                outcome = Whole(sandbox, Path(folder)).perform(CATALOGUE[name])
            print(f"{name}: {outcome}", flush=True)  # noqa: T201 - a command of its own
            outcomes[name] = asdict(outcome)
            text = json.dumps({name: outcomes[name] for name in CATALOGUE if name in outcomes}, indent=2)
            OUTCOMES.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    record(sys.argv[1:])
