"""The contract of every engine, its requests and results: Protocols, frozen values, plain data."""
