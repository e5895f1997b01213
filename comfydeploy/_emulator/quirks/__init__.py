"""The real server's misbehaviour: what there is by name, and what each does to answers, runs, streams and webhooks."""
