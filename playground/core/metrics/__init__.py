"""Metrics: how good answers are, in figures. Libraries give the numbers; ours draw what they count."""
