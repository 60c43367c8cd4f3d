"""Stats: pure functions on named numbers. No torch."""
