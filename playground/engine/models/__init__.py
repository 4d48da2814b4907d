"""From an id to a model and a tokenizer in memory."""
