"""The typed configuration of a run; :mod:`~geoinfluencer.training.configuration.resolve` fills it
from files."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, model_validator

from geoinfluencer.condensation.confidence import Confidence
from geoinfluencer.training.configuration.checks import Section, validate
from geoinfluencer.training.configuration.yaml_layers import Layer

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
EMBEDDING_SHARE = 0.5  # min_share of instances from embeddings
Count = Annotated[int, Field(ge=1)]


class CondensationSection(Section):
    """How dense outputs become instances; see :func:`geoinfluencer.condensation.condense`, and
    :func:`geoinfluencer.condensation.condense_queries` for ``source`` "softmax" and "sigmoid"."""

    source: Literal["embedding", "softmax", "sigmoid"] | None = None  # None: what the loss trains
    min_score: Share = 0.0  # of query logits only
    min_quality: Share = 0.0  # likewise
    min_iou: Share | None = None  # likewise; None: calibrated on the `calib` split
    min_ious: tuple[Share, ...] = tuple(step / 20 for step in range(15))  # 0, 0.05 ... 0.7
    radius: Positive | None = None  # of embeddings; None: calibrated likewise
    radii: tuple[Positive, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    suppression_radius: NonNegative | None = None  # None: the radius
    min_followers: Count = 1
    min_size: Count = 1
    min_share: Share | None = None  # None: 0.5 of embeddings and "sigmoid", 0 of "softmax"
    calibrate_scores: bool = True  # by what they were worth on the `calib` split
    _confidence: Confidence | None = None  # what was fitted there; no setting

    @model_validator(mode="after")
    def _grids_given(self) -> CondensationSection:
        for name in ("radii", "min_ious"):
            if not getattr(self, name):
                raise ValueError(f"condensation.{name} is empty; list at least one value to try")
        return self

    @property
    def of_queries(self) -> bool:
        """Whether instances come from query logits, which have a quality and need no radius."""
        return self.source in ("softmax", "sigmoid")

    @property
    def threshold_name(self) -> str:
        """The setting that is calibrated on the ``calib`` split."""
        return "min_iou" if self.of_queries else "radius"

    @property
    def thresholds(self) -> tuple[float, ...]:
        """What is tried for it: the grid, or the one value that is set."""
        fixed = getattr(self, self.threshold_name)
        grid = self.min_ious if self.of_queries else self.radii
        return grid if fixed is None else (fixed,)

    def at(self, threshold: float) -> CondensationSection:
        """The same settings with the calibrated one set."""
        return self.model_copy(update={self.threshold_name: threshold})

    @property
    def confidence(self) -> Confidence | None:
        """What makes scores of instances; None: they stay as found."""
        return self._confidence

    def scored_by(self, confidence: Confidence | None) -> CondensationSection:
        """The same settings with scores from what was fitted on ``calib``."""
        copy = self.model_copy()
        copy._confidence = confidence
        return copy

    def options(self) -> dict[str, Any]:
        """Arguments of ``condense``; the radius must be known, see :meth:`at`."""
        keys = {"radius", "suppression_radius", "min_followers", "min_size", "min_share"}
        given = self.model_dump(include=keys)
        return given | ({"min_share": EMBEDDING_SHARE} if self.min_share is None else {})

    def query_options(self) -> dict[str, Any]:
        """Arguments of ``condense_queries``."""
        keys = {"min_size", "min_share", "min_score", "min_quality", "min_iou"}
        return {"activation": self.source, **self.model_dump(include=keys)}


class SupervisionSection(Section):
    """What is trained beside the loss: on query logits, see
    :class:`geoinfluencer.training.objective.QueryObjective`, and of models with a stem, see
    :class:`geoinfluencer.training.pixel_term.PixelTerm`."""

    deep_supervision_weight: NonNegative = 1.0  # mean of the earlier layers' totals
    # the embedding loss that spaces influencer queries; gradients are clipped together, and with
    # less the losses on queries leave it too small a share to choose queries well
    embedding_weight: NonNegative = 3.0
    influence_weight: NonNegative = 1.0  # the score that chooses them
    denoising_weight: NonNegative = 1.0
    pixel_weight: NonNegative = 1.0  # of a stem: pixels lean on segments of their own instance
    pixel_samples: Count = 4096  # drawn per image for it; those in doubt count
    embedding: dict[str, Any] = {}  # options of that InfluencerLoss; by default the dataset's


class TrainSection(Section):
    """Optimisation, its limits and its machine."""

    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    init_from: str | None = None
    max_steps: Count | None = 2000
    max_minutes: Positive | None = None
    batch_size: Count = 8
    accumulate: Count = 1
    learning_rate: Positive = 1e-3
    final_learning_rate: Share = 0.01
    warmup: Share = 0.05
    weight_decay: NonNegative = 1e-4
    gradient_clip: NonNegative = 1.0
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    normalisation_samples: Count = 16
    val_every: Count = 200
    val_share: Annotated[float, Field(gt=0, le=1)] = 0.25
    log_every: Count = 10
    save_minutes: Positive = 1.0
    workers: Annotated[int, Field(ge=0)] | Literal["auto"] = "auto"
    devices: Count | Literal["auto"] = 1
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"

    @model_validator(mode="after")
    def _bounded(self) -> TrainSection:
        if self.max_steps is None and self.max_minutes is None:
            raise ValueError("train.max_steps and train.max_minutes are both null; give one")
        return self


class RunConfig(Section):
    """Everything that decides a run; written to its folder as ``config.yaml``.

    ``data``, ``model`` and ``loss`` hold keyword arguments of the dataset class, the model and the
    loss, checked against their signatures; ``name`` says which model and loss.
    """

    dataset: str
    preset: str | None = None
    data_root: str | None = None
    data: dict[str, Any] = {}
    model: dict[str, Any] = {}
    loss: dict[str, Any] = {}
    supervision: SupervisionSection = SupervisionSection()
    condensation: CondensationSection = CondensationSection()
    train: TrainSection = TrainSection()

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings, lists and dicts, ready for YAML and checkpoints."""
        return self.model_dump(mode="json")

    def to_yaml(self) -> str:
        """The resolved configuration as a file that ``--config`` reads back."""
        return yaml.safe_dump(self.to_dict(), sort_keys=False)

    def replace(self, **train: Any) -> RunConfig:
        """A copy with some keys of the train section replaced (checked again)."""
        values = self.to_dict()
        values["train"].update(train)
        return validate(RunConfig, Layer(values))
