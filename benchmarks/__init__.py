"""Side-by-side measurements: `python -m benchmarks` runs every row, prints one table, writes results.json."""
