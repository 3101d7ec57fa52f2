"""The command line: alone in knowing both the flows and the sandbox, it prints errors and sets exit codes."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys


def main() -> None:
    """Entry point: every error becomes its sentence on stderr and its exit code."""
    try:
        from runner.errors import GuiderunnerError
        from runner.interruptions import interruptible, is_interruption
    except KeyboardInterrupt:  # before it is told by a sentence of ours: what they import takes its time too
        sys.exit(130)
    _open_what_is_closed()
    codecs.register_error("escaped", _escaped)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="escaped")
    try:
        with interruptible():
            from runner.cli.commands import app

            app()  # Typer itself ends with 2 for wrong usage and, once it has begun, with 130 for KeyboardInterrupt
    except GuiderunnerError as error:
        from rich.markup import escape

        from runner.cli.consoles import err

        err().print(f"[bold red]{type(error).__name__}[/]: {escape(str(error))}")
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, Exception) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            _say_that_it_is_full(error)
            sys.exit(1)
        if not is_interruption(error):
            raise
        sys.exit(130)
    finally:
        # "python -m" ends by SIGINT, whatever the exit code, when an interruption has come out of an exec(), such as
        # dataclasses are made with, and no exec() has come after it (run_eval_code_obj in CPython's pythonrun.c).
        exec("")  # noqa: S102 - nothing is executed


def _open_what_is_closed() -> None:
    """Have nothing read or printed where a stream was closed (`>&-`): Python has None in its place then."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - until the process ends


def _escaped(error: UnicodeError) -> tuple[str | bytes, int]:
    """What the output's encoding does not have, such as a site's name, as JSON writes it: JSON stays JSON then."""
    import json

    if not isinstance(error, UnicodeEncodeError):
        raise error
    one = error.object[error.start]
    if "\udc80" <= one <= "\udcff":  # how Python keeps a byte of a file's name that is no text
        return one.encode("ascii", "surrogateescape"), error.start + 1
    return json.dumps(one)[1:-1], error.start + 1


def _say_that_it_is_full(error: OSError) -> None:
    """Say that a disk is full, such as that of a log; what waits to be printed there would be tried once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    what = f"{error.filename} is not written whole" if error.filename else "not all was printed that was to be"
    sys.stderr.write(f'{error.strerror}: {what}. Make room; "guiderunner runs" says what is done and what to resume.\n')
