"""Event displays of tracks in x-y and r-z: whole, a readable selection, a sector."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from geoinfluencer.plots.figures import Figure
from geoinfluencer.plots.panels import Projection, draw_panels

LARGE = 3000  # hits; above this a whole event is drawn as a selection and a sector
_SELECTED = 24  # window particles drawn in colour in a large event
_SECTOR = np.pi / 12  # width of the sector of a large event


def event_figures(arrays: Mapping[str, np.ndarray], name: str = "event") -> list[Figure]:
    """Displays of one event.

    Args:
        arrays: ``pos`` (N, 2|3) mm, ``predicted`` (N,), and where known ``truth`` (N,) with -1 =
            noise, ``ignore`` (N,), ``window`` (N,) True for hits of particles that are scored.
        name: of the event, for the captions.
    """
    pos = arrays["pos"]
    truth = arrays.get("truth")
    window = arrays.get("window")
    in_words = "particles that are scored" if window is not None and not window.all() else "tracks"
    views = {"xy": _xy(pos)} | ({"rz": _rz(pos)} if pos.shape[1] == 3 else {})
    selection, about = None, f"All {len(pos):,} hits of {name}."
    if len(pos) > LARGE:
        selection = _select(arrays["predicted"] if truth is None else truth, window)
        shown = _touching(selection, truth, arrays["predicted"])
        about = (
            f"{_SELECTED} of the {in_words} of {name} ({len(pos):,} hits), chosen at random, with "
            "every hit that is theirs in truth or in the prediction; the other hits are faint."
        )
    else:
        shown = None
    figures = [
        _figure(f"{name}-{key}", title, view, arrays, shown, about)
        for key, title, view in _titled(views)
    ]
    if len(pos) > LARGE:
        inside, view, words = _sector(pos)
        per_hit = {k: v for k, v in arrays.items() if v.ndim and len(v) == len(pos)}
        part = {key: values[inside] for key, values in per_hit.items()}
        title = f"A sector of the event: {words}"
        caption = f"Every hit of {name} in {words}. In colour: hits of {in_words}."
        figures.append(_figure(f"{name}-sector", title, view, part, part.get("window"), caption))
    return figures


def _titled(views: Mapping[str, Projection]) -> list[tuple[str, str, Projection]]:
    titles = {"xy": "Across the beam (x-y)", "rz": "Along the beam (r-z)"}
    return [(key, titles[key], view) for key, view in views.items()]


def _figure(
    key: str,
    title: str,
    view: Projection,
    arrays: Mapping[str, np.ndarray],
    shown: np.ndarray | None,
    caption: str,
) -> Figure:
    png = draw_panels(
        view, arrays.get("truth"), arrays["predicted"], ignore=arrays.get("ignore"), highlight=shown
    )
    caption += " A predicted track has the colour of the particle that most of its hits come from."
    return Figure(key.replace("/", "-"), "Events", title, caption, png)


def _xy(pos: np.ndarray) -> Projection:
    r = np.hypot(pos[:, 0], pos[:, 1])
    return Projection(pos[:, 0], pos[:, 1], ("x [mm]", "y [mm]"), equal=True, order=r)


def _rz(pos: np.ndarray) -> Projection:
    r = np.hypot(pos[:, 0], pos[:, 1])
    return Projection(pos[:, 2], r, ("z [mm]", "r [mm]"), order=np.hypot(r, pos[:, 2]))


def _select(instance: np.ndarray, window: np.ndarray | None) -> np.ndarray:
    """Instance numbers of a seeded random selection of long instances of the window."""
    good = instance >= 0 if window is None else window & (instance >= 0)
    ids, size = np.unique(instance[good], return_counts=True)
    ids = ids[size >= 5] if (size >= 5).any() else ids
    rng = np.random.default_rng(0)
    return rng.choice(ids, size=min(_SELECTED, len(ids)), replace=False)


def _touching(chosen: np.ndarray, truth: np.ndarray | None, predicted: np.ndarray) -> np.ndarray:
    """Hits (N,) of the chosen instances and of the predicted ones with most of their hits."""
    if truth is None:
        return np.isin(predicted, chosen)
    own = np.isin(truth, chosen)
    ids, count = np.unique(predicted[own & (predicted >= 0)], return_counts=True)
    total = np.bincount(predicted[predicted >= 0], minlength=int(predicted.max(initial=0)) + 1)
    theirs = ids[2 * count > total[ids]]
    return own | np.isin(predicted, theirs)


def _sector(pos: np.ndarray) -> tuple[np.ndarray, Projection, str]:
    """A phi sector, seen as r against phi: hard tracks stand upright."""
    r, phi = np.hypot(pos[:, 0], pos[:, 1]), np.arctan2(pos[:, 1], pos[:, 0])
    start = float(np.median(phi)) - 0.5 * _SECTOR  # where the hits are, also in half an event
    inside = (
        (phi >= start)
        & (phi < start + _SECTOR)
        & (np.abs(pos[:, 2]) < 500 if pos.shape[1] == 3 else True)
    )
    low, high = np.degrees([start, start + _SECTOR])
    words = f"phi from {low:.0f} to {high:.0f} degrees" + (
        ", |z| < 500 mm" if pos.shape[1] == 3 else ""
    )
    view = Projection(
        np.degrees(phi[inside]), r[inside], ("phi [degrees]", "r [mm]"), order=r[inside]
    )
    return inside, view, words
