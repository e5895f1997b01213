"""The mutants of a module: its source with one small change each."""

import ast
import pickle
from collections.abc import Callable, Iterator
from types import CodeType
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

_ASSERTED = {"strict", "kw_only"}  # of zip and of fields: how they may be called, as types are


class Constant(NamedTuple):
    """A constant of a module, and the code that assigns a changed value to its name."""

    name: str
    code: CodeType


class Mutant(NamedTuple):
    """A changed module.

    `lines` are those of the changed statement, or those that read the constant which it assigns.
    """

    line: int
    lines: list[int]
    change: str
    code: CodeType
    constant: Constant | None


def mutants(source: str, path: str, every: int = 1) -> list[Mutant]:
    """Return every n-th mutant of a source.

    What is only for people and type checkers is not changed: types, docstrings, and the words of messages, of which
    tests hold what they name.
    """
    tree = ast.parse(source)
    nodes, copied = _executed(tree), pickle.dumps(tree)
    changes = [(number, change) for number, (node, _) in enumerate(nodes) for change, _ in _changes(node)]
    found = []
    for number, change in changes[::every]:
        node, statement = nodes[number]
        changed = pickle.loads(copied)
        _change(_executed(changed)[number][0], change)
        ast.fix_missing_locations(changed)
        constant = _constant(changed.body[tree.body.index(statement)], path) if statement in tree.body else None
        lines = _readers(tree, constant.name) if constant else _lines(statement)
        name = f"{change}: {ast.unparse(node)[:90]!r}"
        code = compile(changed, path, "exec", dont_inherit=True)
        found.append(Mutant(getattr(statement, "lineno", lines[0]), lines, name, code, constant))
    return found


def _change(node: ast.AST, change: str) -> None:
    next(mutate for name, mutate in _changes(node) if name == change)(node)


def _constant(statement: ast.stmt, path: str) -> Constant | None:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return Constant(name, compile(ast.Module([statement], []), path, "exec", dont_inherit=True))
    return None


def _readers(tree: ast.AST, name: str) -> list[int]:
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name]


def _executed(tree: ast.AST) -> list[tuple[ast.AST, ast.AST]]:
    """Return the nodes that are executed and may be changed, in a fixed order, each with its statement."""
    found: list[tuple[ast.AST, ast.AST]] = []

    def visit(node: ast.AST, statement: ast.AST) -> None:
        if _is_for_readers(node):
            return
        if isinstance(node, (ast.stmt, ast.match_case, ast.ExceptHandler)):
            statement = node
        if hasattr(node, "lineno"):
            found.append((node, statement))
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "bases"):
                continue
            for child in value if isinstance(value, list) else [value]:
                is_word = isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant)
                is_asserted = isinstance(child, ast.keyword) and child.arg in _ASSERTED
                if isinstance(child, ast.AST) and not is_word and not is_asserted:
                    visit(child, statement)

    visit(tree, tree)
    return found


def _lines(statement: Any) -> list[int]:
    """Return the lines of a statement; of one that has a body, the lines before it."""
    if isinstance(statement, ast.match_case):
        return [*range(statement.pattern.lineno, statement.body[0].lineno)]
    body = statement.cases if isinstance(statement, ast.Match) else getattr(statement, "body", None)
    if not body:
        return [*range(statement.lineno, statement.end_lineno + 1)]
    first = body[0].pattern if isinstance(statement, ast.Match) else body[0]
    return [*range(statement.lineno, max(first.lineno, statement.lineno + 1))]


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
                yield f"drop operand {number}", lambda node, number=number: _drop_operand(node, number)
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
        case ast.Constant(value=str(value)) if value and " " not in value:
            yield "text", lambda node: setattr(node, "value", f"XX{node.value}")
        case ast.Constant(value=bytes(value)) if value:
            yield "bytes", lambda node: setattr(node, "value", b"XX" + node.value)
        case ast.Call():
            for number, keyword in enumerate(node.keywords):
                if keyword.arg in _ASSERTED:
                    continue
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


def _drop_operand(node: ast.BoolOp, number: int) -> None:
    _drop(node.values, number)
    if len(node.values) == 1:
        _become(node, node.values[0])


def _become(node: ast.AST, other: ast.AST) -> None:
    node.__class__ = other.__class__
    node.__dict__ = other.__dict__


def _become_pass(node: ast.AST) -> None:
    _become(node, ast.copy_location(ast.Pass(), node))


def _become_body(node: ast.With) -> None:
    _become(node, ast.copy_location(ast.If(ast.Constant(True), node.body, []), node))
