"""Violations of accessibility on the pages of a run, as axe finds them, and which of them nobody has known yet."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from importlib import resources
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Error as PlaywrightError

from runner.errors import Differs, Missing, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from playwright.sync_api import Frame, JSHandle, Page

    Known = Mapping[str, Mapping[str, int]]
    """By screenshot the rules that are violated on its page, and in how many places each."""

LIMIT = 10.0
"""Seconds that axe may take in one frame of a page."""


class Accessibility:
    """Looks for violations on the pages of a run's screenshots.

    Args:
        known: What is known and accepted; None where nothing is compared, so that nothing is new.

    Raises:
        Missing: axe is not installed.
    """

    def __init__(self, known: Known | None = None) -> None:
        self._known = known
        try:
            axe = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
        except ModuleNotFoundError:
            raise Missing(
                '--accessibility needs the package axe-playwright-python: pip install "guiderunner[accessibility]"'
            ) from None
        self._load = _LOAD_JS.replace("AXE", axe)

    def look(self, page: Page, screenshot: str) -> list[dict[str, Any]]:
        """What axe finds on a page and in its frames: each violated rule, in how many places, and whether that is new.

        Nothing that stands on the page is among it: axe's own words only.

        Args:
            page: The tab; it is left as it is.
            screenshot: The name of the screenshot that shows it.

        Raises:
            PlaywrightError: The page does not answer, or axe does not come to an end.
        """
        frame = page.main_frame
        with self._axe_in(frame) as axe:
            partial = self._partial(frame, axe, {"include": [], "exclude": []})
            found: list[dict[str, Any]] = outcome_of(frame, axe, _FINISH_JS, [partial, _OPTIONS])
        return [one | {"new": self._is_new(screenshot, one)} for one in found]

    def _is_new(self, screenshot: str, violation: Mapping[str, Any]) -> bool:
        if self._known is None:
            return False
        nodes: int = violation["nodes"]
        return nodes > self._known.get(screenshot, {}).get(violation["id"], 0)

    @contextmanager
    def _axe_in(self, frame: Frame) -> Iterator[JSHandle]:
        # What runs in a page has no limit of its own: one that is busy for ever is found out beforehand.
        frame.locator(":root").wait_for(state="attached", timeout=LIMIT * 1000)
        axe = frame.evaluate_handle(self._load)
        try:
            yield axe
        finally:
            with suppress(PlaywrightError):  # the page has gone, and its handles with it
                axe.dispose()

    def _partial(self, frame: Frame, axe: JSHandle, context: Mapping[str, Any]) -> list[Any]:
        """What axe finds in a frame and in those below it, in their order; None for one that cannot be looked at."""
        found = [outcome_of(frame, axe, "axe.runPartial(...args)", [context, _OPTIONS])]
        for below in axe.evaluate("(axe, context) => axe.utils.getFrameContexts(context)", context):
            found += self._below(axe, below) or [None]
        return found

    def _below(self, axe: JSHandle, below: Mapping[str, Any]) -> list[Any]:
        try:
            element = axe.evaluate_handle(
                "(axe, place) => axe.utils.shadowSelect(place)", below["frameSelector"]
            ).as_element()
            frame = element.content_frame() if element else None
            if element is None or frame is None or element.evaluate(_RUNS_NO_SCRIPT_JS):
                return []
            with self._axe_in(frame) as inner:
                return self._partial(frame, inner, below["frameContext"])
        except PlaywrightError:
            return []  # it has gone meanwhile, or does not answer; axe counts it among what it could not test


def outcome_of(frame: Frame, axe: JSHandle, script: str, args: Sequence[Any]) -> Any:  # noqa: ANN401 - whatever axe tells
    """What comes of something that axe does in a frame, which may never end: timers do not run in every frame."""
    state = axe.evaluate_handle(_BEGIN_JS.replace("SCRIPT", script), args)
    frame.wait_for_function("state => state.over", arg=state, timeout=LIMIT * 1000, polling=50)
    outcome = state.evaluate("state => state.over")
    state.dispose()
    if "error" in outcome:
        raise PlaywrightError(f"axe failed: {outcome['error']}")
    return outcome["found"]


_OPTIONS = {"resultTypes": ["violations"], "preload": False}
"""Only what is wrong is told, and nothing is asked of the network."""

# axe is neither left in the window, where a page may have one of its own, nor handed to a loader of the page's; no
# element's HTML is among what it finds, since it may show what was typed; and it listens to no message of a page.
_LOAD_JS = """() => {
    const module = undefined, exports = undefined, define = undefined;
    const names = ['axe', '__core-js_shared__'];
    const before = names.map(name => Object.getOwnPropertyDescriptor(window, name));
    delete window.axe;
    AXE
    ;
    const axe = window.axe;
    names.forEach((name, n) => {
        delete window[name];
        if (before[n]) Object.defineProperty(window, name, before[n]);
    });
    axe.configure({noHtml: true});
    axe.frameMessenger({open: () => () => {}, post: () => false});
    return axe;
}"""

_BEGIN_JS = """(axe, args) => {
    const state = {over: null};
    SCRIPT.then(found => { state.over = {found}; }, error => { state.over = {error: String(error)}; });
    return state;
}"""

_FINISH_JS = """axe.finishRun(...args).then(({violations}) =>
    violations.map(({id, impact, help, nodes}) => ({id, impact, help, nodes: nodes.length})))"""

_RUNS_NO_SCRIPT_JS = "el => !!el.hasAttribute?.('sandbox') && !el.sandbox.contains('allow-scripts')"


# -- what a run has found -----------------------------------------------------------------------------------------


def found_in(entries: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """What a run has recorded of each screenshot's page; the last time counts, as it does for the screenshot."""
    looked = ("accessibility", "no accessibility check")
    return {entry["name"]: entry for entry in entries if entry["event"] in looked}


def sentence(step: str, screenshot: str, violation: Mapping[str, Any]) -> str:
    """A violation for people."""
    about, places = "{help} ({id}, {impact})".format_map(violation), violation["nodes"]
    return f"{step}, {screenshot}: {about}, in {places} {'place' if places == 1 else 'places'}"


# -- what is known and accepted -----------------------------------------------------------------------------------


def read_baseline(path: Path, *, new: bool = False) -> dict[str, dict[str, int]]:
    """What a file says to be known; see `accept`.

    Args:
        path: The file.
        new: It need not be there yet, but its folder.

    Raises:
        WrongUsage: It is not there, or is no such file.
    """
    called = "--accessibility-baseline"
    if new and not path.exists() and path.parent.is_dir():
        return {}
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WrongUsage(f"{called}: {path} is not there; with --accept-accessibility the run writes it") from None
    except OSError as error:
        raise WrongUsage(f"{called}: {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise WrongUsage(f"{called}: {path} is not JSON: {error}") from None
    if not isinstance(known, dict) or not all(isinstance(rules, dict) for rules in known.values()):
        raise WrongUsage(f"{called}: {path} has to hold, for each screenshot, its rules and their number of places")
    for screenshot, rules in known.items():
        for rule, places in rules.items():
            if not isinstance(places, int) or isinstance(places, bool) or places < 1:
                raise WrongUsage(f"{called}: {path}: {rule} of {screenshot} has to be a number of places, from 1")
    return known


def accept(path: Path, entries: Sequence[Mapping[str, Any]]) -> int:
    """Write what a run has found as known: by screenshot, its rules, each with its number of places.

    What was known before stays for screenshots whose pages the run has not looked at.

    Args:
        path: The file; it has either all of it or what it had before.
        entries: What the run has recorded.

    Returns:
        How many rules are violated on all pages together.

    Raises:
        WrongUsage: It cannot be written there.
    """
    now = read_baseline(path, new=True)
    for screenshot, entry in found_in(entries).items():
        if entry["event"] == "accessibility":
            now[screenshot] = {one["id"]: one["nodes"] for one in entry["violations"]}
    now = {screenshot: rules for screenshot, rules in now.items() if rules}
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_text(json.dumps(now, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise WrongUsage(f"--accessibility-baseline: {path} cannot be written: {error.strerror}") from None
    return sum(map(len, now.values()))


def refuse_new(path: Path, entries: Sequence[Mapping[str, Any]]) -> None:
    """Make sure that a run has found nothing but what is known.

    Args:
        path: The file that says what is known, for the message.
        entries: What the run has recorded.

    Raises:
        Differs: There is something new, or a page could not be looked at; says in a sentence each what, and how it is
            accepted.
    """
    new = []
    for screenshot, entry in found_in(entries).items():
        step = f"Step {entry['step']}"
        if entry["event"] == "no accessibility check":
            new.append(f"{step}, {screenshot}: {entry['sentence']}")
        for one in entry.get("violations", ()):
            if one["new"]:
                accepted = f'"{screenshot}": {{"{one["id"]}": {one["nodes"]}}}'
                new.append(f"{sentence(step, screenshot, one)}; to accept it, {path} has to say {accepted}")
    if new:
        first = "new violations of accessibility (--accept-accessibility accepts all that the next run finds):"
        raise Differs("\n".join([first, *new]))
