"""The simulated machine: what happens to a run, and when."""
