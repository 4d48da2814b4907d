"""The page Tokenization."""
