"""Results put aside on disk while more are made."""

from __future__ import annotations

import json
import tempfile
from typing import Any


class JsonSpool:
    """JSON documents in a temporary file, so that memory does not grow with their number.

    The file goes when the object does.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the object is there

    def add(self, document: Any) -> int:
        """Put a document aside; returns what :meth:`read` finds it by."""
        place = self._file.seek(0, 2)
        self._file.write(json.dumps(document).encode() + b"\n")
        return place

    def read(self, place: int) -> Any:
        """A document that was put aside."""
        self._file.seek(place)
        return json.loads(self._file.readline())
