"""Takes the images of a guide during a run: each as its look says, and only if it passes its guards.

A guard refuses what a reader of the guide must not get: a sign-in form, an error, a page that is not the one that is
meant, a control out of view, a secret. What is drawn is drawn while the flow goes on.
"""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from PIL import ImageChops

from runner.controls import lines, on_page, status_of, until
from runner.darkroom import Darkroom
from runner.drawing import WINDOW_MARGIN, Drawing, Window, drawn, windows
from runner.errors import Stuck
from runner.look import ImageLook, Look
from runner.replacement import replaced, replacing
from runner.screenshots import IN_VIEW_JS, SETTLE, Capture, capture, prepare
from runner.secrets import SHORTEST, Secret, Secrets, plain_url
from runner.visible import Box, covers, shown_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from PIL import Image
    from playwright.sync_api import BrowserContext, Locator, Page

    from runner.darkroom import Prints

ERROR = 400
"""HTTP's first status for a page that is an error."""

ARROW_ROOM = 64
"""CSS pixels that an arrow begins before the window it leads to, at least."""


@dataclass(frozen=True)
class Carried:
    """What a step carries from one tab to another, for an image that shows both.

    Attributes:
        page: The tab where the values stand.
        values: Each value, and the field that it goes to.
    """

    page: Page
    values: Sequence[tuple[str | Secret, Locator]]


@dataclass(frozen=True)
class Variant:
    """The same images in another form.

    Attributes:
        suffix: What the images' names have before their ending, such as `.dark`; nothing for the look's own form.
        changes: What is not as the look says it, in its names.
    """

    suffix: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)

    def name(self, image: str) -> str:
        """The image's path in this form."""
        path = PurePosixPath(image)
        return str(path.with_name(f"{path.stem}{self.suffix}{path.suffix}"))

    def look(self, look: Look) -> Look:
        """How images look in this form."""
        return replace(look, **self.changes)


def suffix(look: Look, changes: Mapping[str, Any]) -> str:
    """What the names of images have before their ending: whatever is not as the look says it, in a fixed order.

    Args:
        look: How images look.
        changes: What may be otherwise, by the look's own names.
    """
    differs = {name: value for name, value in changes.items() if getattr(look, name) != value}
    parts = []
    if "locale" in differs:
        parts.append(differs["locale"].lower())
    if "color_scheme" in differs:
        parts.append(differs["color_scheme"])
    if "viewport" in differs:
        parts.append("x".join(map(str, differs["viewport"])))
    if "scale" in differs:
        parts.append(f"{differs['scale']:g}x")
    return "".join(f".{part}" for part in parts)


@dataclass(frozen=True)
class Taken:
    """What is known of an image that was taken.

    Attributes:
        name: Its path.
        step: Number of the step.
        url: Where its tab was.
        tree: What assistive technology reads on the page, without secrets.
        scale: Device pixels for each CSS pixel.
        form: The suffix of its variant.
    """

    name: str
    step: int
    url: str
    tree: str
    scale: float
    form: str = ""


@dataclass
class Studio:
    """Takes images.

    Args:
        look: How they look.
        settings: The run's settings that are no secrets, as texts.
        variants: In which forms.
        developed: Told, in the background, of each image that is in its file, and handed its prints; None for nobody.
        wanted: The images that are taken so, by their paths; the others as evidence.
    """

    look: Look
    settings: Mapping[str, str]
    variants: Sequence[Variant] = (Variant(),)
    developed: Callable[[Taken, bytes, Prints], None] | None = None
    wanted: Collection[str] | None = None
    secrets: Secrets = field(default_factory=Secrets)
    taken: dict[str, Taken] = field(default_factory=dict)
    darkroom: Darkroom = field(default_factory=Darkroom)

    def context_options(self) -> dict[str, Any]:
        """Options of the browser context that the look asks for, in Playwright's names."""
        width, height = self.look.viewport
        return {
            "viewport": {"width": width, "height": height},
            "device_scale_factor": self.look.scale,
            "locale": self.look.locale,
            "timezone_id": self.look.timezone,
            "color_scheme": self.look.color_scheme,
        }

    def watch(self, context: BrowserContext) -> None:
        """Have every page begin at the look's time."""
        if self.look.clock:
            context.add_init_script(f"({_CLOCK_JS})({self.look.clock.isoformat(timespec='seconds')!r})")

    def wants(self, image: str) -> bool:
        """Whether this image is wanted, and not only a screenshot as evidence."""
        return self.wanted is None or image in self.wanted

    def take(
        self,
        image: str,
        page: Page,
        highlight: Locator | None,
        carried: Carried | None,
        *,
        step: int,
        folder: Path,
        secrets: Secrets,
        facts: Mapping[str, str],
    ) -> list[str]:
        """Take an image in every form.

        Args:
            image: Its path.
            page: The tab.
            highlight: The control that the step names.
            carried: What the step carries from another tab, which is shown behind.
            step: Number of the step.
            folder: Where its file gets its path.
            secrets: What is covered.
            facts: What the run has learned.

        Returns:
            The paths in all forms; their files are there when the darkroom has finished.

        Raises:
            Stuck: A guard refuses the image; says why.
        """
        self.secrets = secrets
        names = []
        for variant in self.variants:
            name, look = variant.name(image), variant.look(self.look)
            sitting = _Sitting(self, name, look, secrets, facts)
            # In another size of window there is no room for two.
            both = carried if look.viewport == self.look.viewport else None
            about = look.of(image) if look.viewport == self.look.viewport else replace(look.of(image), viewport=None)
            with refusing(name):
                front = sitting.photograph(page, about, highlight, both)
                back = sitting.photograph_behind(both, about) if both else None
            if both:
                page.bring_to_front()
            tree = _alike(secrets.redact_deep(front.tree), secrets)
            taken = self.taken[name] = Taken(name, step, plain_url(page.url), tree, front.capture.scale, variant.suffix)
            draw = partial(_composed, front, back, about) if back else partial(_alone, front, about)
            then = partial(self.developed, taken) if self.developed else None
            self.darkroom.develop(folder / name, draw, then=then)
            names.append(name)
        return names


def _alike(tree: str, secrets: Secrets) -> str:
    """The same text for every secret: Playwright quotes a value that begins with a dash, as one token of 64 does."""
    for name in {secret.name for secret in secrets}:
        tree = tree.replace(f': "[{name}]"', f": [{name}]")
    return tree


@contextmanager
def refusing(name: str) -> Iterator[None]:
    """What goes wrong meanwhile is why an image is refused."""
    try:
        yield
    except Stuck as stuck:
        raise Stuck(f"the image {name} is refused: {stuck}", looked_for=stuck.looked_for) from None


@dataclass(frozen=True)
class _Exposure:
    """A capture and what is made of it."""

    capture: Capture
    tree: str
    covered: Sequence[Box]
    frame: Box | None
    values: Sequence[Box | None] = ()
    trim: float | None = None

    def shown(self, drawing: Drawing) -> Image.Image:
        """What is shown of the picture, with all that is drawn on it."""
        picture, scale = self.capture.picture(), self.capture.scale
        frame = self.frame
        if frame is None and self.trim is not None:
            frame = _trimmed(picture, [*self.covered, *self.capture.boxes.values()], self.trim, scale)
        return _cropped(drawn(picture, drawing, scale), frame, scale)


@dataclass(frozen=True)
class _Sitting:
    """One image in one form."""

    studio: Studio
    name: str
    look: Look
    secrets: Secrets
    facts: Mapping[str, str]

    def photograph(self, page: Page, about: ImageLook, highlight: Locator | None, carried: Carried | None) -> _Exposure:
        """Take the tab that the step is at."""
        places = {f"field {number}": to for number, (_, to) in enumerate(carried.values)} if carried else {}
        with self._dressed(page, about):
            prepare(page, highlight)
            if highlight and highlight.evaluate(_OVER_JS):
                # A bar that stays at the window's edge may lie over it: a reader would scroll on.
                highlight.evaluate("el => el.scrollIntoView({block: 'center'})")
            exposure = self._expose(page, about, places | ({"highlight": highlight} if highlight else {}))
            for name, place in places.items():
                if name not in exposure.capture.boxes:
                    raise Stuck(f"{place} is not on the page")
                if not _is_shown(exposure, name):  # the arrow would lead out of the window
                    raise Stuck(f"{place} is not in the part of the page that is shown")
            if highlight:
                _check_control(highlight, exposure)
            return exposure

    def photograph_behind(self, carried: Carried, about: ImageLook) -> _Exposure:
        """Take the tab that values are carried from."""
        behind = ImageLook(cover=about.cover, mark="none", trim=None)
        with self._dressed(carried.page, behind):
            prepare(carried.page)
            exposure = self._expose(carried.page, behind, {}, [value for value, _ in carried.values])
        edge = about.window[0] - ARROW_ROOM
        missing = [
            str(value)
            for (value, _), stands in zip(carried.values, exposure.values, strict=True)
            if not stands or not stands.x < edge or not 0 <= stands.y <= self.look.viewport[1] - stands.height
        ]
        if missing:
            raise Stuck(f"the tab behind does not show what is carried from it: {', '.join(missing)}")
        return exposure

    @contextmanager
    def _dressed(self, page: Page, about: ImageLook) -> Iterator[None]:
        """The tab in this form, and as it was afterwards."""
        before, wanted = page.viewport_size, about.viewport or self.look.viewport
        size = {"width": wanted[0], "height": wanted[1]}
        with ExitStack() as stack:
            if before and before != size:
                page.set_viewport_size(size)  # type: ignore[arg-type]
                page.evaluate(_QUIET_JS)
                stack.callback(page.set_viewport_size, before)
            if self.look.color_scheme != self.studio.look.color_scheme:
                page.emulate_media(color_scheme=self.look.color_scheme)
                stack.callback(page.emulate_media, color_scheme=self.studio.look.color_scheme)
            yield

    def _expose(
        self, page: Page, about: ImageLook, places: dict[str, Locator], values: Sequence[str | Secret] = ()
    ) -> _Exposure:
        wanted = self.look.replace
        texts = wanted.texts_for(self.studio.settings, self.facts)
        instead = replacing(texts, wanted.patterns)
        for selector in about.cover:
            if not page.locator(selector).count():
                raise Stuck(f"nothing on the page is {selector}, which is to be covered")
        elements = [page.locator(selector) for selector in (*self.look.cover, *about.cover)]
        element = {"frame": _the_one(page, about.element)} if about.element else {}
        with replaced(page, instead, texts, wanted.elements):
            self._wait_until_finished(page)
            self._check_page(page, about)
            taken = capture(page, self.secrets, places | element, elements)
            self._check_page(page, about)
            tree = instead(_without_addresses(page.locator("body").aria_snapshot()))
            self._check_secrets(page, tree)
            stand = [_where(page, value if isinstance(value, Secret) else instead(value)) for value in values]
        boxes = taken.boxes
        region = Box(*about.region) if about.region else None
        frame = _framed(boxes["frame"], about, page) if "frame" in boxes else region
        return _Exposure(taken, tree, taken.covered, frame, stand, about.trim)

    # -- guards -------------------------------------------------------------------------------------------------------

    def _wait_until_finished(self, page: Page) -> None:
        """Wait for what only looks like a page: placeholders, and pictures that did not come."""
        seen: list[str] = []

        def look() -> bool | None:
            script = f"() => ({_LACKS_JS})({IN_VIEW_JS})"
            seen[:] = [words for frame in shown_frames(page) for words in frame.evaluate(script)]
            return None if seen else True

        if not until(page, look, timeout=SETTLE):
            raise Stuck(f"the page is not complete: {', '.join(seen[:3])}")

    def _check_page(self, page: Page, about: ImageLook) -> None:
        """Refuse a page that is an error, a sign-in, or another one than is meant."""
        asked = "input[type=password]:not([readonly])"
        fields = (each for frame in shown_frames(page) for each in frame.locator(asked).all())
        # One that the flow has filled in belongs to the step.
        if any(on_page(each) and not each.input_value() for each in fields):
            raise Stuck(f"the page asks for a password: {plain_url(page.url)}")
        if about.at:
            address = self.studio.settings.get(about.at, "")
            if _site(page.url) != _site(address):
                raise Stuck(f"the page is at {_site(page.url)}, not at {about.at}, {_site(address)}")
        if about.heading:
            # A page may have nothing but words that look like headings.
            there = page.get_by_role("heading").filter(visible=True).all_inner_texts() or lines(page)
            if any(re.search(about.heading, " ".join(heading.split())) for heading in there):
                return  # whatever the server calls it: an application may have gone on since
            said = ", ".join(f'"{" ".join(heading.split())}"' for heading in there[:5]) or "none"
            raise Stuck(f'the page has no heading "{about.heading}"; there is: {said}')
        status = status_of(page)
        if status >= ERROR:
            raise Stuck(f"the page is an error: HTTP {status} at {plain_url(page.url)}")

    def _check_secrets(self, page: Page, tree: str) -> None:
        """Refuse a page that says a secret which could not be covered."""
        for name in self.secrets.find_deep(tree):
            own = Secrets()
            for secret in self.secrets:
                if secret.name == name:
                    own.add(secret)
            styled = "".join(text for frame in shown_frames(page) for text in frame.evaluate(_STYLED_JS))
            if not covers(page, own) or own.find(styled):
                raise Stuck(f"the page says {name} where it cannot be covered")


def _check_control(highlight: Locator, exposure: _Exposure) -> None:
    """Refuse an image on which the control that the step names cannot be seen."""
    if "highlight" not in exposure.capture.boxes:
        raise Stuck("the control that the step names is not on the page")
    if not _is_shown(exposure, "highlight"):
        raise Stuck("the control that the step names is not wholly in the part of the page that is shown")
    over = highlight.evaluate(_OVER_JS)
    if over:
        raise Stuck(f"over the control that the step names lies {over}")


def _is_shown(exposure: _Exposure, name: str) -> bool:
    """Whether the place of this name is wholly in the part of the page that is shown."""
    return _contains(_frame(exposure).grown(1), exposure.capture.boxes[name])


def _frame(exposure: _Exposure) -> Box:
    """What is shown at least of what lies in the viewport: nothing that has a place is ever trimmed away."""
    width, height = exposure.capture.size
    return exposure.frame or Box(0, 0, width / exposure.capture.scale, height / exposure.capture.scale)


def _contains(outer: Box, inner: Box) -> bool:
    return (
        outer.x <= inner.x
        and outer.y <= inner.y
        and inner.x + inner.width <= outer.x + outer.width
        and inner.y + inner.height <= outer.y + outer.height
    )


def _the_one(page: Page, selector: str) -> Locator:
    """The one visible element that the selector means."""
    found = page.locator(selector).filter(visible=True)
    count = found.count()
    if count != 1:
        raise Stuck(f"{count} elements on the page are {selector}, so it is not known which one is to be shown")
    return found


def _framed(box: Box, about: ImageLook, page: Page) -> Box:
    """The element with its padding, as far as the viewport goes."""
    size = page.evaluate("() => [innerWidth, innerHeight]")
    if not _contains(Box(0, 0, *size).grown(1), box):
        raise Stuck(f"{about.element} is not wholly in view: it is larger than the viewport, or scrolled away")
    top, right, bottom, left = about.padding
    x, y = max(box.x - left, 0), max(box.y - top, 0)
    return Box(x, y, min(box.x + box.width + right, size[0]) - x, min(box.y + box.height + bottom, size[1]) - y)


def _trimmed(picture: Image.Image, boxes: Iterable[Box], left: float, scale: float) -> Box:
    """What is left when the rows at the lower end are cut off that are all the same.

    Args:
        picture: In device pixels.
        boxes: What is not cut off.
        left: CSS pixels that are left below the last thing.
        scale: Device pixels for each CSS pixel.
    """
    lowest = max([_last_other_row(picture) / scale, *(box.y + box.height for box in boxes)])
    return Box(0, 0, picture.width / scale, min(lowest + left, picture.height / scale))


def _last_other_row(picture: Image.Image) -> int:
    """How many rows there are up to the last that is not as the lowest; from below, where it mostly is."""
    last = picture.crop((0, picture.height - 1, picture.width, picture.height))
    alike = last.resize((picture.width, _STRIP))
    for lower in range(picture.height, 0, -_STRIP):
        upper = max(lower - _STRIP, 0)
        strip = picture.crop((0, upper, picture.width, lower))
        if found := ImageChops.difference(strip, alike.crop((0, 0, *strip.size))).getbbox():
            return upper + found[3]
    return 0


_STRIP = 64
"""Rows that are compared at once."""


def _where(page: Page, value: str | Secret) -> Box | None:
    """Where a value stands on the page."""
    if not isinstance(value, Secret) and len(value) < SHORTEST:
        return next(
            (Box(**box) for each in page.get_by_text(value, exact=True).all() if (box := each.bounding_box())), None
        )
    wanted = Secrets()
    wanted.add(value if isinstance(value, Secret) else Secret(value, "a value"), pieces=False)
    return next(iter(covers(page, wanted)), None)


def _without_addresses(tree: str) -> str:
    """What can be read of the tree: where links lead to is not seen."""
    return "\n".join(line for line in tree.splitlines() if not line.lstrip().startswith("- /url:"))


def _site(url: str) -> str:
    """Host and port of an address, as far as they tell sites apart: www. and a usual port do not."""
    there = urlsplit(url)
    host = (there.hostname or "").removeprefix("www.")
    usual = {"http": 80, "https": 443}.get(there.scheme)
    return host if there.port in (None, usual) else f"{host}:{there.port}"


# -- what is made of it -----------------------------------------------------------------------------------------------


def _alone(front: _Exposure, about: ImageLook) -> Image.Image:
    marked = front.capture.boxes.get("highlight") if about.mark != "none" else None
    arrows = [(_beside(marked), marked)] if marked and about.mark == "arrow" else []
    number = about.number if about.mark == "number" else None
    return front.shown(Drawing(front.covered, marked, number, arrows))


def _beside(box: Box) -> Box:
    """Where an arrow to a control begins: above it at the left, or below it where there is no room."""
    up = -1 if box.y > _ARROW else 1
    return Box(max(box.x - _ARROW * 1.5, 8), box.y + up * _ARROW, 0, box.height)


_ARROW = 110


def _composed(front: _Exposure, back: _Exposure, about: ImageLook) -> Image.Image:
    """Two tabs as windows over one another, with arrows from the values to their fields."""
    scale = front.capture.scale
    behind, before = (each.shown(Drawing(each.covered)) for each in (back, front))
    whole = windows([Window(behind, (0, 0)), Window(before, about.window)], scale)

    def moved(box: Box, frame: Box | None, at: tuple[float, float]) -> Box:
        x, y = (frame.x, frame.y) if frame else (0, 0)
        return box.moved(at[0] - x + WINDOW_MARGIN, at[1] - y + WINDOW_MARGIN)

    arrows = []
    edge = about.window[0] + WINDOW_MARGIN - ARROW_ROOM
    for number, value in enumerate(back.values):
        to = front.capture.boxes.get(f"field {number}")
        if value is None or to is None:
            raise RuntimeError("what is carried stands in only one of the tabs")  # refused before
        start = moved(value, back.frame, (0, 0))
        # An arrow begins where the value can still be seen, before the window in front.
        arrows.append(
            (
                Box(start.x, start.y, min(start.width, edge - start.x), start.height),
                moved(to, front.frame, about.window),
            )
        )
    marked = front.capture.boxes.get("highlight")
    outlined = moved(marked, front.frame, about.window) if marked and about.mark != "none" else None
    return drawn(whole, Drawing((), outlined, about.number if about.mark == "number" else None, arrows), scale)


def _cropped(picture: Image.Image, frame: Box | None, scale: float) -> Image.Image:
    if frame is None:
        return picture
    left, top = max(round(frame.x * scale), 0), max(round(frame.y * scale), 0)
    right = min(round((frame.x + frame.width) * scale), picture.width)
    bottom = min(round((frame.y + frame.height) * scale), picture.height)
    return picture.crop((left, top, right, bottom))


# Quiet is a page on which nothing has changed for a while; a size of the window is often looked at with some delay.
_QUIET_JS = """() => new Promise(done => {
    let quiet;
    const again = () => { clearTimeout(quiet); quiet = setTimeout(done, 300); };
    new MutationObserver(again).observe(document, {
        subtree: true, childList: true, attributes: true, characterData: true,
    });
    again();
    setTimeout(done, 5000);
})"""

_LACKS_JS = r"""inView => {
    const all = root => [...root.querySelectorAll('*')].flatMap(
        el => [el, ...(el.shadowRoot ? all(el.shadowRoot) : [])]);
    const name = el => String(el.className.baseVal ?? el.className);
    return all(document).flatMap(el => {
        const isLost = el.matches('img[src]') && el.complete && !el.naturalWidth;
        const what = isLost ? 'a picture did not come'
            : el.matches('[role=progressbar]:not([aria-valuenow])') ? 'something is under way'
            : /(^|[\s_-])skeleton/i.test(name(el)) ? name(el)
            : el.matches('[aria-busy=true]') && el !== document.body ? 'something is busy' : '';
        return what && inView(el) ? [what] : [];
    });
}"""

# What style sheets write beside an element.
_STYLED_JS = r"""() => [...document.querySelectorAll('*')].flatMap(el => ['::before', '::after'].map(beside => {
    const content = getComputedStyle(el, beside).content;
    const named = /attr\(([\w-]+)\)/.exec(content);
    return content === 'none' || content === 'normal' ? '' : named ? el.getAttribute(named[1]) ?? '' : content;
}).filter(Boolean))"""

_OVER_JS = """el => {
    const box = el.getBoundingClientRect();
    let hit = el.getRootNode().elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    if (!hit || hit === el || el.contains(hit) || hit.contains(el) || hit.closest('label')?.control === el) return '';
    const name = hit.getAttribute('aria-label') || hit.innerText?.trim().split('\\n')[0] || '';
    return hit.tagName.toLowerCase() + (name ? ' "' + name.slice(0, 60) + '"' : '');
}"""

# Time goes on from there: a page that waits for it to pass must not wait for ever.
_CLOCK_JS = """start => {
    const real = Date, began = real.now(), from = new real(start).getTime();
    const now = () => from + real.now() - began;
    globalThis.Date = new Proxy(real, {
        construct: (date, args, as) => Reflect.construct(date, args.length ? args : [now()], as),
        apply: date => new date(now()).toString(),
        get: (date, name) => name === 'now' ? now : Reflect.get(date, name),
    });
}"""
