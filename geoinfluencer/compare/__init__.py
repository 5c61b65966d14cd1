"""Losses against each other with everything else equal; what ``geoinfluencer compare`` runs.

``laboratory`` optimises free logits, ``trainings`` whole models, ``scaling`` times single steps;
``statistics`` says which differences mean something, ``findings`` says it in sentences.
"""
