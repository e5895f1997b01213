"""The map of many runs: its protocol, its journal, and the following of its runs."""
