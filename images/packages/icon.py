#!/usr/bin/env python3
"""Draws the icon: a speech mark with an open prompt, on the night of the dark theme.

usage: icon.py SIZE [--glyph] > icon.png

With --glyph it is drawn in white on nothing, as muOS colours its own.
"""
import struct
import sys
import zlib

NIGHT, ACCENT, INK = (0x10, 0x14, 0x18), (0x52, 0xD7, 0xC6), (0x08, 0x20, 0x21)


def rounded(x, y, left, top, right, bottom, radius):
    """Whether a point lies in a rectangle with round corners; everything in hundredths of the icon."""
    dx = max(left + radius - x, x - (right - radius), 0)
    dy = max(top + radius - y, y - (bottom - radius), 0)
    return left <= x <= right and top <= y <= bottom and dx * dx + dy * dy <= radius * radius


def stroke(x, y, ax, ay, bx, by, half):
    """Whether a point lies within `half` of a line from a to b."""
    length = (bx - ax) ** 2 + (by - ay) ** 2
    along = min(max(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length, 0), 1)
    return (x - ax - along * (bx - ax)) ** 2 + (y - ay - along * (by - ay)) ** 2 <= half * half


def bubble(x, y):
    tail = 28 <= x <= 44 and 66 <= y <= 84 and y - 66 <= (44 - x) * 1.15
    return rounded(x, y, 16, 20, 84, 70, 13) or tail


def prompt(x, y):
    arrow = stroke(x, y, 34, 34, 46, 45, 3.6) or stroke(x, y, 46, 45, 34, 56, 3.6)
    return arrow or stroke(x, y, 53, 56, 67, 56, 3.6)


def colour(x, y, glyph):
    """Red, green, blue and how much of them there is."""
    if glyph:
        return (255, 255, 255, bubble(x, y) and not prompt(x, y))
    if not rounded(x, y, 0, 0, 100, 100, 21):
        return (*NIGHT, False)
    if bubble(x, y):
        return (*(INK if prompt(x, y) else ACCENT), True)
    return (*NIGHT, True)


def picture(size, glyph):
    steps = 4  # samples a side of each pixel
    rows = bytearray()
    for row in range(size):
        rows.append(0)
        for column in range(size):
            total, cover = [0, 0, 0], 0
            for sample in range(steps * steps):
                x = (column + (sample % steps + 0.5) / steps) * 100 / size
                y = (row + (sample // steps + 0.5) / steps) * 100 / size
                *rgb, there = colour(x, y, glyph)
                if there:
                    cover += 1
                    total = [t + c for t, c in zip(total, rgb)]
            rows += bytes(t // cover if cover else 0 for t in total)
            rows.append(cover * 255 // (steps * steps))
    return bytes(rows)


def png(size, glyph):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(picture(size, glyph), 9)) + chunk(b"IEND", b"")


if __name__ == "__main__":
    sys.stdout.buffer.write(png(int(sys.argv[1]), "--glyph" in sys.argv[2:]))
