"""The server's event loop, its connections through a port or through memory, and its end."""
