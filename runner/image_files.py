"""Images as files: written quickly, and opened."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image, ImageChops


def encoded(picture: Image.Image) -> bytes:
    """The picture as a PNG, quickly; see `runner.regenerate.small` for making it small.

    Pillow tries five filters on each row. The one that leaves what differs from the row above makes files of screens
    about as small, in half the time.

    Raises:
        ValueError: It has no pixels.
    """
    if not all(picture.size):
        raise ValueError(f"a picture of {picture.width}x{picture.height} pixels cannot be written")
    picture = picture.convert("RGB")
    above = Image.new("RGB", picture.size)
    above.paste(picture, (0, 1))
    differing, length = ImageChops.subtract_modulo(picture, above).tobytes(), 3 * picture.width
    rows = b"".join(_UP + differing[start : start + length] for start in range(0, len(differing), length))
    header = struct.pack(">II5B", *picture.size, 8, _TRUE_COLOUR, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in chunks)


# PNG (ISO/IEC 15948), 5.2, 9.2 and 11.2.2
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_UP = b"\2"
_TRUE_COLOUR = 2


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def opened(image: bytes) -> Image.Image:
    """The pixels of an image in any format that Pillow reads, on white where it is transparent.

    Raises:
        OSError: It is none.
    """
    with Image.open(io.BytesIO(image)) as found:
        if not found.has_transparency_data:
            return found.convert("RGB")
        pixels = found.convert("RGBA")
        white = Image.new("RGBA", pixels.size, "white")
        return Image.alpha_composite(white, pixels).convert("RGB")
