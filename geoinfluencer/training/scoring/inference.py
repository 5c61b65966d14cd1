"""From samples to outputs to instances, with the time and the memory that takes."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset
from torch_geometric.data import Batch, Data

from geoinfluencer.condensation import Instances, condense, condense_queries
from geoinfluencer.condensation.pixels import decode_pixels
from geoinfluencer.condensation.traits import (
    EMBEDDING_TRAITS,
    QUERY_TRAITS,
    embedding_traits,
    query_traits,
)
from geoinfluencer.errors import InputError
from geoinfluencer.nn.pixel_affinity import PixelReader
from geoinfluencer.nn.query_outputs import QueryOutputs
from geoinfluencer.training.configuration.config import CondensationSection

_GRAPH_FIELDS = ("x", "edge_index", "edge_attr")  # of no use once the outputs are there


@dataclass
class SampleResult:
    """A sample without its graph, the model's outputs for it and what they were condensed to."""

    sample: Data  # on the CPU
    follower: Tensor  # (N, D)
    influencer: Tensor  # (N, D)
    class_logits: Tensor | None = None  # (N, C)
    queries: QueryOutputs | None = None
    pixels: PixelReader | None = None
    instances: Instances | None = None
    model_ms: float = 0.0
    condense_ms: float = 0.0

    @property
    def name(self) -> str:
        """Name of the sample, such as its event."""
        return str(self.sample.get("name", ""))

    @torch.inference_mode()
    def pixel_instances(self, instance: Tensor) -> Tensor | None:
        """Instance of every pixel (H W,), on the CPU, where segments have these (N,); None of a
        model without a stem."""
        if self.pixels is None:
            return None
        return decode_pixels(self.pixels, instance).cpu()


def pick_device(accelerator: str = "auto") -> torch.device:
    """CUDA where it works, unless ``cpu`` is asked for; ``gpu`` without CUDA is an InputError."""
    cuda = accelerator != "cpu" and torch.cuda.is_available()
    if accelerator == "gpu" and not cuda:
        raise InputError(
            "accelerator gpu: CUDA does not work here; 'geoinfluencer doctor' says why"
        )
    return torch.device("cuda" if cuda else "cpu")


def autocast_dtype(precision: str, device: torch.device) -> torch.dtype | None:
    """The half type of a precision setting; None: float32."""
    precision = resolve_precision(precision, device.type)
    return {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}.get(precision)


def resolve_precision(precision: str, device_type: str) -> str:
    """``auto`` is bfloat16 mixed precision on GPUs that have it, else float32."""
    if precision == "16-mixed" and device_type == "cpu":
        raise InputError("train.precision: 16-mixed needs a GPU; use bf16-mixed or 32-true")
    if precision != "auto":
        return precision
    mixed = device_type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bf16-mixed" if mixed else "32-true"


@torch.inference_mode()
def run_model(
    model: nn.Module, samples: Sequence[Data], device: torch.device, dtype: torch.dtype | None
) -> list[SampleResult]:
    """Outputs of a model for a few samples, taken through it as one batch.

    Args:
        model: in evaluation mode, on ``device``.
        samples: on the CPU.
        device: of the model; the outputs stay there.
        dtype: of autocast; None: none.
    """
    start = time.perf_counter()
    batch = Batch.from_data_list(list(samples), exclude_keys=["name"]).to(device)
    with torch.autocast(device.type, dtype=dtype, enabled=dtype is not None):
        outputs = model(batch)
    follower, influencer = outputs.follower.float(), outputs.influencer.float()
    synchronise(device)
    elapsed = 1e3 * (time.perf_counter() - start) / len(samples)
    bounds = batch.ptr.tolist()
    logits = outputs.class_logits
    queries = [None] * len(samples) if outputs.queries is None else outputs.queries.split(batch.ptr)
    read = getattr(outputs, "pixels", None)
    pixels = [None] * len(samples) if read is None else read.split()
    return [
        SampleResult(
            _without_graph(sample),
            follower[low:high],
            influencer[low:high],
            None if logits is None else logits[low:high].float(),
            found,
            reader,
            model_ms=elapsed,
        )
        for sample, found, reader, low, high in zip(
            samples, queries, pixels, bounds[:-1], bounds[1:], strict=True
        )
    ]


def run_batches(
    model: nn.Module,
    samples: Dataset[Data] | Sequence[Data],
    device: torch.device,
    dtype: torch.dtype | None,
    *,
    max_nodes: int = 20_000,
    on_sample: Callable[[int], None] | None = None,
) -> Iterator[SampleResult]:
    """Outputs for all samples, several small ones at a time (up to ``max_nodes`` nodes)."""
    pending: list[Data] = []
    nodes = 0
    total = len(samples)  # type: ignore[arg-type]
    for index in range(total):
        sample = samples[index]
        pending.append(sample)
        nodes += int(sample.num_nodes)
        if nodes >= max_nodes or index == total - 1:
            yield from run_model(model, pending, device, dtype)
            pending, nodes = [], 0
        if on_sample:
            on_sample(index + 1)


@torch.inference_mode()
def condense_result(result: SampleResult, settings: CondensationSection) -> SampleResult:
    """Fills in ``instances`` (on the CPU) and the time that took.

    Args:
        result: outputs for a sample.
        settings: with their calibrated threshold, see :meth:`CondensationSection.at`.
    """
    start = time.perf_counter()
    result.instances = instances_of(result, settings).to("cpu")
    result.condense_ms = 1e3 * (time.perf_counter() - start)
    return result


def instances_of(result: SampleResult, settings: CondensationSection) -> Instances:
    """The instances in the outputs for a sample, where the outputs are; their scores are those of
    ``settings.confidence``, if it has one."""
    found = _condensed(result, settings)
    if settings.confidence is None:
        return found
    traits, names = traits_of(result, found, settings)
    score = torch.from_numpy(settings.confidence(traits.cpu().numpy(), names))
    return replace(found, score=score.to(found.score))


def traits_of(
    result: SampleResult, found: Instances, settings: CondensationSection
) -> tuple[Tensor, tuple[str, ...]]:
    """Traits (K, T) of the instances that the outputs for a sample were condensed to, and their
    names; where the outputs are."""
    mass = result.sample.get("mass")
    if settings.of_queries:
        return query_traits(found, mass=mass), QUERY_TRAITS
    assert settings.radius is not None
    traits = embedding_traits(
        result.follower, result.influencer, found, radius=settings.radius, mass=mass
    )
    return traits, EMBEDDING_TRAITS


def _condensed(result: SampleResult, settings: CondensationSection) -> Instances:
    if not settings.of_queries:
        return condense(
            result.follower,
            result.influencer,
            class_logits=result.class_logits,
            **settings.options(),
        )
    queries = result.queries
    assert queries is not None
    nodes = result.follower.shape[0]
    return condense_queries(
        _Blocks(queries),
        queries.query_ptr,
        torch.tensor([0, nodes], device=result.follower.device),
        quality_logits=queries.quality_logits.float(),
        class_logits=queries.class_logits,
        query_node=queries.query_node,
        **settings.query_options(),
    )


class _Blocks:
    """The logits by blocks of rows, computed again whenever they are read again."""

    def __init__(self, queries: QueryOutputs) -> None:
        self.queries = queries

    def __iter__(self) -> Iterator[Tensor]:
        return (block.float() for block in self.queries.blocks())


def node_scores(instances: Instances) -> Tensor:
    """Confidence of each node's instance (N,), 0 for nodes without one, for a single graph."""
    labels = instances.instance
    if not len(instances):
        return torch.zeros(labels.shape, dtype=torch.float32)
    return torch.where(labels >= 0, instances.score[labels.clamp(min=0)].float(), 0.0)


def _without_graph(sample: Data) -> Data:
    kept = {key: value for key, value in sample.to_dict().items() if key not in _GRAPH_FIELDS}
    return Data.from_dict(kept)


def synchronise(device: torch.device) -> None:
    """Waits for the device, so that a clock read next counts its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak_memory_mb(device: torch.device) -> dict[str, float]:
    """Largest memory so far: of the process, and of torch's tensors on the GPU (MB)."""
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, kilobytes elsewhere
    peaks = {"peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit}
    if device.type == "cuda":
        peaks["peak_gpu_memory_mb"] = torch.cuda.max_memory_allocated(device) / 2**20
    return peaks


@contextmanager
def evaluating(model: nn.Module) -> Iterator[Any]:
    """Evaluation mode for a while."""
    was_training = model.training
    model.eval()
    try:
        yield model
    finally:
        model.train(was_training)
