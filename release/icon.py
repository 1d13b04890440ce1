"""Draws `icon.png`: a coupon, torn along its dotted line, with one side for the person's yes.

python -m release.icon
"""

from __future__ import annotations

import struct
import zlib
from itertools import pairwise
from pathlib import Path

SIDE, FINER = 512, 2  # pixels, and samples of each pixel along one axis
INK, PAPER, MARK = (27, 38, 59), (250, 250, 247), (46, 160, 103)
_TICK = ((334, 262), (362, 290), (412, 226))


def colour(x: float, y: float) -> tuple[int, int, int, int]:
    """Return red, green, blue and opacity of one point."""
    if not _in_box(x, y, (16, 16, 496, 496), 96):
        return 0, 0, 0, 0
    notched = any((x - 292) ** 2 + (y - edge) ** 2 < 28**2 for edge in (144, 368))
    if notched or not _in_box(x, y, (72, 144, 440, 368), 32):
        return *INK, 255
    torn = abs(x - 292) < 4 and (y - 144) % 32 < 16
    ruled = 112 < x < 248 and any(abs(y - line) < 10 for line in (208, 256, 304))
    if torn or ruled:
        return *INK, 255
    ticked = any(_near(x, y, *ends) for ends in pairwise(_TICK))
    return *(MARK if ticked else PAPER), 255


def _in_box(x: float, y: float, box: tuple[int, int, int, int], radius: int) -> bool:
    left, top, right, bottom = box
    across = max(left + radius - x, x - right + radius, 0)
    down = max(top + radius - y, y - bottom + radius, 0)
    return across**2 + down**2 < radius**2


def _near(x: float, y: float, start: tuple[int, int], end: tuple[int, int]) -> bool:
    """Tell whether a point lies on a line 22 pixels wide, with round ends."""
    across, down = end[0] - start[0], end[1] - start[1]
    share = ((x - start[0]) * across + (y - start[1]) * down) / (across**2 + down**2)
    share = min(1.0, max(0.0, share))
    return (x - start[0] - share * across) ** 2 + (y - start[1] - share * down) ** 2 < 11**2


def pixel(column: int, row: int) -> bytes:
    """Return one pixel, the mean of its samples."""
    steps = [(step + 0.5) / FINER for step in range(FINER)]
    samples = [colour(column + across, row + down) for across in steps for down in steps]
    opacity = sum(sample[3] for sample in samples)
    weights = [sum(s[band] * s[3] for s in samples) // max(opacity, 1) for band in range(3)]
    return bytes((*weights, opacity // len(samples)))


def png() -> bytes:
    """Return the picture as a PNG file."""
    rows = (b"\0" + b"".join(pixel(x, y) for x in range(SIDE)) for y in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 6, 0, 0, 0)  # 8 bits, with an alpha channel
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


if __name__ == "__main__":
    Path(__file__).with_name("icon.png").write_bytes(png())
