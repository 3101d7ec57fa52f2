"""Images are taken as their look says, and only if they pass their guards; the page stays as it was."""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from runner.controls import set_default_timeout
from runner.drawing import INK
from runner.errors import Stuck
from runner.look import ImageLook, Look, Replacements
from runner.secrets import Secret, Secrets
from runner.studio import Carried, Studio, Variant
from runner.visible import COVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser

TOKEN = "Zq3-token_that_must_not_be_seen_0123456789abc"
SITE = "https://toy.example/"
SETTINGS = {"TOY_SITE": SITE, "TOY_EMAIL": "real.person@example.org", "TOY_OTHER": "https://other.example"}
PAGE = (
    "<!doctype html><title>Toy</title><style>body { margin: 0; font: 16px sans-serif } main { padding: 40px }</style>"
    "<main><h1>Welcome, real.person@example.org</h1><p>Made <b>17 days ago</b></p>"
    "<input aria-label=Mail value='real.person@example.org'><p><button>Go on</button></p></main>"
)


class Stage:
    """A tab with a page, a studio, and what comes of it."""

    def __init__(self, browser: Browser, folder: Path, look: Look, variants: list[Variant]) -> None:
        self.secrets = Secrets()
        self.secrets.add(Secret(TOKEN, "machine token"))
        self.folder = folder
        self.studio = Studio(look, SETTINGS, variants)
        self.context = browser.new_context(**self.studio.context_options())
        set_default_timeout(self.context, 3)
        self.studio.watch(self.context)
        self.page = self.context.new_page()

    def show(self, body: str = PAGE, page: Page | None = None, status: int = 200) -> Page:
        """Open a page of the toy's site."""
        tab = page or self.page
        tab.route(f"{SITE}**", lambda route: route.fulfill(status=status, content_type="text/html", body=body))
        tab.goto(SITE)
        return tab

    def take(self, highlight: Locator | None = None, carried: Carried | None = None, name: str = "one.png") -> Any:
        """Take an image of the tab; the picture and what is known of it."""
        facts = {"name": "real-name"}
        names = self.studio.take(
            name,
            self.page,
            highlight,
            carried,
            step=1,
            folder=self.folder,
            secrets=self.secrets,
            facts=facts,
        )
        self.studio.darkroom.complete()
        return [Image.open(io.BytesIO((self.folder / each).read_bytes())).convert("RGB") for each in names]

    @property
    def go(self) -> Locator:
        """The control that the step names."""
        return self.page.get_by_role("button", name="Go on")


@pytest.fixture
def stage(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    """Set up a stage with a look."""
    set_up: list[Stage] = []

    def make(variants: list[Variant] | None = None, image: ImageLook | None = None, **look: Any) -> Stage:
        given: dict[str, Any] = {"viewport": (600, 400), "scale": 1, "images": {"one.png": image or ImageLook()}}
        set_up.append(Stage(browser, tmp_path, Look(**given | look), variants or [Variant()]))
        return set_up[-1]

    yield make
    for each in set_up:
        each.context.close()


@contextmanager
def refused(why: str) -> Iterator[None]:
    """The image is refused, for this reason."""
    with pytest.raises(Stuck, match=r"^the image one\.png is refused: " + why):
        yield


def has(picture: Image.Image, colour: tuple[int, int, int]) -> bool:
    """Whether a colour is on a picture."""
    return colour in {pixel for _, pixel in picture.getcolors(picture.width * picture.height) or []}


# -- guards -----------------------------------------------------------------------------------------------------------


def test_an_error_page_is_refused(stage: Callable[..., Stage]) -> None:
    """With its status; the page that comes after it is not."""
    it = stage()
    it.show(status=500)
    with refused("the page is an error: HTTP 500 at https://toy.example/"):
        it.take()
    it.page.unroute_all()
    it.show()
    it.take()


def test_a_sign_in_form_is_refused(stage: Callable[..., Stage]) -> None:
    """A field for a password that nobody can see is none, and one that is filled in belongs to the step."""
    it = stage()
    it.show(PAGE + "<input type=password aria-label=Password>")
    with refused("the page asks for a password: https://toy.example/"):
        it.take()
    it.show(PAGE + "<input type=password aria-label=Password hidden>")
    it.take()
    it.show(PAGE + "<input type=password aria-label=Password value=abcd>")
    it.take()


def test_another_page_is_refused_by_its_heading(stage: Callable[..., Stage]) -> None:
    """The sentence says which headings there are."""
    it = stage(image=ImageLook(heading="(?i)^thank you"))
    it.show()
    with refused(r'the page has no heading "\(\?i\)\^thank you"; there is: "Welcome, real.person@example.org"'):
        it.take()
    it.show("<h2>Thank   you!</h2>")
    it.take()
    it.show("<p>Nothing is a heading here.</p><p>Thank you</p>")
    it.take()


def test_another_site_is_refused(stage: Callable[..., Stage]) -> None:
    """The page has to be at the host of the setting."""
    it = stage(image=ImageLook(at="TOY_OTHER"))
    it.show()
    with refused("the page is at toy.example, not at TOY_OTHER, other.example"):
        it.take()
    stage_again = stage(image=ImageLook(at="TOY_SITE"))
    stage_again.show()
    stage_again.take()


def test_a_page_that_goes_on_loading_is_refused(stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    """A spinner never gets into the guide."""
    monkeypatch.setattr("runner.screenshots.SETTLE", 0.5)
    it = stage()
    it.show(PAGE + "<div aria-busy=true aria-label='Loading sites'>…</div>")
    with refused(r"the page is still loading \(Loading sites\)"):
        it.take()


def test_a_frame_that_comes_into_view_later_is_not_waited_for(stage: Callable[..., Stage]) -> None:
    """Such as a video far below, which loads only when somebody scrolls there."""
    it = stage(replace=Replacements(texts={"real.person@example.org": "jo@example.com"}))
    it.show(
        f"{PAGE}<div style='height: 9000px'></div><iframe loading=lazy src=https://other.example></iframe>"
        "<script>setTimeout(() => { document.querySelector('iframe').loading = 'eager'; }, 10000)</script>"
    )
    it.take(it.go)
    assert it.page.frames[1].url == ""


def test_a_covered_control_is_refused(stage: Callable[..., Stage]) -> None:
    """What lies over it is named."""
    it = stage()
    it.show(PAGE + "<div aria-label='Cookies' style='position:fixed;inset:0;background:#0008'></div>")
    with refused('over the control that the step names lies div "Cookies"'):
        it.take(it.go)


def test_a_control_out_of_the_picture_is_refused(stage: Callable[..., Stage]) -> None:
    """The part of the page that is shown must hold it wholly."""
    it = stage(image=ImageLook(region=(0, 0, 600, 100)))
    it.show()
    with refused("the control that the step names is not wholly in the part of the page that is shown"):
        it.take(it.go)


def test_a_secret_that_cannot_be_covered_is_refused(stage: Callable[..., Stage]) -> None:
    """Such as one that only a style sheet writes; one in a text is covered."""
    it = stage()
    it.show(PAGE + f"<style>p::after {{ content: '{TOKEN}' }}</style>")
    with refused("the page says machine token where it cannot be covered"):
        it.take()
    it.show(PAGE + f"<p>{TOKEN}</p>")
    (picture,) = it.take()
    assert has(picture, COVER)


def test_a_secret_that_is_chosen_in_a_list_is_covered(stage: Callable[..., Stage]) -> None:
    """A list shows what is chosen; one that a style sheet writes is refused though another one could be covered."""
    it = stage()
    it.show(f"<select style='width:300px;height:40px;margin:40px'><option selected>{TOKEN}</option></select>")
    (picture,) = it.take()
    assert picture.getpixel((60, 60)) == COVER
    it.show(PAGE + f"<p>{TOKEN}</p><style>h1::after {{ content: '{TOKEN}' }}</style>")
    with refused("the page says machine token where it cannot be covered"):
        it.take()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("<img src='data:image/png;base64,AAAA' style='width:40px;height:40px'>", "a picture did not come"),
        ("<div class='card-skeleton' style='height:30px'></div>", "card-skeleton"),
        ("<div role=progressbar style='height:30px'></div>", "something is under way"),
    ],
    ids=["picture", "placeholder", "progress"],
)
def test_what_only_looks_like_a_page_is_refused(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch, body: str, why: str
) -> None:
    """Also where nothing moves, as our browser asks pages for."""
    monkeypatch.setattr("runner.studio.SETTLE", 0.5)
    it = stage()
    it.show(PAGE + body)
    with refused(f"the page is not complete: {why}"):
        it.take()


def test_a_bar_at_the_windows_edge_is_scrolled_away_from(stage: Callable[..., Stage]) -> None:
    """As a reader would; www. and a usual port make no other site."""
    it = stage(image=ImageLook(at="TOY_SITE"))
    it.studio.settings = SETTINGS | {"TOY_SITE": "https://www.toy.example:443"}
    bar = "<div style='position:fixed;inset:auto 0 0 0;height:120px;background:white'>Help</div>"
    it.show(f"<div style='height:700px'></div><button>Go on</button><div style='height:700px'></div>{bar}")
    it.take(it.go)


def test_an_error_in_a_new_tab_is_refused(stage: Callable[..., Stage]) -> None:
    """A tab that a page has opened."""
    it = stage()
    it.context.route("https://toy.example/new", lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>"))
    it.show(PAGE + "<a href='https://toy.example/new' target=_blank>New</a>")
    it.page.unroute_all()
    with it.context.expect_page() as opened:
        it.page.get_by_role("link", name="New").click()
    it.page = opened.value
    it.page.wait_for_load_state()
    with refused("the page is an error: HTTP 502"):
        it.take()


def test_an_element_that_is_not_there_or_too_large_is_refused(stage: Callable[..., Stage]) -> None:
    """It is said how many there are."""
    it = stage(image=ImageLook(element="role=dialog"))
    it.show()
    with refused("0 elements on the page are role=dialog"):
        it.take()
    it.show("<div role=dialog style='height: 900px'>Long</div>")
    with refused("role=dialog is not wholly in view"):
        it.take()


# -- texts that become others -------------------------------------------------------------------------------------------


def test_real_names_become_the_examples_and_the_page_stays(stage: Callable[..., Stage]) -> None:
    """In texts and in fields; by setting, fact, text and pattern; nothing tells the page."""
    replace = Replacements(
        settings={"TOY_EMAIL": "you@example.com"},
        facts={"name": "example-name"},
        texts={"Made": "Built"},
        patterns={r"\d+ days ago": "3 days ago"},
    )
    it = stage(replace=replace)
    it.show(
        PAGE + "<textarea aria-label=Note placeholder='real-name'></textarea><script>"
        "let events = 0; for (const name of ['input', 'change']) addEventListener(name, () => events++, true)</script>"
    )
    before = it.page.content()
    plain = it.page.locator("body").aria_snapshot()
    it.take()
    tree = it.studio.taken["one.png"].tree
    assert "Welcome, you@example.com" in tree
    assert 'textbox "Mail": you@example.com' in tree
    assert "Built" in tree
    assert "3 days ago" in tree
    assert "example-name" in tree
    assert "real" not in tree
    assert it.page.content().replace(' style=""', "") == before  # which Playwright's own screenshots leave
    assert it.page.locator("body").aria_snapshot() == plain
    assert it.page.get_by_label("Mail").input_value() == "real.person@example.org"
    assert it.page.evaluate("events") == 0


def test_a_name_that_cannot_be_replaced_is_refused(stage: Callable[..., Stage]) -> None:
    """One that is split among elements would stay readable."""
    it = stage(replace=Replacements(settings={"TOY_EMAIL": "you@example.com"}))
    it.show("<h1><b>real.person</b>@example.org</h1>")
    with refused('"real.person@example.org" could not be replaced by "you@example.com" everywhere'):
        it.take()


def test_the_image_shows_what_was_put_in(stage: Callable[..., Stage]) -> None:
    """The same picture as of a page that says so itself."""
    it = stage(replace=Replacements(settings={"TOY_EMAIL": "you@example.com"}))
    it.show()
    (replaced,) = it.take()
    other = stage()
    other.show(PAGE.replace("real.person@example.org", "you@example.com"))
    (said,) = other.take()
    assert replaced.tobytes() == said.tobytes()


def test_elements_are_covered(stage: Callable[..., Stage]) -> None:
    """On this image, such as an avatar; where it is not found the image is refused, unless it is covered on all images."""
    it = stage(image=ImageLook(cover=("role=heading",)))
    it.show()
    (picture,) = it.take()
    assert picture.getpixel((60, 60)) == COVER
    it.show("<p>No heading</p>")
    with refused("nothing on the page is role=heading, which is to be covered"):
        it.take()
    on_all = stage(cover=("role=heading",))
    on_all.show("<p>No heading</p>")
    on_all.take()


KEEPS = """<input aria-label=Mail value='real.person@example.org'><script>
    const field = document.querySelector('input');
    setInterval(() => { field.value = 'real.person@example.org' }, 5)
</script>"""
SHADOW = (
    "<div id=host></div><script>host.attachShadow({mode: 'open'}).innerHTML = '<b>real.person</b>@example.org'</script>"
)
WRITES = "<div contenteditable>Dear real.person@example.org</div>"


@pytest.mark.parametrize("body", [KEEPS, SHADOW, WRITES], ids=["put back by the page", "split in a shadow", "written"])
def test_a_real_name_that_stays_is_refused(stage: Callable[..., Stage], body: str) -> None:
    """Whatever the page does with its texts; what somebody is writing is not touched."""
    it = stage(replace=Replacements(settings={"TOY_EMAIL": "you@example.com"}))
    it.show(body)
    with refused('"real.person@example.org" could not be replaced'):
        it.take()


def test_names_are_replaced_in_any_case_and_hosts_alone(stage: Callable[..., Stage]) -> None:
    """As identity providers and pages write them; a field for a number keeps its number."""
    it = stage(
        replace=Replacements(
            settings={"TOY_EMAIL": "you@example.com", "TOY_OTHER": "https://www.example.com"},
            patterns={"12345": "many"},
        )
    )
    it.show("<p>REAL.Person@example.org has other.example</p><input type=number aria-label=Count value=12345>")
    it.take()
    assert "you@example.com has www.example.com" in it.studio.taken["one.png"].tree
    assert it.page.get_by_label("Count").input_value() == "12345"


@pytest.mark.parametrize("token", ["-9QmXz3Rb7TkW", "9QmXz3Rb7TkW", "0x9a3b7c1d5e"])
def test_a_page_says_the_same_whatever_its_secret_is(stage: Callable[..., Stage], token: str) -> None:
    """A token is another one each time, and is quoted in the page's text by how it begins."""
    it = stage()
    it.secrets.add(Secret(token, "new token"))
    it.show(f"<input value={token} aria-label=Token><p>{token}</p>")
    it.take()
    assert it.studio.taken["one.png"].tree == '- textbox "Token": [new token]\n- paragraph: [new token]'


def test_the_whole_text_of_an_element_becomes_another(stage: Callable[..., Stage]) -> None:
    """Whatever it consists of; afterwards it is as before."""
    it = stage(replace=Replacements(elements={"h1": "Hello"}))
    it.show("<h1>Howdy, <b>Robin</b> <i>R.</i></h1>")
    it.take()
    assert it.studio.taken["one.png"].tree.startswith('- heading "Hello"')
    assert it.page.locator("h1").inner_html() == "Howdy, <b>Robin</b> <i>R.</i>"


# -- frames, marks, forms -----------------------------------------------------------------------------------------------


def test_an_element_is_shown_with_its_padding(stage: Callable[..., Stage]) -> None:
    """The picture is as large as both."""
    it = stage(image=ImageLook(element="role=button", padding=(5, 6, 7, 8), mark="none"))
    it.show()
    box = it.go.bounding_box()
    (picture,) = it.take(it.go)
    assert box
    assert picture.size == (round(box["width"] + 14), round(box["height"] + 12))


def test_a_region_is_shown(stage: Callable[..., Stage]) -> None:
    """In the look's scale."""
    it = stage(image=ImageLook(region=(10, 20, 300, 150)), scale=2)
    it.show()
    (picture,) = it.take()
    assert picture.size == (600, 300)


def test_empty_rows_at_the_end_are_cut_off(stage: Callable[..., Stage]) -> None:
    """Except for those that the look keeps; also beside a column that goes on."""
    it = stage(image=ImageLook(trim=20))
    it.show(PAGE + "<div style='position:fixed; inset: 0 560px 0 0; background: navy'></div>")
    button = it.go.bounding_box()
    (picture,) = it.take()
    assert button
    assert abs(picture.height - (button["y"] + button["height"] + 20)) < 2
    whole = stage(image=ImageLook(trim=None))
    whole.show()
    assert whole.take()[0].height == 400


@pytest.mark.parametrize("mark", ["outline", "number", "arrow", "none"])
def test_the_control_is_marked(stage: Callable[..., Stage], mark: Any) -> None:
    """Around it, not over it: what it says stays readable."""
    it = stage(image=ImageLook(mark=mark, number=7))
    it.show()
    box = it.go.bounding_box()
    (picture,) = it.take(it.go)
    assert has(picture, INK) == (mark != "none")
    plain = stage(image=ImageLook(mark="none"))
    plain.show()
    (bare,) = plain.take()
    assert box
    inside = tuple(
        round(edge) for edge in (box["x"] + 8, box["y"] + 6, box["x"] + box["width"] - 8, box["y"] + box["height"] - 6)
    )
    assert picture.crop(inside).tobytes() == bare.crop(inside).tobytes()


def test_two_tabs_are_shown_as_windows_with_arrows(stage: Callable[..., Stage]) -> None:
    """The one in front at its place; secrets are covered in both; an arrow leads to each field."""
    it = stage(image=ImageLook(viewport=(400, 260), window=(330, 60), trim=None))
    it.show("<main><h1>Form</h1><input aria-label=Name value=real-name><br><button>Go on</button></main>")
    behind = it.show(f"<main><h1>Values</h1><p>real-name</p><p>{TOKEN}</p></main>", it.context.new_page())
    name = it.page.get_by_label("Name")
    (picture,) = it.take(it.go, Carried(behind, [("real-name", name)]))
    assert picture.size == (330 + 400 + 36, 400 + 36)
    assert has(picture, COVER)
    assert has(picture, INK)
    assert it.page.viewport_size == {"width": 600, "height": 400}
    with refused("the tab behind does not show what is carried from it: elsewhere"):
        it.take(it.go, Carried(behind, [("elsewhere", name)]))
    name.evaluate("el => { el.style.position = 'absolute'; el.style.top = '2000px'; }")
    with refused(".* is not in the part of the page that is shown"):
        it.take(it.go, Carried(behind, [("real-name", name)]))


def test_in_another_size_of_window_there_is_no_room_for_two(stage: Callable[..., Stage]) -> None:
    """The image shows the one tab, and has the size that its name says."""
    it = stage([Variant(".300x500", {"viewport": (300, 500)})], image=ImageLook(viewport=(400, 260), trim=None))
    it.show("<main><input aria-label=Name value=real-name><br><button>Go on</button></main>")
    behind = it.show("<p>real-name</p>", it.context.new_page())
    (picture,) = it.take(it.go, Carried(behind, [("real-name", it.page.get_by_label("Name"))]))
    assert picture.size == (300, 500)


def test_other_forms_are_taken_in_the_same_run(stage: Callable[..., Stage]) -> None:
    """By their names; the tab is afterwards as it was."""
    variants = [Variant(), Variant(".dark", {"color_scheme": "dark"}), Variant(".300x500", {"viewport": (300, 500)})]
    it = stage(variants, image=ImageLook(trim=None))
    it.show(PAGE + "<style>@media (prefers-color-scheme: dark) { body { background: black } }</style>")
    light, dark, narrow = it.take(it.go)
    assert list(it.studio.taken) == ["one.png", "one.dark.png", "one.300x500.png"]
    assert light.getpixel((300, 390)) == (255, 255, 255)
    assert dark.getpixel((300, 390)) == (0, 0, 0)
    assert narrow.size == (300, 500)
    assert it.page.viewport_size == {"width": 600, "height": 400}
    assert it.page.evaluate("matchMedia('(prefers-color-scheme: light)').matches")


def test_pages_begin_at_the_looks_time(stage: Callable[..., Stage]) -> None:
    """From then on time goes by, and dates are dates."""
    from datetime import datetime  # noqa: PLC0415 - only here

    it = stage(clock=datetime(2024, 6, 3, 9, 30), timezone="Europe/Berlin")  # noqa: DTZ001 - the browser's zone counts
    it.show()
    said = it.page.evaluate("""async () => {
        const began = Date.now(); await new Promise(done => setTimeout(done, 30));
        return [new Date().toISOString().slice(0, 16), Date.now() > began, new Date() instanceof Date,
                new Date(0).getTime(), typeof Date(), Date.UTC(2000, 0)];
    }""")
    assert said == ["2024-06-03T07:30", True, True, 0, "string", 946684800000]
