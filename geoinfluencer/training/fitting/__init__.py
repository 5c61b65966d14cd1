"""The part of a run in which weights change: what is settled before (``setup``), Lightning's
trainer, module and callback (``trainer``, ``module``, ``control``), batches and learning rate
(``loader``, ``sampler``, ``schedule``), validations (``held_out``, ``calibration``), logs and
progress."""
