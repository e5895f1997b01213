"""The operations: one module each, one function and its ``_async`` twin in every module.

Nothing is re-exported here: the submodule of the same name would shadow it.
"""

if __name__ != "comfydeploy.funcs":
    # Two names for one module would make two classes of every class, and `isinstance` and `match` fail in silence.
    raise ImportError(f"this package is comfydeploy.funcs and cannot be imported as {__name__!r}")
