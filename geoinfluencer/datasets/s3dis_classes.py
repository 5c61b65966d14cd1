"""The classes of S3DIS (`Armeni et al., CVPR 2016 <https://doi.org/10.1109/CVPR.2016.170>`_)."""

from __future__ import annotations

# The order of PointNet, ASIS, mmdet3d, Pointcept and Mask3D; others swap chair with table and
# bookcase with sofa, so files of theirs are to be mapped by name.
S3DIS_CLASSES = (
    "ceiling", "floor", "wall", "beam", "column", "window", "door",
    "table", "chair", "sofa", "bookcase", "board", "clutter",
)  # fmt: skip
S3DIS_STUFF = S3DIS_CLASSES[:7]  # the fabric of the room, which some protocols count as stuff


def s3dis_class(name: str) -> int:
    """The number of a class."""
    return S3DIS_CLASSES.index(name)
