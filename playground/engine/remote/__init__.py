"""The engine of many replicas, each a `LocalEngine` in a process of its own, placed and restarted by Ray."""
