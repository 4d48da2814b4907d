"""LLM Playground: see how a language model works, on a real small model, with your own sentences."""

__version__ = "1.0.0"
