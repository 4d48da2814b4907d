"""Linear heads on the vectors of encoders: texts cut, vectors read, heads kept and asked."""
