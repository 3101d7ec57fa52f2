"""JUnit XML, as continuous integration reads it: one test case for each step of a run, or for each site of a fleet."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from runner.accessibility import sentence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from runner.evidence import RunEvidence, StepEvidence
    from runner.ledger import Record
    from runner.summary import SiteEvidence

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot hold, not even escaped."""


@dataclass(frozen=True)
class Case:
    """One test case.

    Attributes:
        name: What it is called.
        seconds: How long it took.
        failure: The sentence of its failure; nothing if it did not fail.
        more: More lines about that.
        kind: What it is called where errors are told apart.
        skipped: Why it has no result yet; nothing if it has one.
    """

    name: str
    seconds: float = 0
    failure: str = ""
    more: Sequence[str] = ()
    skipped: str = ""
    kind: str = "StepFailed"


@dataclass(frozen=True)
class Suite:
    """All test cases of one file.

    Attributes:
        name: What it is called.
        cases: The test cases.
        timestamp: When it began (UTC).
        properties: What else there is to say.
    """

    name: str
    cases: Sequence[Case]
    timestamp: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)


def suite_of_run(run: RunEvidence, record: Record) -> Suite:
    """A run: its steps."""
    properties = {"run": record.id, "site": record.site, "edition": record.edition, "state": run.state} | run.versions
    return Suite(record.flow, [_case_of_step(one) for one in run.steps], record.started, properties)


def _case_of_step(one: StepEvidence) -> Case:
    name, seconds = f"{one.step.name}: {one.step.title}", one.seconds()
    if one.state in ("failed", "asks") and one.failure:
        failure = one.failure
        about = {"guide": failure["says"], "page": failure["url"], "looked for": failure["looked_for"]}
        about |= {"there were": ", ".join(failure["controls"]), "go on with": failure["resume"]}
        return Case(name, seconds, failure["sentence"], [f"{what}: {said}" for what, said in about.items() if said])
    if new := [sentence(one.step.name, *found) for found in one.new_violations]:
        return Case(name, seconds, f"new violations of accessibility: {len(new)}", new, kind="Differs")
    return Case(name, seconds, skipped="" if one.is_done else one.state)


def suite_of_fleet(name: str, sites: Sequence[SiteEvidence]) -> Suite:
    """A fleet: its sites."""
    cases = []
    for one in sites:
        entry = one.entry
        wrong = (entry.sentence or entry.state) if entry.state in ("failed", "asks") else ""
        skipped = "" if wrong or entry.state == "done" else entry.state
        cases.append(Case(entry.site, one.seconds, wrong, [f"run: {entry.run}"] if entry.run else [], skipped))
    return Suite(name, cases, min((one.began for one in sites if one.began), default=""))


def write_junit(path: Path, suite: Suite) -> None:
    """Write a test suite."""
    counts = {
        "tests": str(len(suite.cases)),
        "failures": str(sum(bool(case.failure) for case in suite.cases)),
        "errors": "0",
        "skipped": str(sum(bool(case.skipped) for case in suite.cases)),
        "time": f"{sum(case.seconds for case in suite.cases):.3f}",
    }
    root = ET.Element("testsuites", counts)
    element = ET.SubElement(root, "testsuite", {"name": _xml(suite.name), **counts})
    if suite.timestamp:
        element.set("timestamp", suite.timestamp[:19])
    if suite.properties:
        properties = ET.SubElement(element, "properties")
        for name, value in suite.properties.items():
            ET.SubElement(properties, "property", {"name": _xml(name), "value": _xml(value)})
    for case in suite.cases:
        about = {"classname": _xml(suite.name), "name": _xml(case.name), "time": f"{case.seconds:.3f}"}
        shown = ET.SubElement(element, "testcase", about)
        if case.failure:
            failure = ET.SubElement(shown, "failure", {"message": _xml(case.failure), "type": case.kind})
            failure.text = _xml("\n".join([case.failure, *case.more]))
        elif case.skipped:
            ET.SubElement(shown, "skipped", {"message": _xml(case.skipped)})
    ET.indent(root)
    path.write_text(ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n", encoding="utf-8")


def _xml(text: str) -> str:
    """The text with a question mark for each character that XML cannot hold."""
    return _NOT_XML.sub("?", text)
