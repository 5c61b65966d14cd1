"""The capacity coupling: what it promises, and the kernels against the twin."""

from __future__ import annotations

import hypothesis
import hypothesis.strategies as st
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.ops import native

DTYPES = (torch.float32, torch.float64)
CLOSE = {torch.float32: 1e-4, torch.float64: 1e-9}


def ptr_of(*sizes: int) -> Tensor:
    return torch.tensor([0, *sizes]).cumsum(0)


def loose(case: tuple[Tensor, Tensor], **options: float) -> Tensor:
    with native.forced_off():
        return ops.capacity_coupling(*case, **options)  # type: ignore[arg-type]


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_sum_to_one_and_columns_to_one_at_most(
    rng: torch.Generator, dtype: torch.dtype
) -> None:
    for rows, columns in ((1, 1), (5, 40), (30, 31), (40, 40)):
        affinity = -torch.rand(rows, columns, generator=rng, dtype=torch.float64).to(dtype) * 20
        weight = ops.capacity_coupling(affinity, ptr_of(rows), iterations=300)
        torch.testing.assert_close(weight.sum(1), torch.ones(rows, dtype=dtype))
        assert (weight >= 0).all() and weight.sum(0).max() <= 1.02


@pytest.mark.usefixtures("backend")
def test_cold_is_the_optimal_assignment(rng: torch.Generator) -> None:
    affinity = -torch.rand(20, 30, generator=rng, dtype=torch.float64) * 20
    weight = ops.capacity_coupling(affinity, ptr_of(20), tau=2e-4, iterations=2000)
    row, column = linear_sum_assignment(-affinity.numpy())
    assert weight.argmax(1)[torch.from_numpy(row)].tolist() == column.tolist()
    best = affinity[row, column].sum()
    assert (weight * affinity).sum() > best - 0.2


@pytest.mark.usefixtures("backend")
def test_contested_query_is_shared() -> None:
    """Two instances that are sure of one query get half of it, and half of something else."""
    affinity = torch.full((2, 12), -50.0)
    affinity[:, 3] = -0.01
    weight = ops.capacity_coupling(affinity, ptr_of(2))
    torch.testing.assert_close(weight[:, 3], torch.full((2,), 0.5), rtol=0, atol=0.02)
    torch.testing.assert_close(weight.sum(1), torch.ones(2))


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("columns", [1, 3, 8])
def test_more_rows_than_columns_share_them_evenly(rng: torch.Generator, columns: int) -> None:
    affinity = -torch.rand(20, columns + 2, generator=rng) * 5
    affinity[:, columns:] = -torch.inf
    weight = ops.capacity_coupling(affinity, ptr_of(20), iterations=500)
    torch.testing.assert_close(weight.sum(1), torch.ones(20))
    even = torch.full((columns,), 20 / columns)
    torch.testing.assert_close(weight[:, :columns].sum(0), even, rtol=0.03, atol=0)
    assert (weight[:, columns:] == 0).all()


@pytest.mark.usefixtures("backend")
def test_graphs_do_not_see_each_other(rng: torch.Generator) -> None:
    sizes = (4, 0, 9, 1, 0)
    affinity = -torch.rand(14, 9, generator=rng) * 20
    affinity[:4, 5:] = -torch.inf  # the first graph has fewer queries
    together = ops.capacity_coupling(affinity, ptr_of(*sizes))
    alone = [ops.capacity_coupling(part, ptr_of(len(part))) for part in affinity.split(sizes)]
    torch.testing.assert_close(together, torch.cat(alone))


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_not_a_number_stays_in_its_graph(bad: float) -> None:
    affinity = torch.zeros(5, 4)
    affinity[1, 2] = bad
    weight = ops.capacity_coupling(affinity, ptr_of(2, 3))
    assert weight[:2].isnan().all()
    torch.testing.assert_close(weight[2:], torch.full((3, 4), 0.25))


@pytest.mark.usefixtures("backend")
def test_forbidden_entries_and_rows_with_nowhere_to_go() -> None:
    affinity = torch.tensor([[0.0, -torch.inf, -1.0], [-torch.inf] * 3, [-torch.inf, -2.0, -9.0]])
    weight = ops.capacity_coupling(affinity, ptr_of(3))
    torch.testing.assert_close(weight.sum(1), torch.tensor([1.0, 0.0, 1.0]))
    assert (weight[affinity == -torch.inf] == 0).all()
    none = ops.capacity_coupling(torch.full((2, 3), -torch.inf), ptr_of(2))
    assert (none == 0).all()


@st.composite
def cases(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(draw(st.integers(0, 2**30)))
    sizes = draw(st.lists(st.integers(0, 25), min_size=1, max_size=4))
    width = draw(st.integers(1, 70))
    scale = draw(st.sampled_from([0.0, 1e-3, 1.0, 30.0, 1e4]))
    kind = draw(st.sampled_from(["uniform", "confident", "contested", "alike"]))
    size = (sum(sizes), width)
    affinity = -torch.rand(size, generator=rng, dtype=torch.float64) * scale
    if kind == "confident":
        affinity[torch.arange(size[0]), torch.arange(size[0]) % width] += 2 * scale
    elif kind == "contested":
        affinity[:, : max(1, width // 8)] += 3 * scale
    elif kind == "alike":
        affinity[:] = affinity[:1] if size[0] else affinity
    if draw(st.booleans()):
        affinity[:, width // 2 + 1 :] = -torch.inf
    return affinity.to(draw(st.sampled_from(DTYPES))), ptr_of(*sizes)


@pytest.mark.usefixtures("needs_native")
@hypothesis.given(case=cases(), tau=st.sampled_from([0.003, 0.03, 0.3]))
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_kernels_equal_twin(case: tuple[Tensor, Tensor], tau: float) -> None:
    found, wanted = ops.capacity_coupling(*case, tau=tau), loose(case, tau=tau)
    torch.testing.assert_close(found, wanted, rtol=0, atol=CLOSE[found.dtype])


@pytest.mark.usefixtures("needs_native")
@pytest.mark.parametrize("scale", [3.0, 300.0, 1e4])
def test_float_goes_on_in_double_where_it_has_to(rng: torch.Generator, scale: float) -> None:
    affinity = -torch.rand(60, 64, generator=rng) * scale
    affinity[:, :4] += 2 * scale  # dear
    case = affinity, ptr_of(60)
    torch.testing.assert_close(ops.capacity_coupling(*case), loose(case), rtol=0, atol=1e-4)


@pytest.mark.usefixtures("needs_native")
def test_threads_change_nothing(rng: torch.Generator) -> None:
    affinity, ptr = torch.randn(50, 33, generator=rng), ptr_of(20, 0, 5, 25)
    results = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        results.append(ops.capacity_coupling(affinity, ptr))
    assert all(torch.equal(results[0], other) for other in results[1:])


@pytest.mark.usefixtures("backend")
def test_views_half_types_and_nothing_at_all(rng: torch.Generator) -> None:
    affinity = torch.randn(12, 40, generator=rng)
    wanted = ops.capacity_coupling(affinity.t()[::2].contiguous(), ptr_of(20))
    torch.testing.assert_close(ops.capacity_coupling(affinity.t()[::2], ptr_of(20)), wanted)
    half = ops.capacity_coupling(affinity.bfloat16(), ptr_of(12))
    assert half.dtype == torch.bfloat16
    wide = ops.capacity_coupling(affinity.bfloat16().float(), ptr_of(12))
    torch.testing.assert_close(half, wide.bfloat16())
    for rows, columns in ((0, 3), (3, 0), (0, 0)):
        empty = ops.capacity_coupling(torch.zeros(rows, columns), ptr_of(rows))
        assert empty.shape == (rows, columns)


@pytest.mark.usefixtures("backend")
def test_has_no_gradient_and_compiles(rng: torch.Generator) -> None:
    affinity = torch.randn(6, 9, generator=rng, requires_grad=True)
    ptr = ptr_of(2, 4)

    def loss(c: Tensor) -> Tensor:
        return -(ops.capacity_coupling(c, ptr) * c).sum()

    assert not ops.capacity_coupling(affinity, ptr).requires_grad
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(affinity), loss(affinity))
    (grad,) = torch.autograd.grad(compiled(affinity), affinity)
    torch.testing.assert_close(-grad, ops.capacity_coupling(affinity, ptr))


@pytest.mark.usefixtures("backend")
def test_bad_input_is_named() -> None:
    affinity = torch.zeros(3, 2)
    with pytest.raises(InputError, match="affinity must be floating"):
        ops.capacity_coupling(affinity.long(), ptr_of(3))
    with pytest.raises(InputError, match="row_ptr must run from 0 to 3, got 0 to 2"):
        ops.capacity_coupling(affinity, ptr_of(2))
    with pytest.raises(InputError, match="row_ptr must not decrease"):
        ops.capacity_coupling(affinity, torch.tensor([0, 4, 3]))
    for name in ("tau", "tau_start", "max_temperature"):
        with pytest.raises(InputError, match=f"{name} is 0.0; it must be positive"):
            ops.capacity_coupling(affinity, ptr_of(3), **{name: 0.0})  # type: ignore[arg-type]
    with pytest.raises(InputError, match="iterations must be at least 1"):
        ops.capacity_coupling(affinity, ptr_of(3), iterations=0)
