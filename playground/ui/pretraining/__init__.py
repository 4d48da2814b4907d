"""The page From zero."""
