"""The page Masked."""
