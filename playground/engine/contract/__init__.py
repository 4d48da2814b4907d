"""What may be asked of an engine and what comes back: Protocols, frozen values, plain data."""
