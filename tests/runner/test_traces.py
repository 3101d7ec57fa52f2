"""A trace is written anew without its secrets, and stays one that Playwright's viewer reads."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import tempfile
import zipfile
import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from runner.camera import mark
from runner.secrets import Secret, Secrets
from runner.traces import rewrite
from runner.unredacted import UNREDACTED, unredacted_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TOKEN = "Zq3-abcdefGHIJ0123456789_klmnopQRSTuvwxyz4567"
PASSWORD = 'p"ass\\word+&=1'

Entry = dict[str, Any]


def sha1(content: bytes) -> str:
    """As Playwright names a body."""
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


@pytest.fixture
def secrets() -> Secrets:
    """A token and an awkward password."""
    known = Secrets()
    known.add(Secret(TOKEN, "token"))
    known.add(Secret(PASSWORD, "password"))
    return known


class Rewritten:
    """A trace before and after; what is asked of it reads the new file without the code that is tested."""

    def __init__(self, folder: Path, secrets: Secrets, files: dict[str, bytes], kept: set[int]) -> None:
        with zipfile.ZipFile(folder / "raw.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        rewrite(folder / "raw.zip", folder / "trace.zip", secrets, kept)
        with zipfile.ZipFile(folder / "trace.zip") as archive:
            self.files = {name: archive.read(name) for name in archive.namelist()}

    def entries(self, name: str) -> list[Entry]:
        """The entries of one of its records."""
        return [json.loads(line) for line in self.files[name].decode().splitlines()]


def lines(*entries: Entry) -> bytes:
    """Entries as a record has them."""
    return "".join(json.dumps(entry) + "\n" for entry in entries).encode()


BODIES: dict[str, bytes] = {
    "JSON": json.dumps({"token": TOKEN, "user": "robin"}).encode(),
    "a form": f"newurl=x&machine_token={quote(TOKEN)}&pwd={quote(PASSWORD)}".encode(),
    "HTML": f'<input value="{TOKEN}"><p>{PASSWORD.replace("&", "&amp;")}</p>'.encode(),
    "gzip": gzip.compress(json.dumps({"deep": json.dumps([PASSWORD, TOKEN])}).encode()),
    "zlib": zlib.compress(json.dumps({"deep": json.dumps([PASSWORD, TOKEN])}).encode()),
    "begins like zlib": f"x^ {TOKEN}".encode(),
    "base64": base64.b64encode(json.dumps({"a": PASSWORD}).encode()),
    "no text": b"\xff\xfe\x00" + TOKEN.encode() + b"\x00\xff",
}


@pytest.mark.parametrize("called", BODIES)
def test_a_body_is_redacted_and_named_after_what_it_is_now(tmp_path: Path, secrets: Secrets, called: str) -> None:
    """Its hash, its size and every mention of it fit; the secrets are gone in every form."""
    body = BODIES[called]
    name = f"resources/{sha1(body)}.json"
    answer = {"status": 200, "content": {"size": len(body), "mimeType": "x", "file": name}, "bodySize": len(body)}
    record = {"type": "resource-snapshot", "snapshot": {"request": {"url": "https://x.example/"}, "response": answer}}
    override = {
        "type": "frame-snapshot",
        "snapshot": {"callId": "1", "resourceOverrides": [{"url": "u", "sha1": name.rpartition("/")[2]}]},
    }
    trace = Rewritten(
        tmp_path, secrets, {name: body, "trace.network": lines(record), "trace.trace": lines(override)}, set()
    )
    content = trace.entries("trace.network")[0]["snapshot"]["response"]["content"]
    now = trace.files[content["file"]]
    assert content["file"] == f"resources/{sha1(now)}.json" != name
    assert content["size"] == trace.entries("trace.network")[0]["snapshot"]["response"]["bodySize"] == len(now)
    assert (
        trace.entries("trace.trace")[0]["snapshot"]["resourceOverrides"][0]["sha1"]
        == content["file"].rpartition("/")[2]
    )
    undo: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.decompress,
        "zlib": zlib.decompress,
        "base64": base64.b64decode,
    }
    plain = undo[called](now) if called in undo else now
    assert TOKEN.encode() not in plain
    assert b"ass\\" not in plain
    assert b"[" in plain


def test_a_body_without_a_secret_stays_byte_for_byte(tmp_path: Path, secrets: Secrets) -> None:
    """Nothing else is touched: neither its name nor its bytes."""
    body = gzip.compress(b'{"user": "robin"}')
    name = f"resources/{sha1(body)}.json"
    assert Rewritten(tmp_path, secrets, {name: body}, set()).files == {name: body}


def test_a_text_with_another_sign_for_the_end_of_a_line_is_read_whole(tmp_path: Path, secrets: Secrets) -> None:
    """JavaScript writes U+2028 and its like into a trace as they are."""
    line = json.dumps({"type": "console", "text": f"a\u2028b\u0085{TOKEN}"}, ensure_ascii=False).encode() + b"\n"
    trace = Rewritten(tmp_path, secrets, {"trace.trace": line}, set())
    assert [entry["text"] for entry in trace.entries("trace.trace")] == ["a\u2028b\u0085[token]"]


def test_nobody_gets_in_by_the_requests_of_a_trace(tmp_path: Path, secrets: Secrets) -> None:
    """Cookies and headers of a sign-in lose their values, known or not, and what they held is a secret everywhere."""
    bearer, session, short = "eyJhbGciOiJIUzI1NiJ9.e30.Q0k3Zm9v", "s3ss10nAbCdEfGhIjKl", "a1b2c3"
    request = {
        "headers": [{"name": "Authorization", "value": f"Bearer {bearer}"}, {"name": "Cookie", "value": f"s={short}"}],
        "cookies": [{"name": "s", "value": short}],
    }
    response = {
        "headers": [{"name": "set-cookie", "value": f"sid={session}; HttpOnly"}],
        "cookies": [{"name": "sid", "value": session}],
        "content": {},
    }
    record = {"type": "resource-snapshot", "snapshot": {"request": request, "response": response}}
    shown = {"type": "console", "text": f"{session} {bearer}"}
    trace = Rewritten(tmp_path, secrets, {"trace.network": lines(record), "trace.trace": lines(shown)}, set())
    everything = b"".join(trace.files.values()).decode()
    assert not [value for value in (bearer, session, short) if value in everything]
    assert [header["name"] for header in trace.entries("trace.network")[0]["snapshot"]["request"]["headers"]] == [
        "Authorization",
        "Cookie",
    ]


GROUPS = [TOKEN[at : at + 4] for at in range(0, len(TOKEN), 4)]


def page_of(*elements: Any) -> Entry:
    """A state of a page with these elements."""
    return {"type": "frame-snapshot", "snapshot": {"callId": "1", "html": ["HTML", {}, ["BODY", {}, *elements]]}}


SPREAD: dict[str, Entry] = {
    "elements": page_of(*(["SPAN", {"class": "x"}, part] for part in GROUPS)),
    "words with breaks": page_of(["P", {}, *(one for part in GROUPS for one in (part, ["WBR"]))]),
    "spaces": page_of(["P", {}, "Token: ", " ".join(GROUPS)]),
    "invisible signs": page_of(["P", {}, "\u200b".join(GROUPS)]),
    "fields": page_of(*(["INPUT", {"size": "4", "__playwright_value_": part}] for part in GROUPS)),
    "what was read of texts": {"type": "after", "result": {"value": {"s": "\0".join(f"00{part}" for part in GROUPS)}}},
    "what was read of names": {"type": "after", "result": {"snapshot": "- row:\n" + "\n".join(f'  - cell "{part}"' for part in GROUPS)}},
}  # fmt: skip


def of_it(text: str) -> list[str]:
    """Groups of the token that stand in a text."""
    return [part for part in GROUPS[1:-1] if part in text]


@pytest.mark.parametrize("entry", SPREAD.values(), ids=SPREAD.keys())
def test_a_secret_that_is_spread_over_a_page_is_taken_out(tmp_path: Path, secrets: Secrets, entry: Entry) -> None:
    """Each part of it goes, and nothing beside it; whoever puts the parts together must not have the token."""
    beside = page_of(["P", {}, f"{GROUPS[1]}{GROUPS[2]} and {GROUPS[3]}{GROUPS[4]}"])
    trace = Rewritten(tmp_path, secrets, {"trace.trace": lines(entry, beside)}, set())
    (written, other) = trace.entries("trace.trace")
    assert of_it(json.dumps(written)) == []
    assert "[token]" in json.dumps(written)
    assert other == beside


def test_a_page_s_source_loses_what_is_spread_over_it(tmp_path: Path, secrets: Secrets) -> None:
    """Its elements stay, and so does a page on which two parts of the secret stand apart."""
    page = f"<!doctype html><h1>Your token</h1><p>{'<wbr>'.join(GROUPS)}</p><p>&shy;ends"
    apart = f"<p>{GROUPS[1]}{GROUPS[2]}</p><p>and</p><p>{GROUPS[3]}{GROUPS[4]}</p>"
    trace = Rewritten(tmp_path, secrets, {"resources/a.html": page.encode(), "resources/b.html": apart.encode()}, set())
    texts = sorted(content.decode() for content in trace.files.values())
    assert of_it(texts[0]) == []
    assert texts[0].startswith("<!doctype html><h1>Your token</h1><p>[token]<wbr>")
    assert texts[0].endswith("</p><p>&shy;ends")
    assert texts[1] == apart


def test_what_is_no_secret_may_be_spread(tmp_path: Path, secrets: Secrets) -> None:
    """The new site's name may be the beginning of a password: it is not taken out for the spaces in it."""
    secrets.add(Secret("WritingWidgets2024", "password"))
    secrets.let_stand("Writing Widgets")
    entry = page_of(["P", {}, "Writing Widgets"], ["P", {}, ["B", {}, "Writing"], " ", ["B", {}, "Widgets"]])
    trace = Rewritten(tmp_path, secrets, {"trace.trace": lines(entry)}, set())
    assert trace.entries("trace.trace") == [entry]


CALLS: dict[str, Entry] = {
    "a filled value": {"params": {"selector": "#token", "value": TOKEN}},
    "an address": {"params": {"url": f"https://x.example/?key={quote(TOKEN)}"}},
    "a header": {"snapshot": {"request": {"headers": [{"name": "Authorization", "value": "Basic " + base64.b64encode(f"me:{PASSWORD}".encode()).decode()}]}}},
    "a state of the page": {"snapshot": {"html": ["HTML", {}, ["INPUT", {"__playwright_value_": TOKEN}], ["P", {}, PASSWORD]]}},
    "a message in the console": {"type": "console", "text": f"token is {TOKEN[:20]}", "args": [{"preview": TOKEN[4:30]}]},
    "a name": {"params": {TOKEN: 1}},
}  # fmt: skip


@pytest.mark.parametrize("entry", CALLS.values(), ids=CALLS.keys())
def test_an_entry_is_redacted_where_the_secret_stands(tmp_path: Path, secrets: Secrets, entry: Entry) -> None:
    """Its structure stays, so that the viewer shows the action."""
    call = {"type": "before", "callId": "call@1", "startTime": 1.5, **entry}
    trace = Rewritten(tmp_path, secrets, {"trace.trace": lines(call)}, set())
    (now,) = trace.entries("trace.trace")
    assert (now["callId"], now["startTime"], now.keys()) == ("call@1", 1.5, call.keys())
    written = trace.files["trace.trace"].decode()
    assert TOKEN[4:20] not in written
    assert "ass\\\\" not in json.loads(json.dumps(written))
    assert "[token]" in written or "[password]" in written or base64.b64encode(b"me:[password]").decode() in written


def call(expression: str, at: float, number: str) -> Entry:
    """A call that marks something."""
    return {
        "type": "before",
        "callId": number,
        "startTime": at,
        "params": {"expression": f"() => null // {expression}"},
    }


def state(number: str, page: str) -> Entry:
    """What tells the tab of a call."""
    return {"type": "frame-snapshot", "snapshot": {"callId": number, "pageId": page, "html": []}}


def picture(page: str, at: float) -> Entry:
    """A picture of a tab."""
    return {"type": "screencast-frame", "pageId": page, "timestamp": at, "file": f"screencast/{page}-{at}.jpeg"}


TAPE = [
    picture("page@a", 10),
    call(mark(1, "ends"), 20, "c1"),
    state("c1", "page@a"),
    picture("page@a", 30),
    call(mark(2, "begins"), 40, "c2"),
    state("c2", "page@a"),
    picture("page@a", 50),
    picture("page@b", 50),
    call(mark(2, "ends"), 60, "c3"),
    state("c3", "page@a"),
    picture("page@a", 70),
]


@pytest.mark.parametrize(
    ("kept", "stay"),
    [({1, 2}, {("page@a", 10), ("page@a", 50)}), ({2}, {("page@a", 50)}), ({1}, {("page@a", 10)}), (set(), set()), ({3}, set())],
)  # fmt: skip
def test_of_the_pictures_those_stay_that_the_camera_has_kept(
    tmp_path: Path, secrets: Secrets, kept: set[int], stay: set[tuple[str, float]]
) -> None:
    """A picture goes that was taken of another tab, off camera, or in a shot that is not kept; its entry goes as well."""
    frames = {entry["file"]: b"\xff\xd8 a jpeg" for entry in TAPE if entry["type"] == "screencast-frame"}
    trace = Rewritten(tmp_path, secrets, {**frames, "trace.trace": lines(*TAPE)}, kept)
    left = {(e["pageId"], e["timestamp"]) for e in trace.entries("trace.trace") if e["type"] == "screencast-frame"}
    assert left == stay
    assert {name for name in trace.files if name.startswith("screencast/")} == {
        f"screencast/{p}-{t}.jpeg" for p, t in stay
    }


def test_a_mark_whose_tab_is_not_known_keeps_nothing(tmp_path: Path, secrets: Secrets) -> None:
    """Where Playwright writes other traces one day, pictures go rather than stay."""
    tape = [entry for entry in TAPE if entry["type"] != "frame-snapshot"]
    trace = Rewritten(tmp_path, secrets, {"trace.trace": lines(*tape)}, {1, 2})
    assert not [entry for entry in trace.entries("trace.trace") if entry["type"] == "screencast-frame"]


def test_pictures_that_the_site_itself_sent_stay(tmp_path: Path, secrets: Secrets) -> None:
    """A photograph in the site's library is no picture of a tab, also where both lie in one folder."""
    photo, frame = b"\xff\xd8 photo", b"\xff\xd8 frame"
    names = {f"resources/{sha1(photo)}.jpeg": photo, f"resources/{sha1(frame)}.jpeg": frame}
    answer = {"content": {"size": 8, "_sha1": f"{sha1(photo)}.jpeg"}}
    record = {"type": "resource-snapshot", "snapshot": {"response": answer}}
    shown = {"type": "screencast-frame", "pageId": "page@a", "timestamp": 5, "sha1": f"{sha1(frame)}.jpeg"}
    files = {**names, "trace.network": lines(record), "trace.trace": lines(shown)}
    trace = Rewritten(tmp_path, secrets, files, set())
    assert [name for name in trace.files if name.endswith(".jpeg")] == [f"resources/{sha1(photo)}.jpeg"]


def test_where_our_own_code_lies_on_this_machine_is_not_told(tmp_path: Path, secrets: Secrets) -> None:
    """The record of call stacks is left out."""
    trace = Rewritten(tmp_path, secrets, {"trace.stacks": b'{"files": ["/srv/ours/x.py"]}', "trace.trace": b""}, set())
    assert list(trace.files) == ["trace.trace"]


def test_what_a_killed_process_left_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unredacted files are gone when the next browser starts; those of a process that is at work stay."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / f"{UNREDACTED}left"
    left.mkdir()
    (left / "held").touch()
    (left / "x.trace").write_text(TOKEN)
    with unredacted_folder() as working:
        assert not left.exists()
        (working / "y.trace").write_text(TOKEN)
        with unredacted_folder():
            assert (working / "y.trace").exists()
    assert list(tmp_path.iterdir()) == []
