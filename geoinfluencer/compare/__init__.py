"""Losses against each other with everything else equal; what ``geoinfluencer compare`` runs.

``laboratory`` optimises free logits, ``trainings`` whole models, ``scaling`` times single steps,
``object_counts`` trains with two kinds of queries; ``statistics`` says which differences mean
something, ``findings`` and ``count_findings`` say it in sentences, ``kinds`` says which sentences,
tables and figures belong to what.
"""
