"""Codes of the pixels of a true image: which are of objects or lines, which count nowhere."""

from __future__ import annotations

BACKGROUND, IGNORED, FIRST = 0, 1, 2  # object or line k is FIRST + k
