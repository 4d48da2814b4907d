"""The page Sampling."""
