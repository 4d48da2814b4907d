"""The page Pretraining."""
