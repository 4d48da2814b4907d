"""Copies of models on a grid, and how far they are from the model."""
