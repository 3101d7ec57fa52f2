"""Pantheon's guided WordPress migration in all of its editions: each is a module beside this one, `edition_...`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.flow import editions_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.wordpress_migration.run import MigrationRun
    from runner.flow import Flow

EDITIONS: Sequence[Flow[MigrationRun]] = editions_in(__package__)
FLOW = EDITIONS[0]
"""The first edition, of which the pictures in the repository are."""
