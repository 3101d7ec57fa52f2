"""Cases of a test from a table, some of which take long and add little to the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def cases(table: Mapping[str, Any], *, slow: Collection[str] = ()) -> list[Any]:
    """The table's cases as pytest takes them, by their names.

    Args:
        table: Values by name.
        slow: Names of those that `make chaos` runs only.

    Raises:
        ValueError: One of these is not in the table.
    """
    if unknown := set(slow) - set(table):
        raise ValueError(f"there is no case {', '.join(sorted(unknown))}")
    return [
        pytest.param(
            *(values if isinstance(values, tuple) else (values,)),
            id=name,
            marks=pytest.mark.slow if name in slow else (),
        )
        for name, values in table.items()
    ]
