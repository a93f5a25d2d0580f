"""Experiment: primitives switched off, scaled or taken from another picture."""
