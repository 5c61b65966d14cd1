"""Displays of point sets without a geometry of their own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from geoinfluencer.plots.figures import Figure
from geoinfluencer.plots.panels import Projection, draw_panels

_AXES = ("x", "y", "z")


def point_figures(arrays: Mapping[str, np.ndarray], name: str) -> list[Figure]:
    """Truth, prediction and errors in the first two coordinates, and from the side in 3-D.

    Args:
        arrays: ``pos`` (N, d), ``predicted`` (N,), optional ``truth`` and ``ignore`` (N,).
        name: of the sample.
    """
    pos = arrays["pos"]
    if pos.shape[1] == 1:
        pos = np.concatenate([pos, np.zeros_like(pos)], axis=1)
    pairs = [(0, 1)] + ([(0, 2)] if pos.shape[1] >= 3 else [])
    figures = []
    for a, b in pairs:
        view = Projection(pos[:, a], pos[:, b], (_AXES[a], _AXES[b]), equal=True)
        png = draw_panels(
            view, arrays.get("truth"), arrays["predicted"], ignore=arrays.get("ignore")
        )
        key = f"{name or 'sample'}-{_AXES[a]}{_AXES[b]}".replace("/", "-")
        caption = (
            f"All {len(pos):,} nodes of {name or 'the sample'}, in the units of the data. A "
            "predicted instance has the colour of the true one that it mostly consists of."
        )
        figures.append(Figure(key, "Samples", f"Seen in {_AXES[a]}-{_AXES[b]}", caption, png))
    return figures
