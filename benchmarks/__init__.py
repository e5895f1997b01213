"""What the client costs: one question in each module, answered by one table in which it stands beside its peers.

Run them from the checkout, such as ``python -m benchmarks.call_overhead``; ``--quick`` for a first look.
"""
