"""Scheduling: a fair queue, its jobs, and a caller's wait. Knows no torch."""
