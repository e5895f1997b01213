"""The I/O with the server: httpx clients, their connections, and sending one attempt of a request."""
