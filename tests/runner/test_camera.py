"""What the camera takes never shows a secret, and what cannot be made sure of is not kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from runner.camera import Camera
from runner.secrets import Secret, Secrets
from runner.traces import save_trace, start_trace
from runner.visible import COVER
from tests.films import frames_of_video, pictures_of_trace, share_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PIL import Image
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

TOKEN = "Zq3-abcdefGHIJ0123456789_klmnopQRSTuvwxyz4567"
RED = (255, 0, 0)
"""In which pages of these tests show the token, and nothing else."""

STYLE = """<style>
    .shown, .shown * { font: bold 90px monospace; color: rgb(255, 0, 0); background: white; word-break: break-all; }
    input.shown { width: 1200px; height: 160px; }
</style>"""

PAGES: dict[str, str] = {
    "as text": "document.body.innerHTML += `<p class=shown>${token}</p>`",
    "split among elements": "document.body.innerHTML += `<p class=shown>${token.slice(0, 9)}<b>${token.slice(9, 20)}</b>${token.slice(20)}</p>`",
    "in a field": "document.body.innerHTML += `<input class=shown readonly>`; document.querySelector('input').value = token",
    "in a shadow tree": (
        "const host = document.body.appendChild(document.createElement('div'));"
        " host.attachShadow({mode: 'open'}).innerHTML = document.querySelector('style').outerHTML + `<p class=shown>${token}</p>`"
    ),
    "in a frame": (
        "const frame = document.body.appendChild(document.createElement('iframe')); frame.style = 'width: 1200px; height: 600px';"
        " frame.contentDocument.body.innerHTML = document.querySelector('style').outerHTML + `<p class=shown>${token}</p>`"
    ),
    "drawn anew again and again": (
        "const draw = () => document.querySelector('main').innerHTML = `<p class=shown data-drawn=${Math.random()}>${token}</p>`;"
        " draw(); setInterval(draw, 40)"
    ),
    "written anew": (
        "document.body.innerHTML += `<p class=shown>${token}</p>`;"
        " setTimeout(() => { const whole = document.documentElement.outerHTML; document.open(); document.write(whole); document.close(); }, 300)"
    ),
    "a piece of it": "document.body.innerHTML += `<p class=shown>${token.slice(0, 20)}</p>`",
    "in groups": "document.body.innerHTML += `<p class=shown>${token.match(/.{1,5}/g).join(' ')}</p>`",
    "with invisible signs": "document.body.innerHTML += `<p class=shown>${token.match(/.{1,5}/g).join('\\u200b')}</p>`",
    "as words of an image that is not there": (
        "document.body.innerHTML += `<img class=shown src='data:,' alt='${token}' style='display:block;width:1200px;height:300px'>`"
    ),
    "in fields of a few characters": (
        "document.body.innerHTML += token.match(/.{1,4}/g).map(part => `<input class=shown size=4 value='${part}'>`).join('')"
    ),
    "selected": (
        "document.body.innerHTML += `<p class=shown>${token}</p><input class=shown readonly>`; const field = document.querySelector('input');"
        " field.value = token; field.select(); getSelection().selectAllChildren(document.querySelector('p'));"
        " document.head.innerHTML += '<style>::selection { color: rgb(255, 0, 0); background: white }</style>'"
    ),
    "in a field that is selected": (
        "document.body.innerHTML += `<input class=shown readonly>`; document.querySelector('input').value = token;"
        " document.querySelector('input').focus(); document.querySelector('input').select();"
        " document.head.innerHTML += '<style>::selection { color: rgb(255, 0, 0); background: white }</style>'"
    ),
    "in a field that fades": (
        "document.head.innerHTML += '<style>input { transition: all 2s }</style>';"
        " document.body.innerHTML += `<input class=shown readonly>`; document.querySelector('input').value = token"
    ),
    "in a field whose style is set anew": (
        "document.body.innerHTML += `<input class=shown readonly>`; document.querySelector('input').value = token;"
        " setTimeout(() => document.querySelector('input').setAttribute('style', 'color: rgb(255, 0, 0)'), 300)"
    ),
    "moving to a field": (
        "document.body.innerHTML += `<p class=shown>${token}</p>`;"
        " setTimeout(() => { const to = document.createElement('input'); to.className = 'shown'; to.value = token;"
        " document.querySelector('p').replaceWith(to); }, 300)"
    ),
}  # fmt: skip


class Film:
    """A tab that is filmed, with a trace and, where wished, a video."""

    def __init__(self, browser: Browser, folder: Path, *, secrets: bool = True, video: bool = False) -> None:
        self.browser = browser
        self.folder = folder
        self.known = Secrets()
        if secrets:
            self.known.add(Secret(TOKEN, "token"))
        self.not_kept: list[str] = []
        self.context = browser.new_context(viewport={"width": 1280, "height": 800})
        start_trace(self.context, film=True)
        self.page = self.context.new_page()
        self.camera = Camera(
            self.known, videos=folder / "videos" if video else None, pictures=True, not_kept=self.not_kept.append
        )
        self.camera.watch(self.page)
        self.page.set_content(f"<!doctype html><title>t</title>{STYLE}<h1>A page</h1><main></main>")

    def show(self, how: str) -> None:
        """Have the token appear, off camera, and go back on camera."""
        was_on = self.camera.off(self.page)
        self.page.evaluate(f"token => {{ {how} }}", TOKEN)
        if was_on:
            self.camera.on(self.page)

    def watch_for(self, milliseconds: float) -> None:
        """Let the page do what it does, while it is filmed; its heading ticks, so that there are pictures."""
        self.page.evaluate(
            """async ms => {
                for (const end = performance.now() + ms; performance.now() < end; ) {
                    const heading = document.querySelector('h1');
                    if (heading) heading.style.opacity = heading.style.opacity === '0.5' ? '1' : '0.5';
                    await new Promise(done => setTimeout(done, 50));
                }
            }""",
            milliseconds,
        )

    def develop(self) -> list[Image.Image]:
        """Everything that was taken and kept."""
        self.camera.stop()
        save_trace(self.context, self.folder / "trace.zip", self.known, self.camera.kept)
        self.context.close()
        taken = pictures_of_trace(self.folder / "trace.zip")
        for video in sorted((self.folder / "videos").glob("*.webm")):
            taken += frames_of_video(self.browser, video)
        return taken


@pytest.fixture
def film(browser: Browser, tmp_path: Path) -> Callable[..., Film]:
    """Begin to film a tab."""

    def begin(**options: Any) -> Film:
        return Film(browser, tmp_path, **options)

    return begin


def most(taken: list[Image.Image], colour: tuple[int, int, int]) -> float:
    """The largest share of the colour in any picture."""
    return max((share_of(picture, colour) for picture in taken), default=0)


@pytest.mark.parametrize("how", PAGES.values(), ids=PAGES.keys())
def test_a_secret_is_covered_in_every_picture(film: Callable[..., Film], how: str) -> None:
    """However a page shows it, and however often it draws itself anew, the token's colour is in none of the pictures."""
    filmed = film()
    filmed.show(how)
    filmed.watch_for(700)
    taken = filmed.develop()
    assert filmed.not_kept == []
    assert most(taken, RED) == 0
    assert most(taken, COVER) > 0.02


def test_a_frame_that_has_not_answered_shows_nothing(film: Callable[..., Film]) -> None:
    """Such as a video of a host that this machine may not reach: it is not waited for, and what is taken is kept."""
    filmed = film()
    filmed.page.route("**/late", lambda _: None)
    filmed.show(
        f"document.body.insertAdjacentHTML('beforeend', '<iframe src=https://host.example/late>'); {PAGES['as text']}"
    )
    filmed.watch_for(700)
    assert filmed.page.frames[1].url == ""
    taken = filmed.develop()
    assert filmed.not_kept == []
    assert most(taken, COVER) > 0.02


def test_without_a_cover_it_would_be_seen(film: Callable[..., Film]) -> None:
    """Pictures are taken of what these tests look for: not knowing the secret, the camera shows it."""
    filmed = film(secrets=False)
    filmed.show(PAGES["as text"])
    filmed.watch_for(300)
    assert most(filmed.develop(), RED) > 0.01


def test_what_is_read_stays_true(film: Callable[..., Film]) -> None:
    """A cover is paint: texts, the tree of the page and a field's value are as they were."""
    filmed = film()
    filmed.show(f"{PAGES['as text']}; {PAGES['in a field']}")
    page = filmed.page
    assert page.locator("p.shown").inner_text() == TOKEN
    assert page.locator("input.shown").input_value() == TOKEN
    assert page.locator("p.shown").evaluate("el => el.outerHTML") == f'<p class="shown">{TOKEN}</p>'
    filmed.develop()


@pytest.mark.usefixtures("ffmpeg")
def test_a_video_shows_the_cover(film: Callable[..., Film]) -> None:
    """A part ends before the secret appears, the next begins with its cover: no frame of either has its colour."""
    filmed = film(video=True)
    filmed.watch_for(300)
    filmed.show(PAGES["as text"])
    filmed.watch_for(700)
    taken = filmed.develop()
    assert len(list((filmed.folder / "videos").glob("*.webm"))) == 2
    assert most(taken, RED) == 0
    assert most(taken, COVER) > 0.02


@pytest.mark.usefixtures("ffmpeg")
def test_a_picture_from_before_the_cover_is_not_handed_on(film: Callable[..., Film]) -> None:
    """What begins to record a tab is first given the last picture there was: that is awaited to be a covered one."""
    filmed = film(video=True)
    filmed.camera.off(filmed.page)
    filmed.page.evaluate(f"token => {{ {PAGES['as text']} }}", TOKEN)
    # The trace has taken a picture of the bare token by now, and the page stands still.
    filmed.watch_for(600)
    filmed.camera.on(filmed.page)
    filmed.watch_for(300)
    assert most(filmed.develop(), RED) == 0


def leave(page: Page) -> None:
    """Go to another page, which shows the token."""
    page.goto(f"data:text/html,{STYLE}<p class=shown>{TOKEN}</p>")


def show_bare(page: Page) -> None:
    """Show the token on camera."""
    page.evaluate(f"token => {{ {PAGES['as text']} }}", TOKEN)


@pytest.mark.parametrize("happens", [leave, show_bare])
def test_what_cannot_be_made_sure_of_is_not_kept(film: Callable[..., Film], happens: Callable[[Page], None]) -> None:
    """The page is left, or shows a secret that nobody announced: those pictures go, with a reason."""
    filmed = film()
    if happens is not show_bare:
        filmed.show(PAGES["as text"])
    happens(filmed.page)
    filmed.watch_for(300)
    assert most(filmed.develop(), RED) == 0
    assert len(filmed.not_kept) == 1
    assert "a secret may have been visible there without its cover" in filmed.not_kept[0]
    assert TOKEN not in filmed.not_kept[0]


def test_what_came_into_view_is_covered_at_the_next_look(film: Callable[..., Film]) -> None:
    """The engine looks after each step: what was taken until then goes, what is taken afterwards is covered."""
    filmed = film()
    show_bare(filmed.page)
    filmed.watch_for(200)
    filmed.camera.look()
    filmed.watch_for(200)
    taken = filmed.develop()
    assert len(filmed.not_kept) == 1
    assert most(taken, RED) == 0
    assert most(taken, COVER) > 0.02


@pytest.mark.slow
def test_a_page_that_does_not_answer_holds_nothing_up(
    film: Callable[..., Film], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script that never ends costs the tab its pictures, and not the run its end."""
    monkeypatch.setattr("runner.camera.DRAWN", 1.0)
    filmed = film()
    filmed.page.evaluate("() => void setTimeout(() => { for (;;); }, 0)")
    filmed.camera.look()
    filmed.camera.stop()
    assert filmed.camera.kept == set()
    assert "could not be looked at once more" in filmed.not_kept[0]


def test_a_tab_that_closes_by_itself_is_not_kept(film: Callable[..., Film]) -> None:
    """Nobody could look at it once more."""
    filmed = film()
    filmed.page.close()
    assert filmed.develop() == []
    assert "it closed by itself" in filmed.not_kept[0]


def test_dots_are_no_secret(film: Callable[..., Film]) -> None:
    """A password that is typed into its field does not cost the tab its pictures."""
    filmed = film()
    filmed.page.evaluate("() => document.body.innerHTML += '<input type=password>'")
    filmed.page.locator("input").fill(TOKEN)
    filmed.watch_for(200)
    assert filmed.develop()
    assert filmed.not_kept == []


def test_off_within_off_stays_off(film: Callable[..., Film]) -> None:
    """Who goes off camera within a stretch that is off camera already does not bring the tab back."""
    filmed = film()
    assert filmed.camera.off(filmed.page)
    assert not filmed.camera.off(filmed.page)
    filmed.develop()


def test_a_camera_that_rolls_nothing_touches_no_page(browser: Browser) -> None:
    """Without a video and without pictures the pages stay as they are, secrets and all."""
    known = Secrets()
    known.add(Secret(TOKEN, "token"))
    page = browser.new_page()
    page.set_content(f"<p>{TOKEN}</p>")
    camera = Camera(known)
    camera.watch(page)
    assert not camera.off(page)
    camera.on(page)
    camera.look()
    camera.stop()
    assert page.evaluate("() => [CSS.highlights.size, document.adoptedStyleSheets.length]") == [0, 0]
    page.close()
