"""The page of a sign-in that asks for a one-time code, whoever made it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from playwright.sync_api import Error as PlaywrightError

from runner.controls import LATE, NeedsPerson, fields, lines, new_lines, on_page, press_send, refuses, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

    from runner.controls import OneTimeCodes

SEND_WORDS = ("Verify", "Continue", "Authenticate", "Submit", "Confirm", "Log in", "Sign in", "Next")
"""Names of the control that sends a code; where it has another name, Enter is pressed in the field."""

TRIES = 2
"""Codes that are given in one sign-in: the second one in case that the first has ended on its way."""

MOST_BOXES = 8
"""Digits of a code, at most, each of which may have a box of its own."""

FEWEST_BOXES = 4
"""So many fields for one character each are the boxes of a code."""

_TYPED_INTO = "input:is(:not([type]), [type=text], [type=tel], [type=number], [type=password])"
_CODE = re.compile(
    r"(?<![a-z])((otp|totp|mfa|2fa)|(codes?|token|passcode|digits?|one.?time|verification|authcode)(?![a-z]))",
    re.IGNORECASE,
)
"""Words of a field for a code."""

_SENT = re.compile(r"\b(sent|texted|e-?mailed)\b.*\b(you|your|code|message|e-?mail|phone|to)\b", re.IGNORECASE)
"""By which a page says that the code is on its way to somebody."""

_APP = re.compile(r"authenticator|\bapp(lication)?\b", re.IGNORECASE)
"""By which it says that an app makes the code, beside which it may tell of others that can be sent."""


def code_fields(page: Page) -> Locator | None:
    """The field for a one-time code, or the boxes for its digits; None if there is none.

    Args:
        page: A page whose words ask for one.
    """
    seen = page.locator(_TYPED_INTO).filter(visible=True)
    boxes = seen.and_(page.locator('[maxlength="1"]'))
    if FEWEST_BOXES <= boxes.count() <= MOST_BOXES:
        return boxes
    says_so = seen.and_(page.locator("[autocomplete~=one-time-code]"))
    if says_so.count():
        return says_so
    there = [one for one in fields(seen) if on_page(one.locator)]
    of_code = [one for one in there if _CODE.search(" ".join([*one.bound, *one.near[:1], *one.hints]))]
    others = [one for one in there if "password" not in one.hints]
    chosen = of_code or others
    if len(chosen) == 1:
        return _by_name(chosen[0].locator, seen)
    # Boxes without a limit of their own stand together, and nothing else is there.
    return seen if FEWEST_BOXES <= len(chosen) == len(there) <= MOST_BOXES else None


def _by_name(field: Locator, among: Locator) -> Locator:
    """The same field by what does not depend on how many are before it, if it has such a name."""
    name = field.evaluate(
        "el => el.id ? `#${CSS.escape(el.id)}` : el.name ? `[name=${CSS.escape(el.name)}]` : ':not(*)'"
    )
    named = among.and_(among.page.locator(name))
    return named if named.count() == 1 else field


LOCKED = re.compile(r"\btoo many\b|\block(ed|out)\b|\bblocked\b|\btry again (in|after|later)\b", re.IGNORECASE)
"""Words by which a sign-in is refused for a while, to anybody."""


class SecondFactor:
    """What a sign-in asks for after the password, and how it is given.

    Args:
        page: The tab.
        codes: The account's codes, if their secret is set.
        asked: The field or the boxes, while the page asks for a code; else None.
        who: Who asks, for the messages.
        setting: Name of the setting for the codes' secret.
        say: Told what is done.
    """

    def __init__(
        self,
        page: Page,
        codes: OneTimeCodes | None,
        asked: Callable[[], Locator | None],
        *,
        who: str,
        setting: str,
        say: Callable[[str], None],
    ) -> None:
        self.asked = asked
        self._page = page
        self._codes = codes
        self._who = who
        self._setting = setting
        self._say = say
        self._tries = 0
        self._refusal = ""

    def passed(self) -> None:
        """The sign-in is over: the next one has all its tries again."""
        self._tries = 0
        self._refusal = ""

    def give(self) -> None:
        """Give the current code and wait until it is no longer asked for, or refused: then it is asked for still.

        A box such as "remember this device" stays as it is.

        Raises:
            Stuck: A person is needed, or as many codes as there are tries were refused.
        """
        codes = self._needed()
        if self._tries == TRIES:
            because = f': "{self._refusal}"' if self._refusal else ""
            raise NeedsPerson(
                f"{self._who} did not accept {TRIES} one-time codes made from {self._setting}{because}. Check that it "
                "is this account's, and this machine's clock"
            )
        self._tries += 1
        self._say(f"giving a one-time code to {self._who}")
        with codes.off_camera(self._page):
            if code := self._next(codes):
                self._fill_in(code)
                self._send(code)

    def _needed(self) -> OneTimeCodes:
        """The codes, unless only a person can go on."""
        said = lines(self._page)
        asks = next((line for line in said if _CODE.search(line)), "a one-time code")
        if self._codes is None:
            raise NeedsPerson(
                f'{self._who} asks for a second factor ("{asks}"): a person has to sign in. For the codes of an '
                f"authenticator app, {self._setting} can be set to the secret that the app was set up with",
                looked_for="the page after signing in",
            )
        sent = next((line for line in said if _SENT.search(line)), None)
        if sent and not any(_APP.search(line) for line in said):
            raise NeedsPerson(
                f'{self._who} has sent a code ("{sent}") and does not ask for the one that {self._setting} makes: a '
                "person has to sign in",
                looked_for="the page after signing in",
            )
        return self._codes

    def _next(self, codes: OneTimeCodes) -> str | None:
        """The next code, waiting for it; None if it is no longer asked for."""

        def look() -> str | None:
            if self.asked() is None:
                return ""
            code = codes.next()
            return code.reveal() if code else None

        return until(self._page, look, timeout=2 * codes.period) or None

    def _fill_in(self, code: str) -> None:
        """Fill in the code: in its field, or a digit in each box; some hand on what is typed into the first."""
        boxes = self.asked()
        if boxes is None:
            return
        if boxes.count() != len(code):
            boxes.first.fill(code)
            return
        boxes.first.press_sequentially(code)
        held = _values(boxes)
        # Boxes that are all empty have been sent and emptied.
        if len(held) == len(code) and any(held) and held != list(code):
            for index, digit in enumerate(code):
                boxes.nth(index).fill(digit)

    def _send(self, code: str) -> None:
        before = lines(self._page)
        # Some pages send it themselves with the last digit.
        sent = until(self._page, lambda: None if self._state(code) == "filled in" else True, timeout=LATE / 2)
        boxes = self.asked()
        if boxes and not sent:
            try:
                press_send(boxes.last, *SEND_WORDS)
            except PlaywrightError:
                if self._state(code) == "filled in":
                    raise

        def answer() -> str | None:
            state = self._state(code)
            if state == "gone":
                return ""
            said = [line for line in new_lines(self._page, before) if refuses(line)]
            # What it says to the second code it has said to the first one already.
            return said[0] if said else self._refusal or "it asks again" if state == "refused" else None

        answered = until(self._page, answer)
        self._refusal = "nothing came of sending it" if answered is None else answered

    def _state(self, code: str) -> Literal["gone", "busy", "filled in", "refused"]:
        """How the page stands to the code that it was given."""
        boxes = self.asked()
        if boxes is None:
            return "gone"
        values = _values(boxes)
        if not values:
            return "busy"
        # Emptied, or another page that asks anew.
        return "filled in" if re.sub(r"\D", "", "".join(values)) == code else "refused"


def _values(boxes: Locator) -> list[str]:
    """What stands in those fields that can be changed."""
    values: list[str] = boxes.evaluate_all("all => all.filter(el => !el.disabled && !el.readOnly).map(el => el.value)")
    return values


def what_to_do(said: str, given: str) -> str:
    """What to do about a refused sign-in, as a sentence.

    Args:
        said: The refusal.
        given: The settings that were used.
    """
    if LOCKED.search(said):
        return "It is locked for a while, whatever is typed: wait as long as it says, or have it unlocked, and resume"
    return f"Check {given}"
