"""The documents point at things that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
DOCUMENTS = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def missing_links(document: Path) -> list[str]:
    """Targets of relative links that do not exist."""
    targets = LINK.findall(document.read_text(encoding="utf-8"))
    return [target for target in targets if not (document.parent / target).exists()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    assert not missing_links(document)


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("[here](page.md) [web](https://example.org) [part](page.md#x) [gone](no.md)")
    assert missing_links(page) == ["no.md"]


def test_every_make_target_of_the_readme_exists() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.M))
    named = set(re.findall(r"^make ([a-z-]+)", DOCUMENTS[0].read_text(encoding="utf-8"), re.M))
    assert {"demo", "test"} <= named <= targets
