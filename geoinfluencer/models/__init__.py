"""Assembled models: what a configuration names."""

from geoinfluencer.models.outputs import Outputs
from geoinfluencer.models.segmenter import InfluencerSegmenter

__all__ = ["InfluencerSegmenter", "Outputs"]
