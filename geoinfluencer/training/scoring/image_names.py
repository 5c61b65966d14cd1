"""Names of images in files and folders of results: each once."""

from __future__ import annotations


class ImageNames:
    """Numbers nameless images, and further ones of a name, by their place among all that are asked
    for: two called ``a`` and a nameless one are ``a``, ``a-1``, ``image-2``."""

    def __init__(self) -> None:
        self._given: set[str] = set()
        self._place = 0

    def __call__(self, name: str) -> str:
        """The name of the next image."""
        place, self._place = self._place, self._place + 1
        name = name or f"image-{place}"
        while name in self._given:
            name = f"{name}-{place}"
        self._given.add(name)
        return name
