#!/usr/bin/env python3
"""Makes the pictures of the examples: flat landscapes and marks, as small indexed PNG files.

    python3 images.py        (needs nothing but Python)

The same input gives the same bytes, so running it again changes nothing.
"""
import math
import struct
import zlib
from pathlib import Path

SITES = {
    "company": ((14, 74, 110), (250, 204, 21), ["hero", "workshop", "solar", "charging", "team", "office"]),
    "landing": ((91, 33, 182), (251, 146, 60), ["hero", "screen", "runner", "cyclist"]),
    "saas": ((15, 98, 254), (52, 211, 153), ["hero", "dashboard", "reports", "team"]),
    "ecommerce": ((120, 53, 15), (251, 191, 36), ["hero", "honey", "candle", "soap", "box", "bees"]),
    "content": ((15, 118, 110), (253, 186, 116), ["hero", "harbour", "lighthouse", "boat", "market"]),
}


def mix(a, b, share):
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b))


def png(width, height, palette, pixel):
    rows = b"".join(b"\0" + bytes(pixel(x, y) for x in range(width)) for y in range(height))
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    colours = b"".join(bytes(colour) for colour in palette)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"PLTE", colours)
            + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def landscape(main, accent, seed, width=1200, height=800):
    """A sky of bands, a sun, and rows of hills; `seed` decides where they lie."""
    white = (255, 255, 255)
    sky = [mix(mix(main, white, 0.55), white, band / 24) for band in range(24)]
    hills = [mix(main, white, 0.35 - 0.12 * layer) for layer in range(3)] + [mix(main, (0, 0, 0), 0.35)]
    palette = sky + [accent, mix(accent, white, 0.5)] + hills
    sun = (width * (0.25 + 0.11 * (seed * 3 % 5)), height * (0.28 + 0.05 * (seed % 3)), height * 0.11)
    tops = []
    for layer in range(4):
        base, swing = height * (0.52 + 0.12 * layer), height * (0.09 - 0.012 * layer)
        phase, pace = seed * 1.7 + layer * 2.1, 2.2 + layer * 0.9 + seed % 3 * 0.4
        tops.append([base + swing * math.sin(phase + x / width * pace * math.pi)
                     + swing * 0.4 * math.sin(phase * 2 + x / width * pace * 2.7 * math.pi) for x in range(width)])
    def pixel(x, y):
        for layer in (3, 2, 1, 0):
            if y >= tops[layer][x]:
                return 26 + layer
        distance = math.hypot(x - sun[0], y - sun[1])
        if distance < sun[2]:
            return 24
        if distance < sun[2] * 1.25:
            return 25
        return min(23, int(y / height * 34))
    return png(width, height, palette, pixel)


def mark(main, accent, width, height):
    """Two overlapping discs on white: a logo without letters."""
    white = (255, 255, 255)
    palette = [white, main, accent, mix(main, accent, 0.5)]
    radius = height * 0.36
    a, b = (width / 2 - radius * 0.45, height / 2), (width / 2 + radius * 0.45, height / 2)
    def pixel(x, y):
        in_a = math.hypot(x - a[0], y - a[1]) < radius
        in_b = math.hypot(x - b[0], y - b[1]) < radius
        return 3 if in_a and in_b else 1 if in_a else 2 if in_b else 0
    return png(width, height, palette, pixel)


def main():
    here = Path(__file__).parent
    for site, (main_colour, accent, names) in SITES.items():
        folder = here / site / "images"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "logo.png").write_bytes(mark(main_colour, accent, 240, 160))
        (folder / "icon.png").write_bytes(mark(main_colour, accent, 512, 512))
        for seed, name in enumerate(names):
            (folder / f"{name}.png").write_bytes(landscape(main_colour, accent, seed))


main()
