"""The local server, one module for each part of it."""
