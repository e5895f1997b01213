"""The driver of maps: one loop, whose calls are blocking or async as those of the caller."""
