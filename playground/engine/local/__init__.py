"""The engine of one process: one thread owns every model."""
