"""The page Agents."""
