"""Scripts that make what lies in `assets/trained/`; `make trained` runs them, the app imports none."""
