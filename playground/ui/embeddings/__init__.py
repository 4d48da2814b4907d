"""The page Embeddings: five views of vectors, one module each, one drawn at a time."""
