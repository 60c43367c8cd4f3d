"""Core floor: what every other floor uses. Standard library only."""
