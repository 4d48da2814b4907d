"""Metrics: numbers that say how good a text or an answer is."""
