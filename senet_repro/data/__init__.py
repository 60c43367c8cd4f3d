"""Data floor: image sets, and the batches of one epoch as a pure function of (seed, epoch)."""
