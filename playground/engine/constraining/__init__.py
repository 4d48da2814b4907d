"""Tokens that can still lead to a text of a given form."""
