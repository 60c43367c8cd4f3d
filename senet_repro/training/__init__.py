"""Training floor: from a run to its record."""
