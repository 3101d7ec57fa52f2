"""The flow in its other editions, and how an edition is recognised."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flows.conftest import FLOWS

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.sandbox import Sandbox
    from tests.flows.conftest import Outcome

pytestmark = pytest.mark.sandbox


def test_the_whole_guide_of_2025(migrate: Callable[..., Outcome], sandbox: Sandbox) -> None:
    """x."""
    outcome = migrate(
        {"PANTHEON_WORKSPACE": "Fernhill Studio", "REVOKE_TOKEN": "1"},
        {"edition": "2025", "reauthenticate": "dialogue"},
        edition="",
        preflight=True,
        trace="on",
        report=True,
    )
    print(outcome.said)
    assert outcome.error is None
    print(outcome.done, outcome.result)
