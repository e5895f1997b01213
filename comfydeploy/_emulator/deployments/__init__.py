"""What can be run: deployments, the outcomes of their runs, and the request forms."""
