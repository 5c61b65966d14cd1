"""Empty, crowded, extreme and half-precision inputs of the mask loss; draws; memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from geoinfluencer import ops
from geoinfluencer.errors import InputError
from geoinfluencer.losses.mask_influencer import Coupling, MaskInfluencerLoss

both = pytest.mark.parametrize("coupling", ["capacity", "none"])


def heads(queries: int, nodes: int) -> dict[str, Tensor]:
    return {
        "quality_logits": torch.linspace(-1, 1, queries).requires_grad_(),
        "class_logits": torch.linspace(-1, 1, queries * 2).view(queries, 2).requires_grad_(),
        "y": torch.arange(nodes) % 3 - 1,
    }


def finite(
    coupling: Coupling, logits: Tensor, instance: Tensor, **options: Any
) -> dict[str, float]:
    """Terms, after looking at them and at all gradients."""
    leaf = logits.clone().requires_grad_()
    terms = MaskInfluencerLoss(coupling=coupling)(leaf, instance, **options)
    terms.total.backward()
    assert leaf.grad is not None and bool(torch.isfinite(leaf.grad).all())
    for name in ("quality_logits", "class_logits"):
        gradient = options[name].grad if name in options else None
        assert gradient is None or bool(torch.isfinite(gradient).all())
    assert all(bool(torch.isfinite(value)) for value in terms.values())
    return {name: float(value.detach()) for name, value in terms.items()}


NOISE = torch.randn(30, 4, generator=torch.Generator().manual_seed(0))
NONE = torch.zeros(0, dtype=torch.int64)


@both
def test_all_background(coupling: Coupling) -> None:
    terms = finite(coupling, NOISE, torch.full((30,), -1), **heads(4, 30))
    assert terms["attraction"] == terms["classification"] == 0
    assert terms["background"] > 0.5 and terms["quality"] > 0.5


@both
def test_everything_ignored_is_an_attached_zero(coupling: Coupling) -> None:
    ignored = torch.ones(30, dtype=torch.bool)
    terms = finite(coupling, NOISE, torch.arange(30) % 3, ignore=ignored)
    assert terms["attraction"] == terms["background"] == 0


@both
@pytest.mark.parametrize("ptr", [[0], [0, 0], [0, 0, 0]])
def test_empty_batches_are_attached_zeros(coupling: Coupling, ptr: list[int]) -> None:
    terms = finite(coupling, torch.zeros(0, 4), NONE, ptr=torch.tensor(ptr))
    assert set(terms.values()) == {0.0}


@both
def test_no_queries_at_all(coupling: Coupling) -> None:
    terms = finite(coupling, torch.zeros(30, 0), torch.arange(30) % 3, **heads(0, 30))
    assert set(terms.values()) == {0.0}


@both
def test_a_graph_without_queries_leaves_the_others_alone(coupling: Coupling) -> None:
    logits = torch.cat([NOISE, torch.full((9, 4), -torch.inf)])
    instance = torch.cat([torch.arange(30) % 4 - 1, torch.arange(9) % 3])
    ptr, query_ptr = torch.tensor([0, 30, 39]), torch.tensor([0, 4, 4])
    y = torch.arange(39) % 3 - 1
    found = finite(
        coupling, logits, instance, ptr=ptr, query_ptr=query_ptr, **(heads(4, 39) | {"y": y})
    )
    alone = finite(coupling, NOISE, instance[:30], **(heads(4, 30) | {"y": y[:30]}))
    assert {name: 2 * value for name, value in found.items()} == pytest.approx(alone, rel=1e-5)


@both
@pytest.mark.parametrize("width", [1, 2, 9])
def test_more_instances_than_queries(coupling: Coupling, width: int) -> None:
    finite(coupling, NOISE.repeat(1, 3)[:, :width], torch.arange(30) % 10, **heads(width, 30))


def test_instances_that_nobody_can_serve_are_held_to_void() -> None:
    """Three instances, two queries: two are served, and the third claims nothing."""
    instance = torch.arange(60) % 3
    logits = (0.1 * torch.randn(60, 2, generator=torch.Generator().manual_seed(1))).requires_grad_()
    optimiser = torch.optim.Adam([logits], lr=0.3)
    loss = MaskInfluencerLoss()
    for _ in range(150):
        optimiser.zero_grad()
        value = loss(logits, instance).total
        value.backward()
        optimiser.step()
    assert float(value.detach()) < 0.01
    claimed = torch.cat([logits.detach(), torch.zeros(60, 1)], 1).argmax(1)
    answers = [set(claimed[instance == k].tolist()) for k in range(3)]
    assert all(len(answer) == 1 for answer in answers) and set.union(*answers) == {0, 1, 2}


@both
def test_singletons_and_one_of_each(coupling: Coupling) -> None:
    finite(coupling, NOISE[:4], torch.arange(4))
    finite(coupling, NOISE[:1], torch.zeros(1, dtype=torch.int64))
    finite(coupling, NOISE[:1, :1], torch.zeros(1, dtype=torch.int64))


@both
def test_ignored_nodes_count_for_nothing(coupling: Coupling) -> None:
    instance = torch.arange(30) % 4 - 1
    ignore = torch.arange(30) % 5 == 0
    y = torch.arange(30) % 3 - 1
    found = finite(coupling, NOISE, instance, ignore=ignore, **(heads(4, 30) | {"y": y}))
    kept = ~ignore
    y = y[kept]
    alone = finite(coupling, NOISE[kept], instance[kept], **(heads(4, len(y)) | {"y": y}))
    assert found == pytest.approx(alone, rel=1e-5)


@both
def test_node_weight_two_is_the_node_twice(coupling: Coupling) -> None:
    instance = torch.arange(30) % 4 - 1
    twice = torch.arange(30) % 7 == 0
    weight = torch.where(twice, 2.0, 1.0)
    found = finite(coupling, NOISE, instance, node_weight=weight, **heads(4, 30))
    rows = torch.cat([torch.arange(30), twice.nonzero()[:, 0]])
    extra = heads(4, 30)
    extra["y"] = extra["y"][rows]
    again = finite(coupling, NOISE[rows], instance[rows], **extra)
    assert found == pytest.approx(again, rel=1e-5)


@both
def test_an_instance_without_weight_is_not_there(coupling: Coupling) -> None:
    instance = torch.arange(30) % 3
    weight = (instance != 1).float()
    found = finite(coupling, NOISE, instance, node_weight=weight)
    alone = finite(coupling, NOISE[instance != 1], instance[instance != 1])
    assert found == pytest.approx(alone, rel=1e-5)


@both
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_raised(coupling: Coupling, dtype: torch.dtype) -> None:
    logits, instance = (20 * NOISE).to(dtype), torch.arange(30) % 4 - 1
    expected = finite(coupling, logits.float(), instance)
    assert finite(coupling, logits, instance) == pytest.approx(expected, rel=1e-6)


@both
@settings(max_examples=40)
@given(
    st.integers(0, 2**31),
    st.sampled_from([0.0, 1e-30, 1.0, 50.0, 1e4, 1e20]),
    st.sampled_from([torch.float32, torch.float64]),
    st.integers(1, 6),
)
def test_nothing_finite_makes_nan(
    coupling: Coupling, seed: int, scale: float, dtype: torch.dtype, width: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(24, width, generator=generator, dtype=dtype)
    instance = torch.randint(-1, 4, (24,), generator=generator)
    terms = finite(coupling, logits, instance, ptr=torch.tensor([0, 10, 10, 24]))
    assert min(terms.values()) >= 0


@both
def test_what_is_not_finite_is_named(coupling: Coupling) -> None:
    logits = NOISE.clone()
    logits[3, 1] = torch.nan
    with pytest.raises(InputError, match="logits has 1 of 120 values that are NaN or infinite"):
        MaskInfluencerLoss(coupling=coupling)(logits, torch.arange(30) % 3)


def test_draws_have_the_expectation_of_the_whole() -> None:
    """The attraction of fixed shares and the background, over many draws; and no draw if small."""
    generator = torch.Generator().manual_seed(3)
    instance = torch.cat([torch.full((1500,), -1), torch.zeros(480), torch.ones(20)]).long()
    logits = torch.randn(2000, 4, generator=generator)
    # confident, so that every draw couples alike
    logits += 12 * torch.nn.functional.one_hot(instance.clamp(min=0), 4)
    whole = MaskInfluencerLoss()(logits, instance)
    torch.manual_seed(0)
    drawn = [MaskInfluencerLoss(max_nodes=200)(logits, instance) for _ in range(300)]
    for name in ("attraction", "background"):
        values = torch.stack([terms[name] for terms in drawn])
        error = float((values.mean() - whole[name]).abs())
        assert float(values.std()) > 0 and error < 4 * float(values.std()) / 300**0.5, name
    same = MaskInfluencerLoss(max_nodes=2000)(logits, instance)
    assert all(torch.equal(same[name], whole[name]) for name in whole)


# in a process of its own, whose memory holds nothing of other tests
MEASURE = """
import resource, sys, torch
from geoinfluencer.losses.mask_influencer import Coupling, MaskInfluencerLoss
nodes, coupling = int(sys.argv[1]), sys.argv[2]
torch.set_num_threads(1)
loss = MaskInfluencerLoss(coupling=coupling)
def step(logits, instance):
    loss(logits, instance).total.backward()
step(torch.randn(1000, 128, requires_grad=True), torch.arange(1000) % 51 - 1)
logits = torch.randn(nodes, 128, requires_grad=True)
instance = torch.arange(nodes) % 51 - 1
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
step(logits, instance)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@both
@pytest.mark.skipif(
    not ops.backend().get("query_profiles", "").startswith("native"),
    reason="the torch twin keeps (N, M) tables",
)
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="ru_maxrss in kB: Linux")
def test_memory_beyond_logits_and_gradient_does_not_grow_with_them(coupling: Coupling) -> None:
    nodes = 400_000
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(nodes), coupling],
        check=True,
        capture_output=True,
        text=True,
    )
    table = nodes * 128 * 4 / 1024  # kB of the logits, and of their gradient
    extra = int(done.stdout) - table
    assert extra < 0.35 * table  # about 20 numbers per node
