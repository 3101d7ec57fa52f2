"""The ledger: what a run has recorded, one JSON object a line, in `runs/<id>/ledger.jsonl`."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from runner.secrets import Secrets


class Ledger:
    """Appends what happens to a file; every entry is redacted and on the disk when `record` returns.

    Args:
        path: The file.
        secrets: What must not be written.
    """

    def __init__(self, path: Path, secrets: Secrets) -> None:
        self.path = path
        self._secrets = secrets
        self.entries: list[dict[str, Any]] = []

    def record(self, event: str, **about: object) -> None:
        """Write one entry: what happened, when (UTC), and what is known about it."""
        entry = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **about}
        line = self._secrets.redact(json.dumps(entry, ensure_ascii=False, default=str))
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.entries.append(json.loads(line))
