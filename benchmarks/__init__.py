"""The cost of the client: one question in each module, with tables that compare it with its peers.

Run them from the checkout: ``python -m benchmarks`` for all, ``python -m benchmarks stream`` for one of them,
``--quick`` for a first look.
"""
