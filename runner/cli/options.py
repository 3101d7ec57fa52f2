"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

BrowserName = Literal["chromium", "firefox", "webkit"]
EnvFile = Annotated[
    Path | None, typer.Option(help="File with the settings; the environment comes before it. Default: .env")
]
BrowserOption = Annotated[BrowserName, typer.Option("--browser", help="Which browser.")]
Headed = Annotated[bool, typer.Option("--headed", help="Show the browser.")]
SlowMo = Annotated[float, typer.Option(help="Milliseconds between the browser's acts.", min=0)]
NoPreflight = Annotated[
    bool, typer.Option("--no-preflight", help="Begin without checking beforehand that it can be done.")
]
Trace = Annotated[
    Literal["on", "off", "retain-on-failure"],
    typer.Option(help='Keep a Playwright trace, without secrets; that of "on" has a film strip.'),
]
Video = Annotated[bool, typer.Option("--video", help="Record each tab; secrets on it are covered.")]
Until = Annotated[int | None, typer.Option(help="Stop after this step.", min=1)]
NoWait = Annotated[
    bool, typer.Option("--no-wait", help='End when there is only something to wait for; "resume" looks again.')
]
AccessibilityOption = Annotated[
    bool, typer.Option("--accessibility", help="Look for violations with axe on the page of each screenshot.")
]
Baseline = Annotated[
    Path | None,
    typer.Option(
        "--accessibility-baseline",
        help="The same, and end with exit code 1 if there are any that this JSON file does not know.",
    ),
]
Accept = Annotated[
    bool, typer.Option("--accept-accessibility", help="Write what is found to that file instead, as known.")
]
Runs = Annotated[Path, typer.Option(help="Folder in which each run gets its own.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON, on one line.")]
EachAsJson = Annotated[bool, typer.Option("--json", help="Print each as JSON, on a line of its own.")]
FlowOption = Annotated[str, typer.Option("--flow", help="The flow that it is for.")]
EditionOption = Annotated[
    str | None,
    typer.Option("--edition", help="Edition of the guide. Default: the one that is recognised after its first step."),
]
WordPressOption = Annotated[
    str | None,
    typer.Option("--wordpress", help="Version of the sandbox's WordPress, such as 6.4; setup gets it. Default: 7.1."),
]
LanguageOption = Annotated[
    str | None,
    typer.Option("--language", help="Language of the sandbox's WordPress, such as de_DE, ar or ja. Default: English."),
]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="The run's id, or how it begins or ends.")]
