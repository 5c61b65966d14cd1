"""What decides a run: typed sections (``config``), YAML and ``--set`` layers (``yaml_layers``),
their checks against signatures (``checks``), and how they are laid over each other
(``resolve``)."""
