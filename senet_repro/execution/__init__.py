"""Execution floor: runs supervised, in this process, in one per device, on several nodes."""
