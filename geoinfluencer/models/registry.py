"""The models by the names that configurations give them."""

from __future__ import annotations

from geoinfluencer.errors import InputError, suggest
from geoinfluencer.models.query_segmenter import QuerySegmenter
from geoinfluencer.models.segmenter import InfluencerSegmenter

MODELS: dict[str, type[InfluencerSegmenter]] = {
    "influencer": InfluencerSegmenter,
    "query": QuerySegmenter,
}


def resolve_model(name: str, origin: str = "model.name") -> type[InfluencerSegmenter]:
    """The model class of a name.

    Raises:
        InputError: unknown name; says which are known.
    """
    if name not in MODELS:
        raise InputError(f"{origin}: unknown model '{name}'; {suggest(str(name), MODELS)}")
    return MODELS[name]
