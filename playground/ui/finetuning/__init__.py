"""The page on fine-tuning: data, settings, the live run, and what came of it."""
