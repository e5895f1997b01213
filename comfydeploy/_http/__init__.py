"""The way to the server: httpx clients and their connections, and one attempt at sending a request."""
