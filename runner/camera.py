"""What may be seen of a run's tabs, in its videos and in the pictures of its traces: never a secret.

While a secret may be appearing in a tab the flow takes that tab off camera. Back on camera, what is visible of secrets
is covered first, in the page, by paint alone: what is read and pasted stays true. A cover follows its secret when the
page draws itself anew; where that cannot be made sure of, what was taken meanwhile is not kept.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Error as PlaywrightError

from runner.controls import until
from runner.errors import Missing
from runner.secrets import plain_url
from runner.unredacted import unredacted_folder
from runner.visible import COVER, GROUP, look_for, shown_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Frame, JSHandle, Page

    from runner.secrets import Secrets

DRAWN = 5.0
"""Seconds that a browser may take to draw what has changed on a page, and to hand out a picture of it."""

SOON = 0.03
"""Seconds after which it is asked again whether a picture has come, which no change of the page tells."""

LOOKS = 3
"""How often a page is looked at again that changed under the look."""


class NotCovered(Exception):
    """A secret on a page cannot be covered; says why."""


@dataclass
class _Shot:
    """What is taken of a tab between two moments."""

    number: int
    page: Page
    guards: list[tuple[Frame, JSHandle]] = field(default_factory=list)
    video: Path | None = None


class Camera:
    """Takes each tab on and off camera.

    Args:
        secrets: What is covered wherever it is visible.
        videos: Folder for a video of each tab, in parts; None for no videos.
        pictures: A trace with pictures is being recorded.
        not_kept: Told, in a sentence, what is not kept and why.
    """

    def __init__(
        self,
        secrets: Secrets,
        *,
        videos: Path | None = None,
        pictures: bool = False,
        not_kept: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._secrets = secrets
        self._videos = videos
        self._rolls = pictures or videos is not None
        self._not_kept = not_kept
        self._shots: dict[Page, _Shot] = {}
        self._taken = 0
        self._parts = 0
        self.kept: set[int] = set()
        self._stack = ExitStack()
        if videos:
            videos.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._parts = max((int(path.stem) for path in videos.glob("*.webm")), default=0)
            self._recorded = self._stack.enter_context(unredacted_folder())

    def watch(self, page: Page) -> None:
        """Take a tab on camera that has just been opened.

        Raises:
            Missing: Playwright's ffmpeg is not on this machine.
        """
        if self._rolls and page not in self._shots and not page.is_closed():
            self._begin(self._next_shot(page))

    def off(self, page: Page) -> bool:
        """Take a tab off camera: a secret may appear in it from now on. Returns whether it was on camera."""
        shot = self._shots.pop(page, None)
        if shot is None:
            return False
        why = self._why_not(shot)
        if shot.video:
            with suppress(PlaywrightError):  # it has closed: nothing more was taken of it
                page.screencast.stop()
        if why:
            self._say(page, why)
            return True
        self.kept.add(shot.number)
        if shot.video and shot.video.is_file() and self._videos:
            shutil.copyfile(shot.video, self._videos / shot.video.name)
        return True

    def on(self, page: Page) -> None:
        """Take a tab on camera again, as soon as every secret on it is covered."""
        if not self._rolls or page in self._shots or page.is_closed():
            return
        shot = self._next_shot(page)
        try:
            _check_that_it_answers(page)
            shot.guards = list(self._cover(page))
            self._wait_until_drawn(page, shot)
            self._mark(shot, "begins")
            # A page that stands still would not be in the picture before it changes.
            with page.screencast.show_overlay(_SPOT):
                pass
            self._begin(shot)
        except NotCovered as error:
            self._say(page, str(error))
        except PlaywrightError as error:
            if not page.is_closed():
                self._say(page, f"it could not be made sure that secrets on it are covered: {_first_line(error)}")

    def look(self) -> None:
        """Make sure that no secret has come into view of a tab, and begin anew where one has."""
        for page, shot in list(self._shots.items()):
            if page.is_closed() or self._is_clean(shot):
                continue
            self.off(page)
            self.on(page)

    def stop(self) -> None:
        """Take every tab off camera, and end."""
        for page in list(self._shots):
            self.off(page)
        self._stack.close()

    def drop(self) -> None:
        """End at once, without another look at any tab; what was being taken is not kept."""
        self._shots.clear()
        self._stack.close()

    # -- one tab ---------------------------------------------------------------------------------------------------

    def _next_shot(self, page: Page) -> _Shot:
        self._taken += 1
        return _Shot(self._taken, page)

    def _begin(self, shot: _Shot) -> None:
        if self._videos:
            self._parts += 1
            shot.video = self._recorded / f"{self._parts:02}.webm"
            try:
                shot.page.screencast.start(path=shot.video)
            except PlaywrightError as error:
                if "ffmpeg" not in error.message:
                    raise
                raise Missing('--video needs Playwright\'s ffmpeg: "playwright install ffmpeg" gets it.') from None
        self._shots[shot.page] = shot

    def _why_not(self, shot: _Shot) -> str:
        """Why what was taken is not kept; nothing if it is."""
        if shot.page.is_closed():
            return "it closed by itself, so that it could not be looked at once more"
        try:
            _check_that_it_answers(shot.page)
            self._mark(shot, "ends")
        except PlaywrightError as error:
            return f"it could not be looked at once more: {_first_line(error)}"
        return "" if self._is_clean(shot, answers=True) else "a secret may have been visible there without its cover"

    def _is_clean(self, shot: _Shot, *, answers: bool = False) -> bool:
        """Whether the covers have held, and nothing else that is visible needs one.

        Args:
            shot: What is taken.
            answers: The page has just answered.
        """
        for number in range(LOOKS):
            try:
                if number or not answers:
                    _check_that_it_answers(shot.page)
                held = all(guard.evaluate("guard => guard.held()") for _, guard in shot.guards)
                return held and not any(self._uncovered(frame, shot) for frame in shown_frames(shot.page))
            except PlaywrightError:
                if shot.guards:
                    break  # the page was left while a secret was on it: what came next cannot be known
        return False

    def _uncovered(self, frame: Frame, shot: _Shot) -> bool:
        if frame.is_detached():
            return False
        guard = next((one for at, one in shot.guards if at is frame), None)
        with look_for(self._secrets, frame, dots=False) as seen:
            if seen is None:
                return False
            found, spans = seen
            return guard is None or bool(
                found.evaluate("(found, [guard, spans]) => !guard.covers(found, spans)", [guard, spans])
            )

    def _cover(self, page: Page) -> Iterator[tuple[Frame, JSHandle]]:
        """Cover the secrets in every frame; yields what keeps the covers in place."""
        for frame in shown_frames(page):
            with look_for(self._secrets, frame, dots=False) as seen:
                if seen:
                    guard = seen[0].evaluate_handle(_COVER_JS, [seen[1], f"rgb{COVER}", GROUP])
                    if not guard.evaluate("guard => guard.held()"):
                        raise NotCovered("this browser cannot cover a secret on it")
                    yield frame, guard

    def _wait_until_drawn(self, page: Page, shot: _Shot) -> None:
        """Wait until a picture of the tab has been handed out that shows the covers.

        Raises:
            NotCovered: None came.
        """
        drawn = [frame.evaluate(_DRAWN_JS, DRAWN * 1000) for frame in (page.main_frame, *(at for at, _ in shot.guards))]
        if not all(drawn):
            raise NotCovered("the browser did not draw the covers of secrets on it")
        taken: list[float] = []
        page.screencast.start(on_frame=lambda frame: taken.append(frame["timestamp"]))
        try:
            # A page that stands still is not drawn again by itself, and what begins to record it is first handed the
            # last picture there was: a spot in its corner has another one drawn.
            with page.screencast.show_overlay(_SPOT):
                came = until(
                    page, lambda: True if taken and taken[-1] > max(drawn) else None, timeout=DRAWN, again=SOON
                )
        finally:
            page.screencast.stop()
        if not came:
            raise NotCovered("the browser handed out no picture with the covers of secrets on it")

    def _mark(self, shot: _Shot, what: str) -> None:
        """Leave a mark in the trace, from which the tab and the time are read again (`runner.traces`)."""
        shot.page.evaluate(f"() => null // {mark(shot.number, what)}")

    def _say(self, page: Page, why: str) -> None:
        where = self._secrets.redact(plain_url(page.url))
        self._not_kept(f"what was recorded of the tab {where} is not kept from there on: {why}")


def _check_that_it_answers(page: Page) -> None:
    """What runs in a page has no limit of its own: a page that is busy for ever would hold up the run's end.

    Raises:
        PlaywrightError: It does not.
    """
    for frame in shown_frames(page):
        frame.locator(":root").wait_for(state="attached", timeout=DRAWN * 1000)


def mark(number: int, what: str) -> str:
    """What stands in a trace where a shot begins or ends."""
    return f"guiderunner: shot {number} {what}"


def _first_line(error: Any) -> str:  # noqa: ANN401 - Playwright's error
    return str(error.message).splitlines()[0]


_SPOT = (
    '<div style="position: fixed; right: 0; bottom: 0; width: 2px; height: 2px; background: rgb(128 128 128 / 2%)">'
    "</div>"
)

# Each picture is made from what was handed on by the one before: after three of them the first one has been drawn.
_DRAWN_JS = """ms => Promise.race([
    new Promise(done => {
        let left = 3;
        const next = () => left-- ? requestAnimationFrame(next) : done(Date.now());
        next();
    }),
    new Promise(done => setTimeout(() => done(0), ms)),
])"""

_COVER_JS = """(found, [spans, colour, group]) => {
    // By paint alone: neither the texts nor the page's own styles change. A field has no such paint and gets a style.
    const name = 'guiderunner-cover';
    const paint = 'color: ' + colour + '; background-color: ' + colour + '; text-shadow: none';
    const roots = new Set(), ranges = new Set(), fields = new Set(), texts = new Set();
    let held = 'highlights' in CSS;
    const highlight = held ? new Highlight() : null;
    if (held) CSS.highlights.set(name, highlight);

    const watch = root => {
        if (roots.has(root)) return;
        roots.add(root);
        const sheet = new (root.defaultView ?? root.ownerDocument.defaultView).CSSStyleSheet();
        const hidden = 'color: ' + colour + ' !important; background-color: ' + colour + ' !important';
        // What is selected is painted over everything else.
        sheet.replaceSync('::highlight(' + name + ') { ' + paint + ' } *::selection { ' + hidden + ' }');
        root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
        // An observer is called before the change is drawn.
        new MutationObserver(follow).observe(root, {
            subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ['value', 'type'],
        });
        root.addEventListener('input', follow, true);
        root.addEventListener('change', follow, true);
    };
    const coverText = (first, from, last, to) => {
        const range = new Range();
        range.setStart(first, from);
        range.setEnd(last, to);
        ranges.add(range);
        highlight?.add(range);
        watch(first.getRootNode());
    };
    const hidden = {
        transition: 'none', animation: 'none', 'text-shadow': 'none', 'background-image': 'none',
        color: colour, '-webkit-text-fill-color': colour, 'background-color': colour, 'caret-color': colour,
    };
    const isHidden = field => {
        const seen = getComputedStyle(field);
        return seen.webkitTextFillColor === seen.backgroundColor && seen.backgroundImage === 'none';
    };
    const hide = field => {
        for (const [property, value] of Object.entries(hidden)) field.style.setProperty(property, value, 'important');
    };
    const coverField = field => {
        if (fields.has(field)) return;
        fields.add(field);
        hide(field);
        new MutationObserver(() => { if (!isHidden(field)) hide(field); })
            .observe(field, {attributes: true, attributeFilter: ['style', 'class']});
        watch(field.getRootNode());
    };
    const all = root => {
        const inner = [root];
        for (const el of root.querySelectorAll('*')) if (el.shadowRoot) inner.push(...all(el.shadowRoot));
        return inner;
    };
    function follow() {
        try {
            ranges.clear();
            highlight.clear();
            for (const root of all(document)) {
                const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
                const nodes = [];
                for (let node = walker.nextNode(); node; node = walker.nextNode())
                    if (node.data.trim() && !node.parentElement?.closest('script, style')) nodes.push(node);
                const whole = nodes.map(node => node.data).join('');
                const at = offset => {
                    for (const node of nodes) {
                        if (offset <= node.data.length) return [node, offset];
                        offset -= node.data.length;
                    }
                };
                for (const text of [...texts]) {
                    if (!text) continue;
                    for (let i = whole.indexOf(text); i >= 0; i = whole.indexOf(text, i + text.length))
                        coverText(...at(i + 1).map((x, n) => n ? x - 1 : x), ...at(i + text.length));
                }
                for (const field of root.querySelectorAll('input:not([type=hidden]), textarea'))
                    if (field.type !== 'password' && [...texts].some(text => text && field.value.includes(text)))
                        coverField(field);
            }
        } catch (error) {
            held = false;
        }
    }
    for (const [first, from, last, to] of spans) {
        const [node, text, isField] = found[first];
        if (isField) {
            // A field for a few characters is covered itself: they stand elsewhere too.
            if (text.length > group) texts.add(text);
            coverField(node);
        } else {
            const range = new Range();
            range.setStart(node, from);
            range.setEnd(found[last][0], to);
            texts.add(range.toString());
        }
    }
    watch(document);
    // The page may have been drawn anew since it was looked at.
    follow();
    const within = (range, node, from, last, to) =>
        range.comparePoint(node, from) === 0 && range.comparePoint(last, to) === 0;
    return {
        held: () => held,
        covers: (found, spans) => spans.every(([first, from, last, to]) => {
            const [node, , isField] = found[first];
            if (!node.isConnected || isField) return !node.isConnected || fields.has(node) && isHidden(node);
            return [...ranges].some(range => range.startContainer.getRootNode() === node.getRootNode()
                && within(range, node, from, found[last][0], to));
        }),
    };
}"""
