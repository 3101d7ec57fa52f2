"""The gate finds a secret in every kind of file that a run leaves, and lets nothing else stop a run."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
import zlib
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from runner.gate import scan
from runner.secrets import Secret, Secrets

if TYPE_CHECKING:
    from pathlib import Path

CANARY = 'Canary-7f3Q_zM0x"9&pL2vB8nK4sT6wY1cR5dG'


def zipped(name: str, content: bytes) -> bytes:
    """A zip file with one entry."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


PLANTED: dict[str, bytes] = {
    "ledger.jsonl": json.dumps({"event": "said", "words": f"pasted {CANARY}"}).encode(),
    "result.json": json.dumps({"facts": {"address": f"https://x.example/?t={quote(CANARY, safe='')}"}}).encode(),
    "report.html": f"<td>{CANARY.replace('&', '&amp;').replace(chr(34), '&quot;')}</td>".encode(),
    "report-inline.html": b'<img src="data:text/plain;base64,' + base64.b64encode(f"x{CANARY}".encode()) + b'">',
    "junit.xml": f"<failure message='{CANARY[5:25]}'/>".encode(),
    "screenshots/one.png": b"\x89PNG\r\n\x1a\n\xff\xfe tEXt" + CANARY.encode() + b"\x00\xff",
    "videos/01.webm": b"\x1aE\xdf\xa3\xff" + CANARY.encode() + b"\xfe",
    "trace.zip": zipped("trace.trace", json.dumps({"params": {"value": CANARY}}).encode()),
    "trace-body.zip": zipped("resources/x.json", gzip.compress(f"token={quote(CANARY)}".encode())),
    "trace-packed.zip": zipped("resources/x.dat", zlib.compress(f"token={quote(CANARY)}".encode())),
    "packed-after-another.gz": gzip.compress(b"nothing") + gzip.compress(CANARY.encode()),
    "begins-like-zlib.txt": f"x^ {CANARY}".encode(),
    "trace-name.zip": zipped(f"resources/{quote(CANARY, safe='')}.html", b"x"),
    "trace-nested.zip": zipped("inner.zip", zipped("a.json", json.dumps(json.dumps([CANARY])).encode())),
    "packed.gz": gzip.compress(base64.b64encode(json.dumps({"a": CANARY}).encode())),
    "piece.txt": CANARY[20:32].encode(),
    f"{quote(CANARY, safe='')}.txt": b"only in the name",
}


@pytest.mark.parametrize("name", PLANTED)
def test_the_gate_bites(tmp_path: Path, name: str) -> None:
    """A canary in any output, in any form, is found and named."""
    secrets = Secrets()
    secrets.add(Secret(CANARY, "machine token"))
    (tmp_path / "clean.txt").write_text("nothing here")
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(PLANTED[name])
    assert scan(tmp_path, secrets) == [(file, "machine token")]


def test_a_secret_of_other_letters_is_found_among_bytes_that_are_no_text(tmp_path: Path) -> None:
    """A picture or a video holds it as UTF-8, whole or a piece of it."""
    secrets = Secrets()
    secrets.add(Secret("Grün-Käfer&Übung-42", "password"))
    secrets.add(Secret("пароль-Zq7", "code"))
    found = {
        "escaped.png": "Gr&uuml;n, Grün-Käfer&amp;Übung-42",
        "piece.png": "Käfer&Übung-4",
        "short.png": "пароль-Zq7",
        "whole.png": "Grün-Käfer&Übung-42",
    }
    for name, content in (*found.items(), ("too-little.png", "Käfer&Übung"), ("another-word.png", "Забыли пароль?")):
        (tmp_path / name).write_bytes(b"\x89PNG\xff" + content.encode() + b"\xfe")
    (tmp_path / "other-bytes.png").write_bytes(b"\x89PNG\xff" + "Käfer&Übung-4".encode("latin-1") + b"\xfe")
    assert [path.name for path, _ in scan(tmp_path, secrets)] == list(found)


def test_the_gate_lets_pass_what_holds_no_secret(tmp_path: Path) -> None:
    """A broken archive, a folder, a link, eleven characters of the secret: none of them is a secret."""
    secrets = Secrets()
    secrets.add(Secret(CANARY, "machine token"))
    (tmp_path / "broken.zip").write_bytes(zipped("a", b"b")[:40])
    damaged = bytearray(zipped("a", b"b" * 100))
    damaged[35:38] = b"\xff\xff\xff"
    (tmp_path / "damaged.zip").write_bytes(damaged)
    (tmp_path / "broken.gz").write_bytes(b"\x1f\x8b nothing")
    (tmp_path / "folder").mkdir()
    (tmp_path / "few.txt").write_text(CANARY[:11])
    (tmp_path / "link").symlink_to(tmp_path / "few.txt")
    assert scan(tmp_path, secrets) == []
