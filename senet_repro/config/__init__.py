"""Config floor: the grid as typed data. No torch."""
