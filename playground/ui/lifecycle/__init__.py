"""The page Lifecycle."""
