"""Measure what this project claims about speed, each claim beside its yardstick in one run."""
