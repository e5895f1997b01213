"""The mutants of a module: its source with one small change each."""

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

_SWAPPED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
_RENAMED = {
    "popleft": "pop", "appendleft": "append", "lower": "upper", "removeprefix": "removesuffix", "removesuffix":
    "removeprefix", "startswith": "endswith", "endswith": "startswith", "partition": "rpartition", "min": "max",
    "max": "min", "any": "all", "all": "any", "strip": "lstrip", "rstrip": "lstrip", "lstrip": "rstrip",
}  # fmt: skip
_KEPT = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.AnnAssign, ast.Pass)


class Mutant(NamedTuple):
    """A changed source, with the line and the name of the change."""

    line: int
    change: str
    source: str


def mutants(source: str) -> list[Mutant]:
    """Return every mutant of a source; types, docstrings and code for type checkers are not changed."""
    tree = ast.parse(source)
    found = []
    for number, node in enumerate(_executed(tree)):
        for change, mutate in _changes(node):
            changed = copy.deepcopy(tree)
            target = _executed(changed)[number]
            mutate(target)
            found.append(Mutant(node.lineno, f"{change}: {ast.unparse(node)[:90]!r}", ast.unparse(changed)))
    return found


def _executed(tree: ast.AST) -> list[ast.AST]:
    """Return the nodes that are executed and may be changed, in a fixed order."""
    found: list[ast.AST] = []

    def visit(node: ast.AST) -> None:
        if _is_for_readers(node):
            return
        if hasattr(node, "lineno"):
            found.append(node)
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "bases"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    visit(child)

    visit(tree)
    return found


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable[[Any], object]]]:  # noqa: C901, PLR0912 - a row for each kind
    """Yield the names of changes of a node, each with a function that makes it in a copy of the node."""
    match node:
        case ast.Assign() | ast.AugAssign() | ast.Expr() | ast.Raise() | ast.Delete() | ast.Continue() | ast.Break():
            yield "drop statement", _become_pass
        case ast.Return(value=value) if value is not None and not _is_none(value):
            yield "return None", lambda node: setattr(node, "value", ast.Constant(None))
        case ast.If() | ast.IfExp() | ast.While():
            for value in (True, False) if not isinstance(node, ast.While) else (False,):
                yield f"if {value}", lambda node, value=value: setattr(node, "test", ast.Constant(value))
        case ast.BoolOp():
            yield "and/or", lambda node: setattr(node, "op", _SWAPPED[type(node.op)]())
            for number in range(len(node.values)):
                yield f"drop operand {number}", lambda node, number=number: _drop(node.values, number)
        case ast.Compare(ops=[op]) if type(op) in _SWAPPED:
            yield "compare", lambda node: setattr(node, "ops", [_SWAPPED[type(node.ops[0])]()])
        case ast.BinOp(op=op) if type(op) in _SWAPPED:
            yield "arithmetic", lambda node: setattr(node, "op", _SWAPPED[type(node.op)]())
        case ast.UnaryOp(op=ast.Not()):
            yield "drop not", lambda node: setattr(node, "op", ast.UAdd()) or _become(node, node.operand)
        case ast.Constant(value=bool(value)):
            yield "flip", lambda node: setattr(node, "value", not node.value)
        case ast.Constant(value=int() | float()):
            yield "constant", lambda node: setattr(node, "value", node.value + 1)
        case ast.Constant(value=str(value)) if value:
            yield "text", lambda node: setattr(node, "value", f"XX{node.value}")
        case ast.Constant(value=bytes(value)) if value:
            yield "bytes", lambda node: setattr(node, "value", b"XX" + node.value)
        case ast.Call():
            for number in range(len(node.keywords)):
                yield f"drop keyword {number}", lambda node, number=number: _drop(node.keywords, number)
        case ast.Attribute(attr=name) if name in _RENAMED:
            yield "rename", lambda node: setattr(node, "attr", _RENAMED[node.attr])
        case ast.Name(id=name, ctx=ast.Load()) if name in _RENAMED:
            yield "rename", lambda node: setattr(node, "id", _RENAMED[node.id])
        case ast.Tuple(ctx=ast.Load()) | ast.List(ctx=ast.Load()) | ast.Set() if len(node.elts) > 1:
            for number in range(len(node.elts)):
                yield f"drop element {number}", lambda node, number=number: _drop(node.elts, number)
        case ast.With():
            yield "drop with", _become_body
        case ast.comprehension(ifs=[_, *_]):
            yield "drop filter", lambda node: node.ifs.clear()


def _is_for_readers(node: ast.AST) -> bool:
    """Check whether a node is only for people and type checkers."""
    match node:
        case ast.If(test=ast.Name(id="TYPE_CHECKING")) | ast.Expr(value=ast.Constant()):  # a docstring
            return True
        case ast.AnnAssign(annotation=ast.Name(id="TypeAlias")) | ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar" | "ParamSpec"))):
            return True
    return False


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _drop(nodes: list, number: int) -> None:
    del nodes[number]


def _become(node: ast.AST, other: ast.AST) -> None:
    node.__class__ = other.__class__
    node.__dict__ = other.__dict__


def _become_pass(node: ast.AST) -> None:
    _become(node, ast.Pass(lineno=node.lineno, col_offset=node.col_offset))


def _become_body(node: ast.With) -> None:
    _become(node, ast.If(ast.Constant(True), node.body, [], lineno=node.lineno, col_offset=node.col_offset))
