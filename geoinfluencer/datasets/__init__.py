"""Datasets: one reader per file, its splits beside it; toy events and their generator."""

from geoinfluencer.datasets.catalog import CATALOG, resolve_dataset
from geoinfluencer.datasets.cityscapes import Cityscapes
from geoinfluencer.datasets.coco import Coco
from geoinfluencer.datasets.lines import Lines
from geoinfluencer.datasets.nuclei import Nuclei
from geoinfluencer.datasets.points import Points
from geoinfluencer.datasets.s3dis import S3DIS
from geoinfluencer.datasets.scannet import ScanNet
from geoinfluencer.datasets.shapes import Shapes
from geoinfluencer.datasets.stpls3d import STPLS3D
from geoinfluencer.datasets.synthetic_charts import SyntheticCharts
from geoinfluencer.datasets.synthetic_rooms import SyntheticRooms
from geoinfluencer.datasets.toy_tracks import ToyTracks
from geoinfluencer.datasets.trackml import TrackML

__all__ = [
    "CATALOG",
    "S3DIS",
    "STPLS3D",
    "Cityscapes",
    "Coco",
    "Lines",
    "Nuclei",
    "Points",
    "ScanNet",
    "Shapes",
    "SyntheticCharts",
    "SyntheticRooms",
    "ToyTracks",
    "TrackML",
    "resolve_dataset",
]
