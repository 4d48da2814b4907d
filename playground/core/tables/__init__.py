"""Results as tidy DataFrames, a file a page or panel."""
