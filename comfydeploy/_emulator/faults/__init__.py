"""Faults: which requests they apply to, and how they break a response."""
