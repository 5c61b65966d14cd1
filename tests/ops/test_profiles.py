"""Query profiles against a loop over the segments, and the kernels against the twin."""

from __future__ import annotations

import hypothesis
import hypothesis.strategies as st
import pytest
import torch
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.ops import native, reference

DTYPES = (torch.float32, torch.float64)
TOLERANCE = {torch.float32: 3e-5, torch.float64: 1e-10}


def loop(
    logits: Tensor, index: Tensor, segments: int, weight: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The definition, segment by segment, in float64."""
    x = torch.nn.functional.pad(logits.double(), (0, 1))
    log_p = x - x.logsumexp(1, keepdim=True)
    profile = torch.zeros(segments, logits.shape[1], dtype=torch.float64)
    weight = torch.ones(len(index)) if weight is None else weight
    for s in range(segments):
        kept = (index == s) & (weight != 0)
        if kept.any():
            w = weight[kept].double()
            profile[s] = (w[:, None] * log_p[kept, :-1]).sum(0) / w.sum()
    return profile, log_p[:, -1]


def finite(value: Tensor) -> Tensor:
    return value.masked_fill(value.isinf(), 0.0)


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [1, 2, 7, 16, 33, 100, 5000])
@pytest.mark.parametrize("scale", [1.0, 100.0, 1e4])
def test_loop(rng: torch.Generator, width: int, scale: float, dtype: torch.dtype) -> None:
    rows = 60 if width < 5000 else 9
    logits = torch.randn(rows, width, generator=rng, dtype=torch.float64).mul(scale).to(dtype)
    logits[:, width // 2 + 1 :: 3] = -torch.inf
    index = torch.randint(-2, 6, (rows,), generator=rng)
    index[index == 4] = 5  # an empty segment
    weight = torch.rand(rows, generator=rng).to(dtype) * (index != 0)  # another
    for w in (None, weight):
        profile, log_void = ops.query_profiles(logits, index, 6, w)
        wanted, wanted_void = loop(logits, index, 6, w)
        tolerance = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
        torch.testing.assert_close(profile.double(), wanted, **tolerance)
        torch.testing.assert_close(log_void.double(), wanted_void, **tolerance)
        assert (profile[4] == 0).all()


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("outputs", ["profile", "void", "both"])
@pytest.mark.parametrize("width", [1, 5, 21])
def test_gradients(rng: torch.Generator, width: int, outputs: str) -> None:
    logits = torch.randn(12, width, generator=rng, dtype=torch.float64).mul(3).requires_grad_()
    index = torch.randint(-1, 4, (12,), generator=rng)
    index[index == 2] = 1
    weight = torch.rand(12, generator=rng, dtype=torch.float64)
    weight[3] = 0

    def function(x: Tensor) -> tuple[Tensor, ...]:
        profile, log_void = ops.query_profiles(x, index, 4, weight)
        return {"profile": (profile,), "void": (log_void,), "both": (profile, log_void)}[outputs]

    assert torch.autograd.gradcheck(function, (logits,))


def gradients(
    logits: Tensor, index: Tensor, segments: int, weight: Tensor | None, seed: int = 0
) -> tuple[Tensor, ...]:
    """Profiles, log-probabilities of void and gradients, of weights that do not cancel."""
    rng = torch.Generator().manual_seed(seed)
    leaf = logits.detach().requires_grad_()
    profile, log_void = ops.query_profiles(leaf, index, segments, weight)
    weights = [torch.randn(v.shape, generator=rng).to(v.dtype) for v in (profile, log_void)]
    value = (finite(profile) * weights[0]).sum() + (log_void * weights[1]).sum()
    (grad,) = torch.autograd.grad(value, leaf)
    return profile.detach(), log_void.detach(), grad


@st.composite
def cases(draw: st.DrawFn) -> tuple[Tensor, Tensor, int, Tensor | None]:
    rng = torch.Generator().manual_seed(draw(st.integers(0, 2**30)))
    rows, width = draw(st.integers(0, 200)), draw(st.integers(0, 70))
    segments = draw(st.integers(0, 9))
    dtype = draw(st.sampled_from(DTYPES))
    scale = draw(st.sampled_from([0.0, 1.0, 30.0, 1e4]))
    logits = (torch.randn(rows, width, generator=rng, dtype=torch.float64) * scale).to(dtype)
    hole = draw(st.sampled_from(["none", "columns", "entries", "all"]))
    if hole == "columns":
        logits[:, torch.rand(width, generator=rng) < 0.3] = -torch.inf
    elif hole == "entries":
        logits[torch.rand(rows, width, generator=rng) < 0.05] = -torch.inf
    elif hole == "all":
        logits[: rows // 2] = -torch.inf
    index = torch.randint(-1, segments, (rows,), generator=rng)
    if draw(st.booleans()):
        index = index.sort().values
    weight = None
    if draw(st.booleans()):
        weight = torch.randint(0, 4, (rows,), generator=rng).to(dtype) / 3
    return logits, index, segments, weight


@pytest.mark.usefixtures("needs_native")
@hypothesis.given(case=cases())
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_kernels_equal_twin(case: tuple[Tensor, Tensor, int, Tensor | None]) -> None:
    found = gradients(*case)
    with native.forced_off():
        wanted = gradients(*case)
    tolerance = TOLERANCE[case[0].dtype]
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


def test_written_gradient_of_twin_is_that_of_autograd(rng: torch.Generator) -> None:
    logits = torch.randn(30, 9, generator=rng, dtype=torch.float64).mul(4)
    logits[:, 4] = -torch.inf
    logits[5, 2] = -torch.inf
    leaf = logits.requires_grad_()
    index = torch.randint(-1, 4, (30,), generator=rng)
    weight = torch.rand(30, generator=rng, dtype=torch.float64)
    profile, log_void, mass, level = reference.query_profiles(leaf, index, 4, weight)
    grads = (torch.randn(4, 9, generator=rng).double(), torch.randn(30, generator=rng).double())
    (wanted,) = torch.autograd.grad((profile, log_void), leaf, grads)
    written = reference.query_profiles_gradient(
        *grads, logits.detach(), index, weight, profile.detach(), mass, level
    )
    torch.testing.assert_close(written, wanted)


@pytest.mark.usefixtures("backend")
def test_what_is_not_there_has_no_gradient() -> None:
    """-inf takes no part, even where the gradient that comes back is NaN, as from 0 * -inf."""
    logits = torch.tensor([[1.0, -torch.inf, 2.0], [0.5, -torch.inf, 0.0]], requires_grad=True)
    profile, log_void = ops.query_profiles(logits, torch.tensor([0, 0]), 1)
    assert profile[0, 1] == -torch.inf
    bad = torch.tensor([[1.0, torch.nan, 1.0]])
    (grad,) = torch.autograd.grad((profile, log_void), logits, (bad, torch.ones(2)))
    assert grad.isfinite().all()
    assert (grad[:, 1] == 0).all()


@pytest.mark.usefixtures("backend")
def test_rows_without_any_query() -> None:
    logits = torch.full((3, 4), -torch.inf, requires_grad=True)
    profile, log_void = ops.query_profiles(logits, torch.tensor([0, 0, -1]), 1)
    assert (profile == -torch.inf).all() and (log_void == 0).all()
    log_void.sum().backward()
    assert logits.grad is not None and (logits.grad == 0).all()


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
@pytest.mark.parametrize("width", [3, 40])
def test_not_a_number_stays_in_its_rows_and_segment(width: int, bad: float) -> None:
    logits = torch.zeros(4, width)
    logits[1, 2] = bad
    logits.requires_grad_()
    profile, log_void = ops.query_profiles(logits, torch.tensor([0, 1, 0, -1]), 2)
    assert profile[1].isnan().any() and profile[0].isfinite().all()
    assert log_void.isfinite().tolist() == [True, False, True, True]
    (finite(profile).sum() + log_void.sum()).backward()
    assert logits.grad is not None
    assert logits.grad[1].isnan().any() and logits.grad[[0, 2, 3]].isfinite().all()


@pytest.mark.usefixtures("needs_native")
@pytest.mark.parametrize(("rows", "width"), [(90_000, 3), (30_000, 40)])
def test_threads_and_long_sums(rng: torch.Generator, rows: int, width: int) -> None:
    logits = torch.randn(rows, width, generator=rng) - 30
    index = torch.randint(-1, 3, (rows,), generator=rng)
    results = []
    for threads in (1, 2, 2, 3):
        torch.set_num_threads(threads)
        results.append(gradients(logits, index, 3, None))
    assert all(torch.equal(a, b) for a, b in zip(results[1], results[2], strict=True))
    wanted, _ = loop(logits, index, 3, None)
    for profile, log_void, grad in results:
        torch.testing.assert_close(profile.double(), wanted, rtol=1e-6, atol=0)
        assert torch.equal(log_void, results[0][1])
        torch.testing.assert_close(grad, results[0][2])


@pytest.mark.usefixtures("needs_native")
@pytest.mark.parametrize("dtype", DTYPES)
def test_exponential_is_exact_to_two_units_in_the_last_place(dtype: torch.dtype) -> None:
    """For far negative x, p = exp(x) / (1 + exp(x)) is exp(x): minus the gradient of ln p[void]."""
    low = -80.0 if dtype == torch.float32 else -700.0
    x = torch.linspace(low, -45, 20_000, dtype=torch.float64).to(dtype)[:, None].requires_grad_()
    _, log_void = ops.query_profiles(x, torch.zeros(len(x), dtype=torch.int64), 1)
    (grad,) = torch.autograd.grad(log_void.sum(), x)
    wanted = x.detach().double().exp()
    error = (-grad.double() / wanted - 1).abs().max()
    assert error < 2 * torch.finfo(dtype).eps


@pytest.mark.usefixtures("backend")
def test_strided_views_and_segment_order(rng: torch.Generator) -> None:
    logits = torch.randn(9, 80, generator=rng).t()[::2]
    index = torch.randint(0, 4, (80,), generator=rng)[::2]
    weight = torch.rand(80, generator=rng)[::2]
    dense = (logits.contiguous(), index.contiguous(), 4, weight.contiguous())
    for a, b in zip(gradients(logits, index, 4, weight), gradients(*dense), strict=True):
        torch.testing.assert_close(a, b)
    ordered = ops.query_profiles(logits, ops.segment_order(index, 4), 4)
    torch.testing.assert_close(ordered, ops.query_profiles(logits, index, 4))


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype: torch.dtype) -> None:
    logits = torch.ones(5000, 2, dtype=dtype, requires_grad=True)
    profile, log_void = ops.query_profiles(logits, torch.zeros(5000).long(), 1)
    assert profile.dtype == log_void.dtype == torch.float32
    wanted = 1 - torch.tensor(1 + 2 * torch.e).log()
    torch.testing.assert_close(profile, wanted.expand(1, 2), rtol=1e-4, atol=0)
    log_void.mean().backward()
    assert logits.grad is not None and logits.grad.dtype == dtype


@pytest.mark.usefixtures("backend")
def test_nothing_at_all() -> None:
    for rows, width, segments in ((0, 3, 2), (3, 0, 2), (3, 3, 0), (0, 0, 0)):
        index = torch.full((rows,), -1 if segments == 0 else 0)
        profile, log_void = ops.query_profiles(torch.zeros(rows, width), index, segments)
        assert profile.shape == (segments, width) and log_void.shape == (rows,)
        assert width or (log_void == 0).all()


@pytest.mark.usefixtures("backend")
def test_compiled_and_differentiable_once(rng: torch.Generator) -> None:
    logits = torch.randn(20, 5, generator=rng, requires_grad=True)
    index = torch.randint(-1, 3, (20,), generator=rng)

    def loss(x: Tensor) -> Tensor:
        profile, log_void = ops.query_profiles(x, index, 3)
        return (profile * profile).sum() + log_void.sum()

    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(logits), loss(logits))
    got = torch.autograd.grad(compiled(logits), logits)
    torch.testing.assert_close(got, torch.autograd.grad(loss(logits), logits))
    with pytest.raises(RuntimeError, match="differentiable once"):
        torch.autograd.grad(loss(logits), logits, create_graph=True)


@pytest.mark.usefixtures("backend")
def test_bad_input_is_named() -> None:
    x, index = torch.zeros(3, 2), torch.tensor([0, 1, -1])
    with pytest.raises(InputError, match="logits must be floating"):
        ops.query_profiles(x.long(), index, 2)
    with pytest.raises(InputError, match=r"index must be a tensor of shape \(3,\)"):
        ops.query_profiles(x, index[:2], 2)
    with pytest.raises(InputError, match="index must be below num_segments = 1, got 1"):
        ops.query_profiles(x, index, 1)
    with pytest.raises(InputError, match="num_segments must be at least 0"):
        ops.query_profiles(x, index, -1)
    with pytest.raises(InputError, match=r"weight must be a tensor of shape \(3,\)"):
        ops.query_profiles(x, index, 2, torch.ones(2))
