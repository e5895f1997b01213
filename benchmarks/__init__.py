"""What the client costs: one question in each module, answered by tables in which it stands beside its peers.

Run them from the checkout: ``python -m benchmarks`` for all, ``python -m benchmarks stream`` for one of them,
``--quick`` for a first look.
"""
