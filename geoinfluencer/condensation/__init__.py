"""Dense outputs -> instances; one decoder per file."""

from geoinfluencer.condensation.calibrate import RadiusScore, calibrate_radius
from geoinfluencer.condensation.influencer import condense
from geoinfluencer.condensation.instances import Instances

__all__ = ["Instances", "RadiusScore", "calibrate_radius", "condense"]
