"""Results floor: records on disk and what can be estimated from them. No torch."""
