"""The operations: one module each, with one function and its ``_async`` version.

Nothing is re-exported here: the submodule of the same name would shadow it.
"""

if __name__ != "comfydeploy.funcs":
    # Two names for one module would create two classes of each class, and `isinstance` and `match` would fail silently.
    raise ImportError(f"this package is comfydeploy.funcs and cannot be imported as {__name__!r}")
