"""Results as tidy DataFrames, one file per page or panel."""
