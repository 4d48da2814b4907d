"""One forward pass and what is read off it."""
