"""What makes the same page look otherwise on another machine, as a fingerprint that lies beside the images."""

from __future__ import annotations

import hashlib
import platform
from importlib import metadata
from typing import TYPE_CHECKING

from runner.drawing import STYLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Browser

    from runner.look import Look

FAMILIES = ("sans-serif", "serif", "monospace", "system-ui", "cursive")
"""Generic families of fonts; what they are differs among machines."""


def fingerprint(browser: Browser, look: Look) -> dict[str, str]:
    """What the look of images depends on besides the pages, as texts.

    Args:
        browser: The one that takes them.
        look: How they look.
    """
    return {
        "browser": f"{browser.browser_type.name} {browser.version}",
        "system": platform.system(),
        "scale": f"{look.scale:g}",
        "locale": look.locale,
        "timezone": look.timezone,
        "color scheme": look.color_scheme,
        "drawing": f"style {STYLE}, Pillow {metadata.version('pillow')}",
        "fonts and rendering": _sample(browser, look),
    }


def _sample(browser: Browser, look: Look) -> str:
    """A number that changes with the fonts, the smoothing and the flags of the browser: a page of samples, hashed."""
    words = "Sphinx of black quartz, judge my vow 0123456789 ÄÖß Жщ 漢字 نص ✓"
    samples = "".join(
        f'<p style="font: {weight} {size}px {family}">{words}</p>'
        for family in FAMILIES
        for weight, size in (("normal", 13), ("bold", 16))
    )
    controls = '<button>Save</button> <input value="text"> <select><option>one</select> <input type="checkbox" checked>'
    shape = (
        '<div style="width: 90px; height: 30px; border-radius: 9px; border: 1px solid; box-shadow: 0 2px 6px"></div>'
    )
    with browser.new_context(
        viewport={"width": 900, "height": 600}, device_scale_factor=look.scale, locale=look.locale
    ) as context:
        page = context.new_page()
        page.set_content(f"<!doctype html><title>sample</title>{samples}{controls}{shape}")
        return hashlib.sha256(page.screenshot(animations="disabled", caret="hide")).hexdigest()[:16]


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """In what two environments differ, in words."""
    return [
        f"{name} was {before.get(name, 'not noted')}, is {now.get(name, 'not noted')}"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]
