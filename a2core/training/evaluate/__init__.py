"""A checkpoint beside its baselines: maps on labelled regions, answers on labelled photos, cards."""
