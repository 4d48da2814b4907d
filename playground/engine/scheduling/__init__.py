"""Scheduling: a fair queue, its jobs, a caller's wait, and a cache bounded in bytes. Knows no torch."""
