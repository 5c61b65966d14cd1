"""Training, evaluation and prediction: what the commands do, as functions."""

from geoinfluencer.training.engine import Interrupted, Run, evaluate, predict, train

__all__ = ["Interrupted", "Run", "evaluate", "predict", "train"]
