from __future__ import annotations

import pytest
from torch import nn

from geoinfluencer.compare.contestants import build, choose_reference, parse_losses
from geoinfluencer.compare.trainings import Training
from geoinfluencer.errors import InputError
from geoinfluencer.losses.registry import MASK_LOSSES

Known = dict[str, type[nn.Module]]


def test_names_and_options(known: Known) -> None:
    plain, varied = parse_losses("assigned, assigned:weight=2.5:fail_at=7", known)
    assert (plain.name, plain.loss, plain.options) == ("assigned", "assigned", ())
    assert varied.assignments == ["loss.name=assigned", "loss.weight=2.5", "loss.fail_at=7"]
    assert varied.folder == "assigned+weight=2.5+fail_at=7"
    loss = build(varied, known)
    assert (loss.weight, loss.fail_at) == (2.5, 7)
    assert build(plain, known).weight == 1.0


def test_a_key_with_a_dot_is_a_setting_of_the_run(known: Known) -> None:
    (varied,) = parse_losses("assigned:model.queries=learned:weight=2.5:train.warmup=0.1", known)
    assert varied.options == ("weight=2.5",)  # a dot in the value makes none
    assert varied.settings == ("model.queries=learned", "train.warmup=0.1")
    assert varied.assignments == [
        "loss.name=assigned", "loss.weight=2.5", "model.queries=learned", "train.warmup=0.1",
    ]  # fmt: skip
    with pytest.raises(InputError, match=r"model\.queries is a setting of a training run"):
        build(varied, known)


def test_settings_of_a_contestant_reach_its_run_alone() -> None:
    plain, varied = parse_losses("sinkhorn,sinkhorn:model.queries=learned:tau=0.5", MASK_LOSSES)
    training = Training("toy-tracks", preset="cpu", assignments=("model.queries=influencer",))
    assert training.config(plain, 0).model["queries"] == "influencer"
    config = training.config(varied, 3)
    assert (config.model["queries"], config.loss["tau"], config.train.seed) == ("learned", 0.5, 3)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("asigned", "--losses: no loss is called 'asigned'; did you mean 'assigned'?"),
        ("", "no loss is called ''"),
        ("assigned,assigned", "is there twice"),
        ("assigned:weight", "expected NAME:key=value, for example assigned:key=0.5"),
        ("assigned:model.=1", "expected NAME:key=value"),
        ("assigned:.queries=1", "expected NAME:key=value"),
        ("assigned:weight=1,assigned:weight=1 ,idle", "is there twice"),
    ],
)
def test_bad_names(text: str, named: str, known: Known) -> None:
    with pytest.raises(InputError) as caught:
        parse_losses(text, known)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("assigned:wieght=1.0", "did you mean 'weight'?"),
        ("assigned:weight=much", "--losses assigned:weight=much: 'loss.weight'"),
    ],
)
def test_bad_options(text: str, named: str, known: Known) -> None:
    (contestant,) = parse_losses(text, known)
    with pytest.raises(InputError) as caught:
        build(contestant, known)
    assert named in str(caught.value)


def test_the_reference(known: Known) -> None:
    both = parse_losses("idle,assigned", known)
    assert choose_reference(None, both) == "idle"
    assert choose_reference("assigned", both) == "assigned"
    with pytest.raises(InputError, match="did you mean 'assigned'"):
        choose_reference("asigned", both)
    every = parse_losses("sinkhorn,hungarian", MASK_LOSSES)
    assert choose_reference(None, every) == "hungarian"


def test_every_registered_loss_can_be_built() -> None:
    assert set(MASK_LOSSES) == {
        "mask-influencer", "hungarian", "hungarian-ce", "sinkhorn", "power-softmin", "gm-product",
        "published-mask-influencer", "sinkhorn-ce",
    }  # fmt: skip
    for contestant in parse_losses(",".join(MASK_LOSSES), MASK_LOSSES):
        assert isinstance(build(contestant, MASK_LOSSES), MASK_LOSSES[contestant.loss])
