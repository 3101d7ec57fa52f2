"""The page that follows **Generate Machine Token**: the token on it, and beside it the site's name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flows.wordpress_migration.settings import slug
from runner.controls import (
    COPIES,
    LATE,
    Secret,
    Stuck,
    control,
    copied_by,
    fields,
    lines,
    shown_values,
    until,
    worded_buttons,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from playwright.sync_api import Locator, Page

    from runner.controls import Shown

TOKEN = re.compile(r"(?=[^\d]*\d)(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9_-]{30,128}")
"""About 45 letters, digits, - and _, with at least one letter and one digit (as seen in edition 2024)."""

LABELLED_TOKEN = re.compile(r"(?=.*[A-Za-z])(?=.*([0-9]|[a-z].*[A-Z]|[A-Z].*[a-z]))[A-Za-z0-9_-]{30,128}")
"""What is a machine token where the page says so: one of some 2,000 holds no digit, if they are drawn evenly."""

WHOLE = 40
"""Characters that a machine token has at least of which nobody need ask whether the page shows it whole."""

IDENTIFIER = re.compile(r"(?=.*-.*-)[0-9a-f-]{32,40}|[0-9a-f]{32,40}", re.IGNORECASE)
"""What stands on pages and looks like a token and is none: a UUID, a hash."""

_LABELS_TOKEN = re.compile(
    r"^(?!.*(\btoken('?s)? (name|id|url)\b|\b(name|id|url) (of|for)\b.*\btoken\b)).*\btoken\b", re.IGNORECASE
)
"""Words beside a field that holds the machine token, and not what the token is called."""

_LABELS_NAME = re.compile(r"^(?!.*\btoken\b).*(site.?name|\bname\b)", re.IGNORECASE)
"""Words beside the site's name."""

_SHOW = re.compile(
    r"^\W*(show|reveal|view|display|unmask)( (it|(the |your |my |new )*(machine )?token))?\W*$", re.IGNORECASE
)
"""Name of what shows a token that is hidden at first."""

_DOTS = re.compile(r"[\u2022\u25cf\u26ab\u2219\u00b7*]{4,}")
"""What stands for a token that is hidden."""

_HASH = re.compile(r"[0-9a-f-]+", re.IGNORECASE)
"""What may be a token's fingerprint, and not the token itself."""


SHOWS_TOKEN = re.compile(
    r"\b(your|copy|save|store)\b.{0,40}\bmachine token(?!s\b)"
    r"|^\W*(close\W*)?((a|create|creating|generate|generating|new)\W+)*machine token(?!s\b)\W*(close\W*)?$"
    r"|^(?![\s\S]*(what.s new|introducing|new feature))(?=[\s\S]*\btoken(?!s\b))"
    r"(?=[\s\S]*((shown|displayed|only) once|(see|view|show|display|access)\w* (it |this |the token )?again"
    r"|(save|store|keep) (it|this|the token)|cop(y|ied)|[a-z0-9_-]{30}))",
    re.IGNORECASE,
)
"""Words of a dialogue that may show the machine token, this once; its lines follow each other without a space."""

LEAVE_WORDS = ("Done", "OK", "Okay", "Got it", "Finish", "Continue", "I have copied it", "I've copied it", "Close")
"""Names of the control that closes such a dialogue, when the token is known; a cross in its corner comes last."""


_BUTTON = 12
"""Characters that the name of a button has at most that hides again what was shown."""

_LIKE_TOKEN = re.compile(r"[A-Za-z0-9_-]{30,}")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+){2,}")
_BETWEEN_WORDS = re.compile(r"[\s=:,;'\"()<>\[\]]+")


def without_token(line: str) -> str:
    """A line of the page as it may be repeated: a machine token on it is a secret that nobody has read yet."""
    return _LIKE_TOKEN.sub("…", line)


def _is_about_token(words: Sequence[str]) -> bool:
    """Whether a button with these words beside it has to do with the token, and not with its name or the site's."""
    about = next((each for each in words if re.search("token|name|url", each, re.IGNORECASE)), "")
    return bool(_LABELS_TOKEN.search(about))


class TokenPage:
    """What the dashboard's tab shows of a machine token that was just made.

    Args:
        page: The tab.
        site_name: The site's name as it was typed.

    Attributes:
        before: The page's lines before the token was made.
    """

    def __init__(self, page: Page, site_name: str) -> None:
        self.page = page
        self.before: Sequence[str] = ()
        self._before_shown: set[str] | None = None
        self._typed_name = site_name

    @property
    def dialogue(self) -> Locator:
        """A dialogue over the page that shows the token; one that asks first whether to make it has nothing to copy."""
        page = self.page
        shown = page.locator("input[readonly], textarea[readonly]").or_(page.get_by_text(re.compile(r"[\w-]{30}")))
        copies = page.get_by_role("button", name=re.compile(r"\bcop(y|ied)\b", re.IGNORECASE))
        over = page.locator("dialog, [role=dialog], [role=alertdialog]").filter(visible=True, has=shown.or_(copies))
        asks = page.locator("input[type=password]:not([readonly])")
        return over.filter(has_not=asks, has_text=re.compile("token", re.IGNORECASE)).first.describe(
            "the dialogue with the machine token"
        )

    def leave_dialogue(self) -> None:
        """Close the dialogue that shows the token, now that it is known."""
        ways = (control(self.dialogue, words) for words in LEAVE_WORDS)
        if leave := next((way for way in ways if way.is_visible()), None):
            leave.click()

    def machine_token(self) -> str:
        """The machine token that the page shows: whole in its field, else from its Copy button, else what appeared.

        Raises:
            Stuck: The page shows none.
        """
        found = until(
            self.page,
            lambda: self._token_in_field() or self._token_from_copy_button(),
            timeout=LATE,
            changes_it=True,
        )
        if found is None:
            self._show_token()
            found = until(self.page, lambda: self._token_shown() or self._token_in_field())
        if found is None:
            raise Stuck(
                "the machine token is not to be found: no Copy button hands it over, no field is labelled as the "
                "machine token, and nothing like a token appeared on the page. It was made: revoke it in Personal "
                "Settings > Machine Tokens",
                looked_for="the machine token",
            )
        return found

    def _token_in_field(self) -> str | None:
        """The value of the one field that is labelled as the machine token; what may be shortened is copied instead."""
        whole = {
            one.value
            for one in shown_values(self.page)
            if one.in_field
            and len(one.value) >= WHOLE
            and TOKEN.fullmatch(one.value)
            and not _HASH.fullmatch(one.value)
            and _LABELS_TOKEN.search(one.words[0] if one.words else "")
        }
        return whole.pop() if len(whole) == 1 else None

    def _token_from_copy_button(self) -> str | None:
        for button in worded_buttons(self.page, COPIES):
            if _is_about_token(button.words):
                copied = (copied_by(button.locator) or "").strip()
                if LABELLED_TOKEN.fullmatch(copied):
                    return copied
        return None

    def _show_token(self) -> bool:
        """Press what stands beside a token of which the page shows dots only; returns whether there was such."""
        buttons = worded_buttons(self.page, _SHOW)
        hides = (one for one in buttons if any(map(_DOTS.fullmatch, one.words)) and _is_about_token(one.words))
        show = next((one.locator for one in hides if one.locator.is_enabled()), None)
        if show:
            self._before_shown = self._all_shown()
            show.click()
        return show is not None

    def _token_shown(self) -> str | None:
        shown = [one for one in shown_values(self.page) if LABELLED_TOKEN.fullmatch(one.value)]
        labelled = [one.value for one in shown if one.words and _LABELS_TOKEN.search(one.words[0])]
        # Behind an eye the field is one for passwords; its label tells that it holds the token and not the account's.
        for one in fields(self.page.locator("input[type=password]")):
            if re.search(r"\btoken\b", " ".join([*one.bound, *one.near[:1]]), re.IGNORECASE):
                value = one.locator.input_value()
                labelled += [value] if LABELLED_TOKEN.fullmatch(value) else []
        appeared = {
            one.value
            for one in shown
            if TOKEN.fullmatch(one.value)
            and one.value not in self.before
            and not self._is_site_name(one.value)
            and not IDENTIFIER.fullmatch(one.value)
        }
        # Two that appeared cannot be told apart, and a wrong one would be pasted and refused.
        return labelled[0] if labelled else appeared.pop() if len(appeared) == 1 else None

    def _is_site_name(self, value: str) -> bool:
        return value.startswith(slug(self._typed_name))

    def site_name(self, token: Secret) -> str:
        """The site's name as the dashboard shows it beside the token: the typed name may have become another.

        Raises:
            Stuck: The page shows none.
        """
        found = until(self.page, lambda: self.site_name_at_once(token))
        if found is None:
            raise Stuck("the site's name is not to be found beside the machine token", looked_for="Pantheon Site Name")
        return found

    def site_name_at_once(self, token: Secret) -> str | None:
        """The site's name if the page shows it already, see `site_name`."""
        shown = [
            one
            for one in shown_values(self.page)
            if one.value != token.reveal() and re.fullmatch(r"[a-z0-9][a-z0-9-]*", one.value)
        ]
        alike = {one.value for one in shown if self._is_site_name(one.value)}
        # What stood there before may be another site's, such as in the navigation.
        new = {value for value in alike if value not in self.before}

        def is_labelled(one: Shown, within: int = 1) -> bool:
            return any(map(_LABELS_NAME.search, one.words[:within]))

        best_first: tuple[Callable[[Shown], bool], ...] = (
            lambda one: is_labelled(one) and one.in_field,
            lambda one: is_labelled(one) and one.value in new,
            lambda one: is_labelled(one) and one.value in alike,
            lambda one: is_labelled(one, within=2) and one.value in new,  # a sign may stand between the two
            is_labelled,
            lambda one: one.value in new,
            lambda one: one.value in alike and (one.value == slug(self._typed_name) or len(alike) == 1),
        )
        return next((one.value for is_it in best_first for one in shown if is_it(one)), None)

    def may_be_tokens(self) -> list[str]:
        """What has appeared on the page and looks like a machine token, whatever its words say of it."""
        shown = self._all_shown()
        # A word as a whole: not a part of an address, which may stand in facts.
        values = {word.strip(".") for text in shown for word in _BETWEEN_WORDS.split(text)}
        known = "\n".join([*self.before, self.page.url])
        others = (one for one in values if self._is_site_name(one) or _SLUG.fullmatch(one) or IDENTIFIER.search(one))
        found = {one for one in values.difference(others) if LABELLED_TOKEN.fullmatch(one) and one not in known}
        if self._before_shown is not None:
            # In whatever form: the page was made to show it.
            found |= {one for one in shown - self._before_shown if len(one) > _BUTTON}
        return sorted(found)

    def _all_shown(self) -> set[str]:
        """The page's lines, the words that stand alone on it, and what its fields hold, those for passwords too."""
        hidden = (one.locator.input_value() for one in fields(self.page.locator("input[type=password]")))
        return {*lines(self.page), *(one.value for one in shown_values(self.page)), *hidden}

    def machine_token_at_once(self) -> str | None:
        """The machine token if the page shows it already, in one of the ways of `machine_token`."""

        def found() -> str | None:
            return until(
                self.page,
                lambda: self._token_in_field() or self._token_from_copy_button() or self._token_shown(),
                timeout=LATE,
                changes_it=True,
            )

        return found() or (found() if self._show_token() else None)
