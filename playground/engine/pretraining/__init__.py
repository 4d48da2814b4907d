"""Transformers from random weights: their shapes, their bytes, their weights stacked, and those kept."""
