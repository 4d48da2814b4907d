"""Charts: tables in, Vega-Lite out. Computes nothing."""
