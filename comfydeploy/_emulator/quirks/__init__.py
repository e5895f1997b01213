"""The real server's misbehaviour by name, and its effects on responses, runs, streams and webhooks."""
