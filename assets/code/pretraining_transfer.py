"""A head on the trained body and one on the random body it began as: the same few labels."""

from playground.core.pretraining import halves  # noqa: F401
