"""Pairs of a source and a target for models that turn one sequence into another, made by a seed."""
