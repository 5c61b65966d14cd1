"""Training, evaluation and prediction: what the commands do, as functions.

``run`` holds :func:`train`; ``configuration`` what decides a run, ``fitting`` the part in which
weights change, ``scoring`` what is made of a model, ``tasks`` what differs between kinds of data.
"""

from geoinfluencer.training.run import Interrupted, Run, evaluate, predict, train

__all__ = ["Interrupted", "Run", "evaluate", "predict", "train"]
