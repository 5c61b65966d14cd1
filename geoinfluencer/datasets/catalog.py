"""The datasets by name, for the command line; a user's own by ``package.module:Class``."""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass

from torch_geometric.data import Dataset

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
from geoinfluencer.errors import InputError, suggest


@dataclass(frozen=True)
class Entry:
    """A dataset of the catalog.

    Attributes:
        cls: The dataset class.
        description: One line.
        needs_root: Whether files of the user's are needed (``--data-root``).
    """

    cls: type[Dataset]
    description: str
    needs_root: bool


CATALOG = {
    "toy-tracks": Entry(ToyTracks, "generated tracks in a solenoid, 2-D or 3-D; no files", False),
    "synthetic-rooms": Entry(
        SyntheticRooms, "generated furnished rooms, scanned, with S3DIS classes; no files", False
    ),
    "trackml": Entry(TrackML, "TrackML events from CSV or CSV.GZ; hits alone for prediction", True),
    "s3dis": Entry(S3DIS, "rooms of S3DIS: its text files, or of Pointcept or Mask3D", True),
    "scannet": Entry(ScanNet, "scans of ScanNet v2: mesh, segments and objects", True),
    "stpls3d": Entry(STPLS3D, "synthetic aerial scenes of STPLS3D in tiles of 50 m", True),
    "points": Entry(Points, "your own scans: PLY, NPZ, NPY, CSV, TXT with labels per point", True),
    "coco": Entry(Coco, "images with COCO-JSON annotations; images alone for prediction", True),
    "nuclei": Entry(Nuclei, "microscope images of nuclei, train.json and val.json", True),
    "shapes": Entry(
        Shapes, "generated images of overlapping textured shapes of five classes; no files", False
    ),
    "cityscapes": Entry(Cityscapes, "street scenes: leftImg8bit and gtFine instanceIds", True),
    "synthetic-charts": Entry(
        SyntheticCharts, "generated charts of crossing lines, axes and a legend; no files", False
    ),
    "lines": Entry(Lines, "charts with lines as polylines: ChartOCR, LineEX, UB-PMC", True),
}


def is_generated(cls: type) -> bool:
    """Whether this class of the catalog makes its samples up; a user's own class, one derived from
    it included, may well read files."""
    return any(entry.cls is cls and not entry.needs_root for entry in CATALOG.values())


def resolve_dataset(name: str) -> type[Dataset]:
    """Return the dataset class of a catalog name or of ``package.module:Class``.

    The current folder is searched for modules too, as ``python -m`` does.

    Raises:
        InputError: With a suggestion on an unknown name; naming the module or class that is not
            there; on a class that is not a ``torch_geometric.data.Dataset``.
    """
    if name in CATALOG:
        return CATALOG[name].cls
    module_name, colon, class_name = name.partition(":")
    if not colon:
        hint = suggest(name, CATALOG)
        raise InputError(f"dataset {name!r} is unknown; {hint} (your own: package.module:Class)")
    here = os.getcwd()
    added = here not in sys.path
    if added:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except (ImportError, ValueError) as error:
        raise InputError(
            f"dataset {name!r}: cannot import {module_name!r} ({error}); is it "
            "installed, or in the current folder?"
        ) from error
    finally:
        if added:
            sys.path.remove(here)
    found = getattr(module, class_name, None)
    if not (isinstance(found, type) and issubclass(found, Dataset)):
        members = vars(module).items()
        known = [k for k, v in members if isinstance(v, type) and issubclass(v, Dataset)]
        raise InputError(
            f"dataset {name!r}: {class_name!r} of {module_name} is not a "
            f"torch_geometric.data.Dataset; {suggest(class_name, known)}"
        )
    return found
