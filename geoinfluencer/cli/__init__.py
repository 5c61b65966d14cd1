"""The ``geoinfluencer`` command; one sub-command per file."""
