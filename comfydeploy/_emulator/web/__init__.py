"""HTTP requests and responses, without any knowledge of routes."""
