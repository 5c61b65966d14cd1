"""Datasets: one reader per file, its splits beside it; toy events and their generator."""

from geoinfluencer.datasets.catalog import CATALOG, resolve_dataset
from geoinfluencer.datasets.toy_tracks import ToyTracks
from geoinfluencer.datasets.trackml import TrackML

__all__ = ["CATALOG", "ToyTracks", "TrackML", "resolve_dataset"]
