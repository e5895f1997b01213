"""Runs as they are stored: their state, outputs, events and logs."""
