"""Instance segmentation of graphs and point sets by influencer embeddings.

The names below are loaded when first used, so that ``import geoinfluencer`` stays quick:

* :class:`InfluencerLoss`, :class:`InfluencerConv`, :func:`condense`, :class:`Instances`: the parts
  for a model of your own;
* :func:`train`, :func:`evaluate`, :func:`predict`: what the commands do.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from geoinfluencer.condensation import Instances, condense
    from geoinfluencer.errors import InputError
    from geoinfluencer.losses import InfluencerLoss
    from geoinfluencer.nn import InfluencerConv
    from geoinfluencer.training import evaluate, predict, train

_HOMES = {
    "InfluencerConv": "geoinfluencer.nn",
    "InfluencerLoss": "geoinfluencer.losses",
    "InputError": "geoinfluencer.errors",
    "Instances": "geoinfluencer.condensation",
    "condense": "geoinfluencer.condensation",
    "evaluate": "geoinfluencer.training",
    "predict": "geoinfluencer.training",
    "train": "geoinfluencer.training",
}

__all__ = [
    "InfluencerConv",
    "InfluencerLoss",
    "InputError",
    "Instances",
    "__version__",
    "condense",
    "evaluate",
    "predict",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'geoinfluencer' has no attribute '{name}'")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
