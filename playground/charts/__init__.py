"""How it looks: tables in, charts out. Computes nothing."""
