"""Assembled models: what a configuration names."""

from geoinfluencer.models.outputs import Outputs
from geoinfluencer.models.query_segmenter import QuerySegmenter
from geoinfluencer.models.registry import MODELS, resolve_model
from geoinfluencer.models.segmenter import InfluencerSegmenter

__all__ = ["MODELS", "InfluencerSegmenter", "Outputs", "QuerySegmenter", "resolve_model"]
