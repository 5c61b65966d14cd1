"""What is made of a model: outputs and instances (``inference``), scores of samples (``scores``),
of checkpoints (``evaluation``) and of files (``file_scores``), predictions without truth
(``prediction``), and the results on disk (``reporting``)."""
