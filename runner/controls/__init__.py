"""Finds things on pages nobody here has seen: by the guide's words first, then by the words that stand beside them.

Finders only look: what is pressed or filled is pressed or filled by the caller with Playwright's own verbs, so that a
covered or disabled control stops a run exactly where it would stop a reader. A function presses by itself only where a
sentence of a guide hides several acts: choosing, sending a form, copying, closing what lies over the page.
"""

from __future__ import annotations

from runner.controls.addresses import host_of, same_site
from runner.controls.choosing import CHOICES, LATE, choice, choose, choose_from, offered, tick
from runner.controls.copies import COPIES, WordedButton, capture_copies, copied_by, worded_buttons
from runner.controls.fields import Field, Shown, field, fields, shown_values
from runner.controls.finding import (
    any_of,
    can_be_pressed,
    control,
    controls,
    first_pressable,
    on_page,
    panel,
    press_send,
    saying,
    within,
)
from runner.controls.overlays import close_alert_over, close_what_covers, dismiss_interruptions
from runner.controls.said import alerts, controls_on, lines, new_lines, status_of, texts
from runner.controls.waiting import default_timeout, first_visible, set_default_timeout, until
from runner.controls.words import begins_with, named, on_control, refuses, says_more_than, spaced
from runner.errors import NeedsPerson, Question, StartAgain, Stuck, Undone
from runner.one_time_codes import OneTimeCodes
from runner.secrets import Secret, plain_url

__all__ = [
    "CHOICES",
    "COPIES",
    "LATE",
    "Field",
    "NeedsPerson",
    "OneTimeCodes",
    "Question",
    "Secret",
    "Shown",
    "StartAgain",
    "Stuck",
    "Undone",
    "WordedButton",
    "alerts",
    "any_of",
    "begins_with",
    "can_be_pressed",
    "capture_copies",
    "choice",
    "choose",
    "choose_from",
    "close_alert_over",
    "close_what_covers",
    "control",
    "controls",
    "controls_on",
    "copied_by",
    "default_timeout",
    "dismiss_interruptions",
    "field",
    "fields",
    "first_pressable",
    "first_visible",
    "host_of",
    "lines",
    "named",
    "new_lines",
    "offered",
    "on_control",
    "on_page",
    "panel",
    "plain_url",
    "press_send",
    "refuses",
    "same_site",
    "saying",
    "says_more_than",
    "set_default_timeout",
    "shown_values",
    "spaced",
    "status_of",
    "texts",
    "tick",
    "until",
    "within",
    "worded_buttons",
]
