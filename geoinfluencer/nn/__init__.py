"""Blocks that models are assembled from."""

from geoinfluencer.nn.influencer_conv import InfluencerConv
from geoinfluencer.nn.vector_attention import VectorAttentionConv

__all__ = ["InfluencerConv", "VectorAttentionConv"]
