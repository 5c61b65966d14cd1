"""Datasets: one reader per file, its splits beside it; toy events and their generator."""

from geoinfluencer.datasets.catalog import CATALOG, resolve_dataset
from geoinfluencer.datasets.coco import Coco
from geoinfluencer.datasets.nuclei import Nuclei
from geoinfluencer.datasets.synthetic_rooms import SyntheticRooms
from geoinfluencer.datasets.toy_tracks import ToyTracks
from geoinfluencer.datasets.trackml import TrackML

__all__ = ["CATALOG", "Coco", "Nuclei", "SyntheticRooms", "ToyTracks", "TrackML", "resolve_dataset"]
