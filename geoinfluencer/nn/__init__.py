"""Blocks that models are assembled from."""

from geoinfluencer.nn.influencer_conv import InfluencerConv

__all__ = ["InfluencerConv"]
