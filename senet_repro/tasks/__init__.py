"""Tasks floor: what the grid is asked about."""
