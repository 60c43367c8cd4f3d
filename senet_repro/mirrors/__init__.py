"""Copies of runs and tables for other eyes; nothing is ever read back from them."""
