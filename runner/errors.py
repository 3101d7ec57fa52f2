"""Everything that can go wrong, as one tree; each branch has an exit code of its own.

    GuiderunnerError
    ├── Stuck             a page is not what the guide says (inside a step; becomes StepFailed)
    │   ├── Undone        what a step waits for has failed outside: it has to be performed again (inside a step)
    │   ├── NeedsPerson   a sign-in that only a person can complete or correct: not to be tried again (inside a step)
    │   └── Question      whether a step was done cannot be known: a person has to answer (inside a step)
    ├── StartAgain        a page lost what earlier steps had entered, and nothing was created yet (inside a step)
    ├── BrowserGone       the browser is of no more use: the step is taken up in another one (inside a run)
    ├── StepFailed        1    a step failed; says step, guide's words, page, what was there instead
    ├── Differs           1    what a run has made differs from its origin, or a run from another one
    ├── SitesLeft         1    a fleet has ended, and not all of its sites are done
    ├── WrongUsage        2    an option or an argument cannot be used as given
    │   ├── NotAGuide     2    a file is not text, or has no numbered steps
    │   └── WrongSettings 2    settings are missing or malformed; names all of them at once
    ├── NotPublished      1    images were refused or could not be replaced; the target is as it was
    ├── GuideDiffers      3    guide and flow disagree; one line for each difference
    ├── ImagesDiffer      4    images would change, and nothing was to be changed
    ├── Missing           5    something is missing on this machine; says how to get it
    ├── SecretFound       6    a secret stood in the output; the file was deleted
    ├── LedgerFailed      7    the ledger cannot be read or written; what was not recorded as begun was not done
    └── AlreadyBegun      8    another run has begun this, or has done it; nothing was done twice

An interruption (Ctrl-C, SIGTERM) is Python's own KeyboardInterrupt and ends with exit code 130.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from playwright.sync_api import Locator


class GuiderunnerError(Exception):
    """Base of all errors that are said to the user as a sentence, without a traceback."""

    exit_code: ClassVar[int] = 1


class Stuck(GuiderunnerError):
    """A page is not what the guide says; raised by page objects, turned into StepFailed by the run.

    Args:
        sentence: What was expected, what is there, what to do next.
        looked_for: The control or text that was searched, in the guide's words.
        place: Where it was searched, or what was found and could not be used; marked in the failure's screenshot.
    """

    def __init__(self, sentence: str, *, looked_for: str = "", place: Locator | None = None) -> None:
        super().__init__(sentence)
        self.looked_for = looked_for
        self.place = place


class Undone(Stuck):
    """What a step waited for has failed outside, so that the step has to be performed again when the run goes on."""


class NeedsPerson(Stuck):
    """A sign-in was refused, or asks for what only a person has: tried again, it could lock the account."""


class Question(Stuck):
    """It cannot be known whether a step was done before the run was interrupted; a person has to look and answer.

    Args:
        sentence: What is not known, and where to look.
        fact: Name of the fact that an answer has to give if it was done, such as an address; nothing if yes is enough.
    """

    def __init__(self, sentence: str, *, fact: str = "") -> None:
        super().__init__(sentence)
        self.fact = fact


class StartAgain(GuiderunnerError):
    """What earlier steps entered is gone (a session ended) and nothing was created: perform from `step` again.

    Args:
        sentence: Why.
        step: Number of the guide's step to go back to.
    """

    def __init__(self, sentence: str, *, step: int) -> None:
        super().__init__(sentence)
        self.step = step


class BrowserGone(GuiderunnerError):
    """The browser has crashed, was killed, or is of no more use; the step can be taken up in another one."""


@dataclass(frozen=True)
class Failure:
    """What is known about a failed step; every text in it has been redacted."""

    flow: str
    name: str
    step: int
    says: str
    sentence: str
    url: str = ""
    looked_for: str = ""
    controls: Sequence[str] = ()
    closest: str = ""
    screenshot: Path | None = None
    resume: str = ""
    asks: bool = False
    needs_person: bool = False
    marked: bool = False

    def lines(self) -> list[str]:
        """The failure as the lines a person reads, most important first."""
        lines = [f"{self.name} failed: {self.sentence}"]
        if self.says:
            lines.append(f"  guide:      step {self.step}, {self.says}")
        if self.url:
            lines.append(f"  page:       {self.url}")
        if self.looked_for:
            lines.append(f"  looked for: {self.looked_for}")
        if self.controls:
            lines.append(f"  there were: {', '.join(self.controls)}")
        if self.closest:
            lines.append(f"  closest:    {self.closest}")
        if self.screenshot:
            lines.append(f"  screenshot: {self.screenshot}")
        if self.resume:
            lines.append(f"  go on with: {self.resume}")
        return lines


class StepFailed(GuiderunnerError):
    """A step failed; everything known about it, redacted, is in `failure`."""

    def __init__(self, failure: Failure) -> None:
        super().__init__("\n".join(failure.lines()))
        self.failure = failure


class Differs(GuiderunnerError):
    """What a run has made, or how it went, differs from what it is compared with; the differences have been printed."""


class SitesLeft(GuiderunnerError):
    """A fleet has ended, and not all of its sites are done; the sentence says how many, and where to read why."""


class WrongUsage(GuiderunnerError):
    """An option or an argument cannot be used as given."""

    exit_code = 2


class NotAGuide(WrongUsage):
    """A file is not text, or has no numbered steps."""


class WrongSettings(WrongUsage):
    """Settings are missing or malformed; all of them are named at once.

    Args:
        missing: Names of the settings that have no value.
        wrong: One sentence for each value that cannot be used (never the value of a secret).
    """

    def __init__(self, *, missing: Sequence[str] = (), wrong: Sequence[str] = ()) -> None:
        sentences = list(wrong)
        if missing:
            sentences.append(
                f"missing: {', '.join(missing)}. Set them in the environment or in .env; "
                '"guiderunner list --env" shows all of them.'
            )
        super().__init__("\n".join(sentences))
        self.missing = tuple(missing)
        self.wrong = tuple(wrong)


class GuideDiffers(GuiderunnerError):
    """Guide and flow disagree.

    Args:
        differences: One line for each, with the guide's line number and step.
    """

    exit_code = 3

    def __init__(self, differences: Sequence[str]) -> None:
        super().__init__("\n".join(differences))
        self.differences = tuple(differences)


class NotPublished(GuiderunnerError):
    """Images were refused, or could not be replaced; the target is as it was."""


class ImagesDiffer(GuiderunnerError):
    """Images would change, and it was asked only whether they would."""

    exit_code = 4


class Missing(GuiderunnerError):
    """Something is missing on this machine.

    Args:
        sentence: What is missing and how to get it.
    """

    exit_code = 5


class SecretFound(GuiderunnerError):
    """A secret stood in a file of the output; the file has been deleted.

    Args:
        findings: Pairs of file and the secret's name.
    """

    exit_code = 6

    def __init__(self, findings: Sequence[tuple[Path, str]]) -> None:
        said = "; ".join(f"{path} held the {name}" for path, name in findings)
        super().__init__(f"A secret was found in the output and the file was deleted: {said}. Please report this.")
        self.findings = tuple(findings)


class LedgerFailed(GuiderunnerError):
    """The ledger cannot be read or written.

    Args:
        place: Its address, without a password.
        reason: What the database said.
    """

    exit_code = 7

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(
            f"the ledger {place} cannot be used: {reason}. Nothing was done that is not recorded as begun; when the "
            'ledger is there again, "guiderunner runs" says what to resume.'
        )


class AlreadyBegun(GuiderunnerError):
    """Another run has begun this, or has done it.

    Args:
        sentence: Which run, and what to do.
    """

    exit_code = 8
