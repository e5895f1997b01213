"""Set the code of live functions to that of a mutant, so that a trial need not load the package again."""

import functools
import gc
import sys
from types import CodeType, FunctionType, ModuleType

Swaps = list[tuple[CodeType, CodeType]]


class Live:
    """The functions of modules that are loaded, and the caches of the package."""

    def __init__(self, paths: set[str]) -> None:
        gc.collect()
        objects = gc.get_objects()
        self._functions: dict[tuple[str, str, int], list[FunctionType]] = {}
        for function in objects:
            if isinstance(function, FunctionType) and function.__code__.co_filename in paths:
                self._functions.setdefault(_key(function.__code__), []).append(function)
        self._caches = [
            item
            for item in objects
            if isinstance(item, functools._lru_cache_wrapper) and str(item.__module__).startswith("comfydeploy")
        ]

    def swap(self, swaps: Swaps) -> bool:
        """Set the new code of functions, and return whether every one of them is loaded and takes it."""
        try:
            for old, new in swaps:
                for function in self._functions.get(_key(old), ()):
                    function.__code__ = new
        except ValueError:  # other free variables
            return False
        self._clear()
        return all(_key(old) in self._functions for old, _ in swaps[:1])

    def assign(self, module: ModuleType, name: str, code: CodeType) -> None:
        """Assign a new value to a constant, in its module and in those that import it."""
        old, names = vars(module)[name], dict(vars(module))
        exec(code, names)
        for other in list(sys.modules.values()):
            if getattr(other, name, None) is old:
                setattr(other, name, names[name])
        self._clear()

    def _clear(self) -> None:
        for cache in self._caches:
            cache.cache_clear()


def swaps(old: CodeType, new: CodeType) -> Swaps | None:
    """Return which functions differ, the outermost first; None if code outside of functions does."""
    inner_old, inner_new = _inner(old), _inner(new)
    pairs = list(zip(inner_old, inner_new, strict=False))
    found: Swaps = []
    if not old.co_flags & 1 and (len(inner_old) != len(inner_new) or _outer(old) != _outer(new)):  # CO_OPTIMIZED
        return None
    if old.co_flags & 1 and old != new:
        found.append((old, new))
    for pair in pairs:
        nested = swaps(*pair)
        if nested is None:
            return None
        found += nested
    return found


def _key(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _inner(code: CodeType) -> list[CodeType]:
    return [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def _outer(code: CodeType) -> CodeType:
    return code.replace(co_consts=tuple(one for one in code.co_consts if not isinstance(one, CodeType)))
