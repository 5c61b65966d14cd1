"""Numbers of the classes of S3DIS, by name."""

from __future__ import annotations

from geoinfluencer.files.scene_names import S3DIS_CLASSES


def s3dis_class(name: str) -> int:
    """The number of a class."""
    return S3DIS_CLASSES.index(name)
