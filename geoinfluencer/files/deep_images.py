"""Colours of 16 bits, which Pillow reads as 8."""

from __future__ import annotations

import sys
from typing import Any

_SWAPPED = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}
_READ = ("RGB", "RGBA", "RGBX")


def low_byte_tiles(file: Any) -> list[Any] | None:
    """The ``tile`` that makes Pillow read the lower bytes of an image of 16 bits per colour, whose
    upper bytes are all that it reads otherwise: the file's own in the other byte order.

    Args:
        file: An open image that is not loaded yet.

    Returns:
        None: it has 8 bits, or is grey, of which Pillow reads 16.

    Raises:
        ValueError: It has 16 bits in a form whose lower bytes cannot be had.
    """
    if file.mode.startswith("I"):
        return None
    tiles = []
    for tile in file.tile:
        options = tile[3]
        several = isinstance(options, tuple) and len(options) > 0
        raw = options[0] if several else options
        name, _, depth = raw.partition(";") if isinstance(raw, str) else ("", "", "")
        if depth not in ("16L", "16B", "16N"):  # BGR;16 has 16 bits per pixel
            return None
        if name not in _READ:
            raise ValueError(f"its channels have 16 bits as {raw}")
        raw = f"{name};16{_SWAPPED[depth[2:]]}"
        options = (raw, *options[1:]) if several else raw
        # Pillow below 11 has plain tuples
        made = tile._replace(args=options) if hasattr(tile, "_replace") else (*tile[:3], options)
        tiles.append(made)
    return tiles or None
