"""Playwright's traces without the secrets in them.

A trace holds every filled value, every response and every state of the page. It is recorded without pictures (text can
be redacted for certain, a picture cannot) and every entry of it is redacted before the file gets its name.
"""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import BrowserContext

    from runner.secrets import Secrets


def start_trace(context: BrowserContext) -> None:
    """Record what the pages of the context do from now on."""
    context.tracing.start(snapshots=True, screenshots=False, sources=False)


def save_trace(context: BrowserContext, path: Path, secrets: Secrets) -> None:
    """Stop recording and write the trace to `path`, redacted; what Playwright wrote is deleted.

    Args:
        context: Where `start_trace` was called.
        path: The zip file, for `playwright show-trace`.
        secrets: What must not be in it.
    """
    raw = path.with_suffix(".raw")
    try:
        context.tracing.stop(path=raw)
        redact_zip(raw, path, secrets)
    finally:
        raw.unlink(missing_ok=True)


def redact_zip(source: Path, target: Path, secrets: Secrets) -> None:
    """Copy a zip file, redacting the names and contents of its entries."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(secrets.redact(entry.filename), secrets.redact_bytes(old.read(entry)))
