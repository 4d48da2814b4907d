"""Forms that a text must have: regular expressions and JSON schemas, read as plain data."""
