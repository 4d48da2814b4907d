"""The page Families."""
