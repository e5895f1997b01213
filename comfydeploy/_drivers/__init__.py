"""The loops that do the I/O, blocking and async: they carry out the steps that the pure part returns."""
