"""How each kind of comparison is reported, once the rows are there: words, table, figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from geoinfluencer.compare import (
    count_findings,
    count_views,
    findings,
    free_logits,
    object_counts,
    scaling,
)
from geoinfluencer.compare.outcome import Outcome
from geoinfluencer.compare.pictures import free_figures, scaling_figures, training_figures
from geoinfluencer.compare.tables import Table, free_table, scaling_table, training_table
from geoinfluencer.plots.figures import Figure


@dataclass(frozen=True)
class Reporting:
    """How a kind of comparison is reported.

    Attributes:
        compared: what is compared, for the title.
        sentences: on a group.
        table: of a group.
        figures: of everything, where there are rows.
        criterion: what the sentences go by.
        rows: what a row is, in the plural.
        reference: what the others are compared with, in words.
    """

    compared: str
    sentences: Callable[[Outcome, str], list[str]]
    table: Callable[[Outcome, str], Table]
    figures: Callable[[Outcome], list[Figure]]
    criterion: str = findings.criterion("losses in the group")
    rows: str = "runs"
    reference: Callable[[Outcome], str] = lambda outcome: outcome.reference


def _training(outcome: Outcome, group: str) -> list[str]:
    quality = findings.quality_sentences(outcome, group)
    reaching = findings.reaching_sentences(outcome, group)
    return [*quality, *reaching, *findings.time_sentences(outcome, group, "a step")]


def _free(outcome: Outcome, group: str) -> list[str]:
    quality = findings.quality_sentences(outcome, group)
    steps = findings.steps_sentences(outcome, group)
    return [*quality, *steps, *findings.time_sentences(outcome, group, "a step in the loss")]


TRAINING = Reporting("losses", _training, training_table, training_figures)
REPORTINGS = {
    free_logits.NAME: Reporting("losses", _free, free_table, free_figures),
    scaling.NAME: Reporting(
        "losses",
        findings.crossover_sentences,
        scaling_table,
        scaling_figures,
        "Between the sizes that were measured the crossover is interpolated; beyond the largest "
        "nothing is claimed.",
    ),
    object_counts.NAME: Reporting(
        "queries",
        count_findings.sentences,
        count_views.table,
        count_views.figures,
        findings.criterion("counts"),
        "runs and counts",
        lambda outcome: "influencer queries with the same loss",
    ),
}


def reporting_of(outcome: Outcome) -> Reporting:
    """Training runs on a dataset, unless it is one of the studies with a name of their own."""
    return REPORTINGS.get(outcome.subject.dataset, TRAINING)
