"""Screenshots show a settled page with its secrets covered and the control outlined, and leave the page alone."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import pytest

from runner.controls import Stuck
from runner.drawing import INK
from runner.screenshots import photograph, prepare
from runner.secrets import Secret, Secrets
from runner.visible import COVER, covers

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser

TOKEN = "Zq3-token_that_must_not_be_seen_0123456789abc"


@pytest.fixture
def secrets() -> Secrets:
    """A registry with a token."""
    known = Secrets()
    known.add(Secret(TOKEN, "machine token"))
    return known


PLACES = {
    "text": f"<p id=s style='display:inline-block'>{TOKEN}</p>",
    "field": f"<input id=s size=50 value='{TOKEN}'>",
    "text area": f"<textarea id=s cols=60>{TOKEN}</textarea>",
    "a field for each character": "<div id=s style='display:inline-block;line-height:0'>"
    + "".join(f"<input size=1 style='margin:0;width:20px;border-radius:0' value='{one}'>" for one in TOKEN[:45])
    + "</div>",
    "a field for each group": "<div id=s style='display:inline-block;line-height:0'>"
    + "".join(
        f"<input size=4 style='margin:0;width:50px;border-radius:0' value='{TOKEN[at : at + 4]}'>"
        for at in range(0, len(TOKEN), 4)
    )
    + "</div>",
    "with invisible signs": "<p id=s style='display:inline-block'>"
    + "&shy;".join((TOKEN[:9], "&#8203;".join((TOKEN[9:20], TOKEN[20:]))))
    + "</p>",
    "split among elements": f"<p id=s style='display:inline-block'><b>{TOKEN[:9]}</b><i>{TOKEN[9:20]}</i>{TOKEN[20:]}</p>",
    "placeholder": f"<input id=s size=50 placeholder='{TOKEN}'>",
    "words of an image that is not there": f"<img id=s src='data:,' alt='{TOKEN}' style='display:inline-block;width:500px;height:40px'>",
    "behind glass": f"<p id=s style='display:inline-block;opacity:.5'>{TOKEN}</p>",
}


@pytest.mark.parametrize("html", PLACES.values(), ids=PLACES.keys())
def test_a_secret_is_covered_wherever_it_is_visible(page: Page, secrets: Secrets, html: str) -> None:
    """Every pixel of it, in texts and in fields; the words beside it stay."""
    page.set_content(f"<body style='margin:40px'><h1>Token</h1>{html}")
    box = page.locator("#s").bounding_box()
    assert box is not None
    shot = photograph(page, secrets).picture()
    inside = shot.crop(
        (round(box["x"]), round(box["y"]) + 2, round(box["x"] + box["width"]), round(box["y"] + box["height"]) - 2)
    )
    width, height = inside.size
    assert {inside.getpixel((x, y)) for x in range(2, width - 2) for y in range(2, height - 2)} == {COVER}
    assert len(shot.crop((40, 40, 200, 90)).getcolors(100000) or []) > 2


def test_only_the_secret_is_covered(page: Page, secrets: Secrets) -> None:
    """In the middle of a sentence the rest of it stays readable."""
    page.set_content(f"<body style='font:16px monospace'><p>before {TOKEN} after")
    (cover,) = covers(page, secrets)
    whole = page.evaluate(
        "() => { const r = document.createRange(); r.selectNodeContents(document.querySelector('p')); return r.getBoundingClientRect().width; }"
    )
    assert cover.width == pytest.approx(whole * len(TOKEN) / len(f"before {TOKEN} after"), rel=0.05)


@pytest.mark.parametrize(
    "script",
    [
        "Array.prototype.toJSON = function () { return '[' + this.length + ']'; }",
        "String.prototype.toJSON = function () { return 'x'; }",
        "",
    ],
)
def test_a_secret_behind_an_emoji_is_covered_to_its_end(page: Page, secrets: Secrets, script: str) -> None:
    """JavaScript counts such a character twice; nor does it matter what the page makes of its own JSON."""
    page.set_content(
        f"<script>{script}</script><body style='margin:40px'><p><span>\U0001f3fa\U0001f3fa</span></p><p id=s>"
    )
    page.evaluate("text => { s.append(text); s.normalize(); }", f"\U0001f3fa\U0001f3fa{TOKEN}")
    (cover,) = covers(page, secrets)
    end = page.evaluate(
        "() => { const r = document.createRange(); r.selectNodeContents(s); return r.getBoundingClientRect().right; }"
    )
    assert cover.x + cover.width == pytest.approx(end, abs=0.5)


def test_a_secret_in_a_frame_and_in_a_shadow_tree_is_covered(page: Page, secrets: Secrets) -> None:
    """Frames are looked at one by one, shadow trees are walked through."""
    page.set_content(
        f"<div id=h></div><iframe style='border:7px solid;margin:20px;padding:3px' srcdoc='<body style=margin:0>{TOKEN}'></iframe>"
        f"<script>h.attachShadow({{mode: 'open'}}).innerHTML = '<p>{TOKEN}</p>'</script>"
    )
    page.frames[1].locator("body").wait_for()
    frame = page.locator("iframe").bounding_box()
    assert frame is not None
    shadow, framed, *_ = covers(page, secrets)  # the frame is narrow, so that the token is broken into lines
    assert shadow.y < frame["y"]
    assert framed.x == pytest.approx(frame["x"] + 10, abs=1)
    assert framed.y == pytest.approx(frame["y"] + 10, abs=3)


def test_a_page_without_the_secret_is_not_covered(page: Page, secrets: Secrets) -> None:
    """Nothing is covered by chance."""
    page.set_content(f"<p>{TOKEN[:11]}</p><input value='{TOKEN[-11:]}'>")
    assert covers(page, secrets) == []


def test_an_image_that_is_there_is_not_covered(page: Page, secrets: Secrets) -> None:
    """Its words are not seen then."""
    pixel = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
    page.set_content(f"<img src='{pixel}' alt='{TOKEN}' width=90 height=90>")
    assert covers(page, secrets) == []


def test_fields_that_hold_other_groups_are_not_covered(page: Page, secrets: Secrets) -> None:
    """A date in three fields is no secret; nor are eleven characters of one."""
    secrets.add(Secret("120524", "one-time code"))
    page.set_content("".join(f"<input value='{text}'>" for text in ("12", "05", "2024", "", *TOKEN[:11])))
    assert covers(page, secrets) == []


def test_a_secret_that_keeps_moving_is_never_photographed(page: Page, secrets: Secrets) -> None:
    """Rather no picture than one with the secret beside its cover."""
    page.set_content(
        f"<p id=s style='position:absolute'>{TOKEN}</p>"
        "<script>let n = 0; setInterval(() => { s.style.left = (n++ % 300) + 'px'; }, 5)</script>"
    )
    with pytest.raises(Stuck, match="never stood still"):
        photograph(page, secrets)


def test_the_control_is_outlined_and_the_page_left_alone(page: Page, secrets: Secrets) -> None:
    """The outline is on the picture, a few pixels outside the control, and no element was added."""
    page.set_content("<div style='height:2000px'></div><button style='margin:50px'>Go</button>")
    before = page.content()
    button = page.get_by_role("button")
    shot = photograph(page, secrets, button).picture()
    box = button.bounding_box()
    assert box is not None
    middle = round(box["x"] + box["width"] / 2)
    above = {shot.getpixel((middle, round(box["y"]) - offset)) for offset in range(1, 8)}
    assert INK in above
    assert page.content() == before
    assert page.evaluate("() => scrollY") > 0


TALL = "<div style='height:{}px'></div>"
BUTTON = "<button style='height:40px;width:100px'>Go</button>"
BOX = "<div style='height:200px;overflow:{}'>"

IN_SHADOW = (
    "<x-box style='display:block;height:200px;overflow:auto'></x-box>"
    "<script>document.querySelector('x-box').attachShadow({mode: 'open'})"
    f".innerHTML = `{TALL.format(400) + BUTTON}`</script>"
)

SLIDE_SCRIPT = """<script>
    const begun = performance.now();
    const slide = now => {
        const left = Math.max(0, 1500 - (now - begun));
        document.querySelector('div').style.translate = `${left / 5}px`;
        if (left) requestAnimationFrame(slide);
    };
    requestAnimationFrame(slide);
</script>"""

WHOLE_JS = (
    """el => new Promise(done => new IntersectionObserver(([seen]) => done(seen.intersectionRatio)).observe(el))"""
)


@pytest.mark.parametrize(
    "html",
    [
        TALL.format(2000) + BUTTON,
        "<body style='margin:0'>" + TALL.format(700) + BUTTON + TALL.format(900),
        BOX.format("auto") + TALL.format(180) + BUTTON + TALL.format(400) + "</div>",
        BOX.format("hidden") + TALL.format(400) + BUTTON + "</div>",
        IN_SHADOW,
        f'{TALL.format(2000)}<iframe srcdoc="{BUTTON}"></iframe>',
    ],
    ids=["below", "half below", "half scrolled away", "hidden in a box", "in a shadow tree", "in a frame"],
)
def test_a_control_that_is_not_wholly_in_view_is_scrolled_there(page: Page, secrets: Secrets, html: str) -> None:
    """However it is hidden: below the window's edge, in a box, or in a frame."""
    page.set_content(html)
    button = page.frames[-1].get_by_role("button")
    assert button.evaluate(WHOLE_JS) < 1
    photograph(page, secrets, button)
    assert button.evaluate(WHOLE_JS) == 1


def test_a_control_that_is_made_anew_is_the_one_that_stands_there_then(page: Page, secrets: Secrets) -> None:
    """A page may draw itself anew with what comes late, just when its picture is to be taken."""
    page.set_content(
        f"<div>{BUTTON}</div><script>const box = document.querySelector('div'), end = performance.now() + 1500;"
        "(function anew() { box.innerHTML += ''; if (performance.now() < end) requestAnimationFrame(anew); })()</script>"
    )
    assert photograph(page, secrets, page.get_by_role("button")).drawing.outlined


@pytest.mark.parametrize(
    "slide",
    [
        "<style>div { animation: slide 3s } @keyframes slide { from { transform: translateX(400px) } }</style>",
        SLIDE_SCRIPT,
    ],
    ids=["by its style", "by a script"],
)
def test_a_control_that_slides_in_is_photographed_at_rest(page: Page, secrets: Secrets, slide: str) -> None:
    """A panel may come from the window's edge and take its time for it."""
    page.set_content(f"<div>{BUTTON}</div>{slide}")
    shot = photograph(page, secrets, page.get_by_role("button"))
    assert shot.drawing.outlined
    assert shot.drawing.outlined.x == 8
    assert page.get_by_role("button").evaluate("el => el.getBoundingClientRect().x") == 8


def test_the_place_that_was_searched_is_in_a_dashed_box(page: Page, secrets: Secrets) -> None:
    """Around all that is visible of it, dash and gap in turn, below the covers, and as far as it is on the picture."""
    page.set_content(
        "<body style='margin:0'><div style='height:1500px'></div><p style='margin:0 300px;height:100px;background:#000'></p>"
        f"<b style='position:absolute;left:296px;top:1500px'>{TOKEN}</b><p hidden>x</p><div style='height:900px'></div>"
    )
    shot = photograph(page, secrets, searched=page.locator("p")).picture()
    box = page.locator("p").first.bounding_box()
    assert box is not None
    below = round(box["y"] + box["height"]) + 2
    along = [shot.getpixel((x, below)) for x in range(300, 980)]
    assert {INK, (255, 255, 255)} <= set(along)
    assert 0.4 < along.count(INK) / len(along) < 0.6
    cover = covers(page, secrets)[0]
    assert {shot.getpixel((x, round(cover.y + 8))) for x in range(296, 310)} == {COVER}
    assert shot.size == photograph(page, secrets, searched=page.locator("body")).picture().size
    plain, nowhere = photograph(page, secrets), photograph(page, secrets, searched=page.locator("[hidden], em"))
    assert nowhere.drawing == plain.drawing
    assert nowhere.picture().tobytes() == plain.picture().tobytes()


def test_a_page_that_still_loads_is_waited_for(page: Page, secrets: Secrets) -> None:
    """A spinner is never on a picture."""
    page.set_content(
        "<style>@keyframes t{to{rotate:360deg}}.spinner{width:40px;height:40px;background:red;animation:t 1s infinite}</style>"
        "<div class=spinner></div><script>setTimeout(() => document.querySelector('.spinner').remove(), 600)</script>"
    )
    colours = photograph(page, secrets).picture().getcolors(100000) or []
    assert (255, 0, 0) not in {colour for _, colour in colours}


NEVER_LOADED = {
    "an area that is busy": ("<main aria-busy=true aria-label='Your sites'>…</main>", "Your sites"),
    "an image of a host that does not answer": ("<p>Words</p><img src=/hangs.png width=40 height=40>", "an image"),
}


@pytest.mark.parametrize(("html", "loading"), NEVER_LOADED.values(), ids=NEVER_LOADED.keys())
def test_a_page_that_does_not_stop_loading_is_photographed_as_it_is(
    page: Page, secrets: Secrets, monkeypatch: pytest.MonkeyPatch, html: str, loading: str
) -> None:
    """A reader goes on there; a picture that is to be published is another thing."""
    monkeypatch.setattr("runner.screenshots.SETTLE", 0.5)
    show(page, html)
    assert photograph(page, secrets).loading == loading
    with pytest.raises(Stuck, match=rf"still loading \({loading}\), so no screenshot was taken"):
        prepare(page)


def show(page: Page, html: str) -> None:
    """Open a page; its frame comes after ten seconds, and no picture ever does."""

    def answer(route: Route) -> None:
        if route.request.url.endswith("/frame"):
            page.evaluate("() => new Promise(done => setTimeout(done, 10000))")
            route.fulfill(content_type="text/html", body="<p>Inner</p>")
        elif route.request.is_navigation_request():
            route.fulfill(content_type="text/html", body=html)

    page.route("**/*", answer)
    page.goto("https://dashboard.example/", wait_until="domcontentloaded")


EMPTY_FRAMES = {
    "that has not answered": "<iframe src=/frame></iframe>",
    "that is loaded when it comes into view": "<div style='height: 5000px'></div><iframe loading=lazy src=/frame></iframe>"
    "<script>setTimeout(() => { document.querySelector('iframe').loading = 'eager'; }, 10000)</script>",
}


@pytest.mark.parametrize("html", EMPTY_FRAMES.values(), ids=EMPTY_FRAMES.keys())
def test_a_frame_that_shows_nothing_yet_is_not_waited_for(page: Page, secrets: Secrets, html: str) -> None:
    """Such as a video of a host that this machine may not reach: what runs in a page has no limit of its own."""
    show(page, f"<p>{TOKEN}</p>{html}")
    taken = photograph(page, secrets)
    assert page.frames[1].url == ""
    assert len(taken.capture.covered) == 1
    page.unroute_all(behavior="ignoreErrors")


WRITTEN = "javascript:\"<p style='display: inline-block'>{}</p>\""


def test_a_frame_without_an_address_may_show_a_secret(page: Page, secrets: Secrets) -> None:
    """What the page itself has written into it is looked at like everything else."""
    page.set_content(f'<iframe width=900 src="{escape(WRITTEN.format(TOKEN))}"></iframe>')
    page.frame_locator("iframe").get_by_text(TOKEN).wait_for()
    assert page.frames[1].url == ""
    assert len(photograph(page, secrets).capture.covered) == 1


def test_a_page_is_never_handed_a_secret(page: Page, secrets: Secrets) -> None:
    """Looking for secrets asks the page for its texts; a page of another site must not learn them that way."""
    page.set_content("<p>nothing</p>")
    page.evaluate(
        """() => { window.heard = []; for (const name of ['includes', 'indexOf', 'search', 'split']) {
            const real = String.prototype[name];
            String.prototype[name] = function (...all) { window.heard.push(String(all[0])); return real.apply(this, all); };
        } }"""
    )
    photograph(page, secrets)
    assert TOKEN not in str(page.evaluate("() => window.heard"))
