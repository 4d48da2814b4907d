"""Who is next, and what is known already: queue, jobs, waiting, byte cache. Knows no torch."""
