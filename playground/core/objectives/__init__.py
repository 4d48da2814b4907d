"""Self-supervised objectives: a text without labels -> what a model reads, and what it is to answer.

Pure functions of token ids and a NumPy generator: the same seed makes the same example.
"""
