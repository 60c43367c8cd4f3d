"""Command lines and results folders that a generator makes, from a seed, and what must hold for each of them."""
