"""Rows about beginnings: of the command line, of its browser, and of the sandbox."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.measure import Figure, Measured, Spent, cpus, in_turn, walls
from tests.bench.processes import GUIDERUNNER, ROOT, Bench, empty_folder, finished
from tests.command_line import Command, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PATIENCE = 60
"""Seconds within which a browser asks for its first page."""


class Asked:
    """A server of a single empty page that knows when it was first asked for it.

    Attributes:
        first: Set when the page was first sent.
        at: When that was, as `time.perf_counter` has it.
    """

    def __init__(self) -> None:
        asked = self
        self.first = threading.Event()
        self.at = 0.0

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = b"<!doctype html><title>Dashboard</title>"
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)
                if not asked.first.is_set():
                    asked.at = time.perf_counter()
                    asked.first.set()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Answer until the block ends."""
        thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield
        finally:
            self.server.shutdown()
            thread.join()
            self.server.server_close()


def until_first_page(bench: Bench, program: Sequence[str], *args: str) -> Callable[[], Spent]:
    """A subject that lasts until a page of the dashboard was first sent; it is interrupted then, and leaves nothing."""

    def begin() -> Spent:
        asked = Asked()
        settings = {
            "PANTHEON_DASHBOARD_URL": asked.url,
            "PANTHEON_EMAIL": "robin@example.com",
            "PANTHEON_PASSWORD": "Heron-Basket-17-Quarry",
            "SOURCE_SITE_URL": asked.url,
            "WP_ADMIN_USERNAME": "admin",
            "WP_ADMIN_PASSWORD": "Saddle-Orchid-44-Tunnel",
            "NEW_SITE_NAME": "Larkfield Pottery Studio",
            "ALLOW_LOCAL_SOURCE": "1",
            "PYTHONPATH": str(ROOT),
        }
        with asked.serving(), empty_folder() as folder, tempfile.TemporaryDirectory() as temporary:
            began = time.perf_counter()
            with Command(
                *args,
                cwd=folder,
                temporary=Path(temporary),
                variables=bench.variables(settings),
                program=program,
            ) as command:
                if not asked.first.wait(PATIENCE):
                    raise RuntimeError(f"{' '.join([*program, *args])} asked for no page: {command.process.poll()}")
                command.family.look()
                command.process.terminate()
                command.ends()
                command.leaves_no_process()
        return Spent(wall=asked.at - began)

    return begin


def start(bench: Bench) -> Measured:
    """What it takes to begin."""
    bench.say("guiderunner --help, and the first page of ours and of bare Playwright")

    def says_help() -> Spent:
        with empty_folder() as folder:
            return finished([*GUIDERUNNER, "--help"], folder, {})

    bare = [sys.executable, "-m", "tests.bench.launch"]
    spent = in_turn(
        {
            "help": says_help,
            "run": until_first_page(bench, GUIDERUNNER, "run", "wordpress-migration", "--no-preflight"),
            "bare": until_first_page(bench, bare),
        },
        bench.rounds,
    )
    return Measured(
        [
            Figure(name="CPU of guiderunner --help", unit="s", values=cpus(spent["help"]), target=0.25, limit=0.4),
            Figure(
                name="from run to the dashboard's first answer, against bare Playwright",
                unit="x",
                values=walls(spent["run"]),
                reference=walls(spent["bare"]),
                target=1.2,
                limit=1.8,
            ),
        ]
    )


STAND_UP = """
import time
from urllib.request import urlopen
from fixtures.sandbox import Sandbox
with Sandbox() as sandbox:
    for url in (sandbox.dashboard_url, sandbox.source_url):
        urlopen(url).read()
    print(time.time(), flush=True)
    urlopen(sandbox.add_source().url).read()
    print(time.time(), flush=True)
"""
"""Starts a sandbox, and one more existing site; says when each had answered."""


def sandbox(bench: Bench) -> Measured:
    """What it takes to have a sandbox, and one more existing site on it."""
    bench.say("beginnings of the sandbox")
    ready: list[float] = []
    more: list[float] = []
    # The first one fills the caches, if it has to.
    for number in range(-1 if bench.rounds > 1 else 0, bench.rounds):
        began = time.time()
        done = subprocess.run(
            [sys.executable, "-c", STAND_UP],
            env=environment(PYTHONPATH=str(ROOT)),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        stands, second = map(float, done.stdout.split())
        if number >= 0:
            ready.append(stands - began)
            more.append(second - stands)
    return Measured(
        [
            Figure(name="from nothing to ready", unit="s", values=ready, target=2.5, limit=2.5),
            Figure(name="one more existing site", unit="s", values=more, target=0.7, limit=0.7),
        ]
    )
