"""Collections of chunks in an embedded vector database."""
