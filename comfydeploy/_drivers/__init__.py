"""The only loops that do I/O, each blocking and async: they carry out what the pure part decides."""
