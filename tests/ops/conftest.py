"""Every ops test runs twice, native and twin; random point sets that are hard on kernels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor

from geoinfluencer.ops import native

DIMS = (1, 2, 3, 4, 5, 8, 12, 16, 20, 64)
KINDS = ("gauss", "lattice", "offset", "coincident", "duplicates", "line", "tiny")


@dataclass
class Case:
    """Two sets cut into graphs, and what the potential takes besides."""

    x: Tensor  # (N, D)
    y: Tensor  # (M, D)
    x_ptr: Tensor  # (B + 1,)
    y_ptr: Tensor  # (B + 1,)
    radius: float
    unit: float  # size of a difference of coordinates
    options: dict[str, Any] = field(default_factory=dict)


def points(kind: str, size: int, dim: int, dtype: torch.dtype, rng: torch.Generator) -> Tensor:
    """(size, dim) points of a kind, about one radius of sqrt(dim) apart."""
    base = torch.randn(size, dim, generator=rng, dtype=torch.float64) * 2
    if kind == "lattice":
        base = base.round()
    elif kind == "offset":
        base = base.round() + 1e6
    elif kind == "coincident":
        base = torch.ones_like(base)
    elif kind == "duplicates":
        base = base[torch.randint(0, max(1, size // 8), (size,), generator=rng)] if size else base
    elif kind == "line":
        base[:, 1:] = 3.0
    elif kind == "tiny":
        base = base * 1e-30
    return base.to(dtype)


def ptr_of(sizes: list[int]) -> Tensor:
    """Row pointers of graph sizes."""
    return torch.tensor([0, *sizes]).cumsum(0)


def random_case(trial: int, dtype: torch.dtype, *, largest: int = 90) -> Case:
    """Deterministic case number ``trial``; sizes from 0 to ``largest`` per graph."""
    rng = torch.Generator().manual_seed(trial)
    dim, kind = DIMS[trial % len(DIMS)], KINDS[trial % len(KINDS)]
    graphs = (1, 1, 3, 6)[trial % 4]
    sizes_x = torch.randint(0, largest, (graphs,), generator=rng).tolist()
    sizes_y = torch.randint(0, largest, (graphs,), generator=rng).tolist()
    if graphs == 6:  # empty on one side, on both, one point
        sizes_x[:4], sizes_y[:4] = [0, 5, 0, 1], [7, 0, 0, 1]
    x = points(kind, sum(sizes_x), dim, dtype, rng)
    y = points(kind, sum(sizes_y), dim, dtype, rng)
    unit = 1e-30 if kind == "tiny" else 1.0
    radius = 1.3 * dim**0.5 * unit
    options: dict[str, Any] = {"power": 1 + trial % 2}
    if trial % 3 != 0:
        options["x_instance"] = torch.randint(-1, 4, (len(x),), generator=rng)
        options["y_instance"] = torch.randint(-1, 4, (len(y),), generator=rng)
    if trial % 5 < 2:
        options["x_weight"] = torch.randint(0, 3, (len(x),), generator=rng).to(dtype) / 2
    if trial % 5 == 1:
        options["y_weight"] = torch.rand(len(y), generator=rng, dtype=torch.float64).to(dtype)
    return Case(x, y, ptr_of(sizes_x), ptr_of(sizes_y), radius, unit, options)


@pytest.fixture(params=["native", "twin"])
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """Name of the backend in force."""
    if request.param == "twin":
        with native.forced_off():
            yield "twin"
        return
    if native.cpu(torch.zeros(1, 1)) is None:
        pytest.skip("native kernels are not there (not built, or disabled by the environment)")
    yield "native"


@pytest.fixture
def needs_native() -> None:
    """For tests that compare the native kernels with the twins."""
    if native.cpu(torch.zeros(1, 1)) is None:
        pytest.skip("native kernels are not there (not built, or disabled by the environment)")


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def rng() -> torch.Generator:
    """A seeded generator."""
    return torch.Generator().manual_seed(0)


@pytest.fixture
def make_case() -> Callable[..., Case]:
    """The function that makes random case number n."""
    return random_case
