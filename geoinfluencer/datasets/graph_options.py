"""The ``graph`` options of a dataset -> its graph builder."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, TypeVar

from geoinfluencer.errors import InputError, suggest

Builder = TypeVar("Builder")


def build_with_options(cls: type[Builder], options: Mapping[str, Any] | None) -> Builder:
    """Return the graph builder of this class with these options; None = its defaults.

    Raises:
        InputError: On an unknown option, with the nearest known one, and on one out of its range.
    """
    options = dict(options or {})
    known = list(inspect.signature(cls).parameters)
    for name in options:
        if name not in known:
            raise InputError(f"graph: unknown option {name!r}; {suggest(name, known)}")
    try:
        return cls(**options)
    except InputError as error:
        raise InputError(f"graph: {error}") from error
