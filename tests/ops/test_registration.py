"""The ops as torch sees them: opcheck, fullgraph compilation, loading and its fall-back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import geoinfluencer
from geoinfluencer import ops
from geoinfluencer.ops import library, native

PTR = torch.tensor([0, 9, 9, 20])
X = torch.randn(20, 3, generator=torch.Generator().manual_seed(1))
IDS = torch.arange(20) % 4
NONE = (None,) * 6

SAMPLES = {
    "influence_potential": [
        (X, X + 1, 1.0, 2, *NONE, True),
        (X.clone().requires_grad_(), None, 1.0, 1, IDS, None, PTR, None, None, None, True),
        (X, X[:5], 1.0, 1, *NONE, False),
    ],
    "knn": [(X, None, 3, PTR, None), (X, X[:4], 3, None, None)],
    "radius": [(X, None, 1.0, PTR, None, -1), (X, X[:4], 1.0, None, None, 2)],
    "radius_count": [(X, None, 1.0, PTR, None)],
    "suppress": [(X, X[:, 0], 1.0, PTR)],
    "segment_reduce": [
        (X.clone().requires_grad_(), IDS, 4, kind, 0.0, None, None)
        for kind in ("sum", "min", "max")
    ],
    "segment_gather": [(X[:4].clone().requires_grad_(), IDS, None, None)],
    "segment_count": [(IDS, 5)],
    "farthest_point_sampling": [(X, PTR, torch.tensor([0, 0, 9]), [3, 0, 5])],
    "query_profiles": [
        (X.clone().requires_grad_(), IDS, 4, None),
        (X.clone().requires_grad_(), IDS - 1, 5, torch.rand(20)),
    ],
    "query_profiles_gradient": [
        (X[:4], None, X, IDS, None, X[:4], torch.ones(4), torch.rand(20, 2)),
        (None, X[:, 0], X, IDS, None, X[:4], torch.ones(4), torch.rand(20, 2)),
    ],
    "query_claims": [(X, X[:, 0], IDS.clamp(min=0), 4, None)],
    "add_claims_gradient": [
        (torch.zeros_like(X), X[:4], X, X[:, 0], IDS.clamp(min=0), torch.rand(20))
    ],
    "capacity_coupling": [(X, PTR, 0.03, 0.3, 0.3, 20)],
    "slic": [(torch.rand(6, 7, 3), 4, 10.0, 3, 2)],
    "image_regions": [(IDS.reshape(4, 5), torch.rand(4, 5, 3), 5)],
    "felzenszwalb": [(torch.tensor([[0, 1], [1, 2]]), torch.rand(2), 3, 1.0, 1)],
    "grid_pool": [(X, [0.5, 0.5, 1.0], [0.0, 0.0, 0.0], PTR)],
}


@pytest.mark.parametrize("name", list(SAMPLES))
def test_opcheck(backend, name):
    for sample in SAMPLES[name]:
        torch.library.opcheck(getattr(torch.ops.geoinfluencer, name).default, sample)


def test_compile_potential(backend):
    def loss(x, y):
        energy, active = ops.influence_potential(x, y, radius=1.0, x_ptr=PTR, y_ptr=PTR)
        return (energy / active.clamp_min(1)).sum()

    x, y = X.clone().requires_grad_(), (X + 0.3).requires_grad_()
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x, y), loss(x, y))
    got = torch.autograd.grad(compiled(x, y), (x, y))
    torch.testing.assert_close(got, torch.autograd.grad(loss(x, y), (x, y)))


def test_compile_searches(backend):
    def search(x):
        index, dist2 = ops.knn(x, None, 4, ptr=PTR)
        row_ptr, near = ops.radius(x, None, 1.0, ptr=PTR)
        keep = ops.suppress(x, x[:, 0], 0.7, ptr=PTR)
        return index, dist2, row_ptr, near, ops.radius_count(x, x, 1.0), keep

    with torch._dynamo.config.patch(capture_dynamic_output_shape_ops=True):
        compiled = torch.compile(search, fullgraph=True, backend="aot_eager")(X)
    for a, b in zip(compiled, search(X), strict=True):
        assert torch.equal(a, b)


def test_compile_segments(backend):
    def reduce(src, index):
        order = ops.segment_order(index, 4)
        share = ops.segment_sum(ops.segment_softmax(src, order) * src, order)
        low = ops.segment_gather(ops.segment_min(src, index, 4), index).mean()
        return ops.segment_mean(src, index, 4) + ops.segment_logsumexp(src, index, 4) + share + low

    x = X.clone().requires_grad_()
    compiled = torch.compile(reduce, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x, IDS), reduce(x, IDS))
    got = torch.autograd.grad(compiled(x, IDS).square().sum(), x)
    torch.testing.assert_close(got, torch.autograd.grad(reduce(x, IDS).square().sum(), x))


def test_compile_sampling_and_grid(backend):
    def choose(x):
        voxels = ops.grid_pool(x, 0.5, ptr=PTR)
        return ops.farthest_point_sampling(x, 7), voxels.cluster, voxels.counts, voxels.first

    with torch._dynamo.config.patch(capture_dynamic_output_shape_ops=True):
        compiled = torch.compile(choose, fullgraph=True, backend="aot_eager")(X)
    for a, b in zip(compiled, choose(X), strict=True):
        assert torch.equal(a, b)


def test_backend_names_every_op(backend):
    names = ops.backend()
    assert set(names) == set(native.OPS)
    wanted = "native-cpu" if backend == "native" else "torch"
    assert all(name.startswith(wanted) for name in names.values())


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter, warnings on stderr."""
    root = str(Path(geoinfluencer.__path__[0]).parent)
    env = {**os.environ, "PYTHONPATH": root, **environment}
    return subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )


CALL = "import torch; from geoinfluencer import ops; ops.knn(torch.rand(9, 2), None, 2)"


def test_disabled_by_environment_is_silent():
    code = f"{CALL}; print(ops.backend()['knn'])"
    done = run_python(code, GEOINFLUENCER_DISABLE_NATIVE="1")
    assert "torch" in done.stdout and "pure-torch" not in done.stderr


def test_missing_library_warns_once():
    code = (
        "from geoinfluencer.ops import loading; loading.library_file = lambda stem: None\n"
        f"{CALL}\nops.knn(torch.rand(9, 2), None, 2)"
    )
    done = run_python(code, GEOINFLUENCER_DISABLE_NATIVE="")
    assert done.stderr.count("slower pure-torch ops") == 1


def test_damaged_library_falls_back(tmp_path):
    damaged = tmp_path / "damaged.so"
    damaged.write_bytes(b"not a library")
    code = (
        "import pathlib; from geoinfluencer.ops import loading\n"
        f"loading.library_file = lambda stem: pathlib.Path({str(damaged)!r})\n{CALL}"
    )
    done = run_python(code, GEOINFLUENCER_DISABLE_NATIVE="")
    assert "could not be loaded" in done.stderr


@pytest.mark.usefixtures("needs_native")
def test_every_instruction_set_agrees():
    code = (
        "import torch; from geoinfluencer import ops; g = torch.Generator().manual_seed(0)\n"
        "x = torch.randn(500, 5, generator=g).requires_grad_()\n"
        "for dtype in (torch.float32, torch.float64):\n"
        "    p = x.detach().to(dtype).requires_grad_()\n"
        "    e, n = ops.influence_potential(p, p[:90], radius=2.0, power=1); e.sum().backward()\n"
        "    i, d = ops.knn(p, None, 8)\n"
        "    print(f'{e.item():.4f}', n.item(), f'{p.grad.norm().item():.3f}',"
        " hash(i.numpy().tobytes()), hash(d.numpy().tobytes()))\n"
        "print(ops.backend()['knn'].split()[-1])\n"
    )
    *best, _ = run_python(code, PYTHONHASHSEED="0").stdout.splitlines()
    for isa, in_use in (("baseline", {"baseline"}), ("avx2", {"avx2", "baseline"})):
        done = run_python(code, PYTHONHASHSEED="0", GEOINFLUENCER_ISA=isa)
        *found, used = done.stdout.splitlines()
        assert found == best and used in in_use, isa


@pytest.mark.parametrize("private", [True, False])
def test_gradients_with_and_without_private_names_of_torch(
    private: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not private:
        monkeypatch.setattr(library, "_PRIVATE", ("_no_such_name",))
    name = f"cubed_{'own' if private else 'public'}"

    def remember(ctx: Any, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        ctx.save_for_backward(inputs[0])

    library.define(
        f"{name}(Tensor x) -> Tensor",
        lambda x: x**3,
        torch.empty_like,
        backward=lambda ctx, grad: 3 * ctx.saved_tensors[0] ** 2 * grad,
        setup_context=remember,
    )
    op = getattr(torch.ops.geoinfluencer, name)
    x = torch.tensor([2.0, -1.0], requires_grad=True)
    op(x).sum().backward()
    assert x.grad is not None and x.grad.tolist() == [12.0, 3.0]
    assert not op(x.detach()).requires_grad
