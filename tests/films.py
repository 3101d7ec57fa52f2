"""Reads what a camera has taken, without the code that took it: pictures of a trace, frames of a video."""

from __future__ import annotations

import base64
import io
import zipfile
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

_FRAMES_JS = """async ([data, step]) => {
    const video = document.createElement('video');
    video.muted = true;
    video.src = 'data:video/webm;base64,' + data;
    await new Promise((done, fail) => { video.onloadeddata = done; video.onerror = () => fail(video.error.message); });
    // What is recorded piece by piece does not say how long it is: going beyond its end tells.
    video.currentTime = 1e6;
    await new Promise(done => video.onseeked = done);
    const end = video.currentTime, canvas = document.createElement('canvas'), frames = [];
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    for (let at = 0; at <= end; at += step) {
        video.currentTime = at;
        await new Promise(done => video.onseeked = done);
        canvas.getContext('2d').drawImage(video, 0, 0);
        frames.push(canvas.toDataURL('image/png').split(',')[1]);
    }
    return frames;
}"""


def pictures_of_trace(trace: Path) -> list[Image.Image]:
    """The pictures of tabs in a trace, in the order of their names."""
    with zipfile.ZipFile(trace) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith("screencast/"))
        return [Image.open(io.BytesIO(archive.read(name))).convert("RGB") for name in names]


def frames_of_video(browser: Browser, video: Path, *, every: float = 0.1) -> list[Image.Image]:
    """The frames of a video, one for each `every` seconds, as the browser plays them."""
    page = browser.new_page()
    frames = page.evaluate(_FRAMES_JS, [base64.b64encode(video.read_bytes()).decode(), every])
    page.close()
    return [Image.open(io.BytesIO(base64.b64decode(frame))).convert("RGB") for frame in frames]


def share_of(picture: Image.Image, colour: tuple[int, int, int], *, within: int = 40) -> float:
    """Which share of a picture's pixels has this colour, give or take `within` of each of its parts."""
    near = 0
    for count, seen in picture.getcolors(picture.width * picture.height) or []:
        if isinstance(seen, tuple) and all(abs(a - b) <= within for a, b in zip(seen, colour, strict=True)):
            near += count
    return near / (picture.width * picture.height)
