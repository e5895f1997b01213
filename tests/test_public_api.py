"""The public names, signatures and fields equal public_api.txt, until a change is accepted.

``python tests/test_public_api.py`` accepts: it writes the file. The sources are read, because what an annotation looks
like at run time differs between Pythons.
"""

import ast
import difflib
import pkgutil
import sys
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path

SNAPSHOT = Path(__file__).with_name("public_api.txt")
PACKAGE = "comfydeploy"
# Private definitions count only if a public module exports them.
INSIDE = (f"{PACKAGE}._http", f"{PACKAGE}._wire")


def public_modules():
    """Return the modules without an underscore, and those that hold the methods of the raising client."""
    names = [PACKAGE]
    for folder in (PACKAGE, f"{PACKAGE}.funcs", f"{PACKAGE}._facade"):
        found = pkgutil.iter_modules(find_spec(folder).submodule_search_locations, f"{folder}.")
        names += [module.name for module in found if not module.name.rpartition(".")[2].startswith("_")]
    return sorted(names)


@cache
def statements(module):
    """Return the statements of a module by the names they bind, as a type checker sees them."""
    spec = find_spec(module)
    bound = {}

    def collect(body):
        for node in body:
            match node:
                case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                    collect(node.body)
                case ast.Try():  # for what needs an extra
                    collect(node.body)
                case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                    bound[node.name] = node
                case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                    bound[name] = node
                case ast.ImportFrom():
                    bound.update({alias.asname or alias.name: (node.module, alias.name) for alias in node.names})

    collect(ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body)
    return bound


def resolve(module, name):
    """Return the module that defines a name and its statement; ``None`` for names of other packages."""
    while module.partition(".")[0] == PACKAGE:
        found = statements(module).get(name)
        if not isinstance(found, tuple):
            return module, name, found
        if found == (module, name):  # a module of the package
            break
        module, name = found
    return module, name, None


def exported(module):
    """Return the names that ``__all__`` lists, or the functions and classes that a module without it defines."""
    bound = statements(module)
    if "__all__" in bound:
        return sorted(ast.literal_eval(bound["__all__"].value))
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return sorted(name for name, node in bound.items() if isinstance(node, kinds) and not name.startswith("_"))


class Unquoted(ast.NodeTransformer):
    """Annotations without the quotes of those that are text: to a type checker they are the same."""

    def visit_Constant(self, node):
        return ast.parse(node.value, mode="eval").body if isinstance(node.value, str) else node

    def visit_Subscript(self, node):
        return node if ast.unparse(node.value).endswith(("Literal", "Annotated")) else self.generic_visit(node)


def unquoted(annotation):
    return annotation and Unquoted().visit(annotation)


class Listing:
    """The lines of the file, and which definitions they show."""

    def __init__(self):
        self.lines = []
        self._modules = public_modules()
        self._shown = set()
        self._used = []

    def write(self):
        for module in self._modules:
            self.lines.append(f"# {module}")
            for name in exported(module):
                self._export(module, name)
            self.lines.append("")
        while self._used:
            module, name, node = self._used.pop(0)
            if (module, name) not in self._shown:
                self.lines.append(f"# used by these: {module}.{name}")
                self._define(module, name, node)
                self.lines.append("")
        return "\n".join(self.lines)

    def _export(self, module, name):
        home, original, node = resolve(module, name)
        if node is None:  # a module, or of another package
            self.lines.append(f"from {home} import {original}")
        elif home != module and home in self._modules:
            self.lines.append(f"from {home} import {name}")
        else:
            self._define(home, original, node)

    def _define(self, module, name, node):
        self._shown.add((module, name))
        if not isinstance(node, ast.ClassDef):
            self._statement(module, node, "")
            return
        bases = ", ".join(ast.unparse(base) for base in (*node.bases, *node.keywords))
        self._decorators(node, "")
        self.lines.append(f"class {name}({bases})" if bases else f"class {name}")
        self._members(module, node)

    def _members(self, module, node):
        """List the members of a class, those of private bases first."""
        for base in node.bases:
            name = ast.unparse(base).partition("[")[0]
            home, _, found = resolve(module, name)
            if isinstance(found, ast.ClassDef):
                if name.startswith("_"):
                    self._members(home, found)
                else:
                    self._follow(module, base)
        for member in node.body:
            match member:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    is_public = name.startswith("__") or not name.startswith("_")
                case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                    is_public = not name.startswith("_")
                case _:
                    is_public = False
            if is_public and name != "__attrs_post_init__":
                self._statement(module, member, "    ")

    def _statement(self, module, node, indent):
        self._follow(module, node)
        if isinstance(node, ast.AnnAssign | ast.Assign):
            if isinstance(node, ast.AnnAssign):
                node.annotation = unquoted(node.annotation)
                if ast.unparse(node.annotation) == "TypeAlias":
                    node.value = unquoted(node.value)
            self.lines.append(f"{indent}{ast.unparse(node)}")
            return
        self._decorators(node, indent)
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        for argument in filter(None, arguments):
            argument.annotation = unquoted(argument.annotation)
        node.returns = unquoted(node.returns)
        word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
        returned = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        self.lines.append(f"{indent}{word} {node.name}({ast.unparse(node.args)}){returned}")

    def _decorators(self, node, indent):
        self.lines += [f"{indent}@{ast.unparse(decorator)}" for decorator in node.decorator_list]

    def _follow(self, module, node):
        """Note the aliases and classes of private modules that an annotation names."""
        inside = [node.args, node.returns] if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else [node]
        for name in sorted({name for part in inside if part for name in names(part)}):
            home, original, found = resolve(module, name)
            is_listed = home in self._modules and name in exported(home)
            is_type = isinstance(found, ast.ClassDef) and not name.startswith("_")
            is_alias = isinstance(found, ast.AnnAssign) and ast.unparse(found.annotation) == "TypeAlias"
            if (is_type or is_alias) and not is_listed and not home.startswith(INSIDE):
                self._used.append((home, original, found))


def names(node):
    """Yield the names in an annotation, those in strings too."""
    for part in ast.walk(node):
        match part:
            case ast.Name(id=name):
                yield name
            case ast.Constant(value=str(text)):
                with suppress(SyntaxError):
                    yield from names(ast.parse(text, mode="eval"))


def test_public_api_is_accepted():
    accepted, listed = SNAPSHOT.read_text().splitlines(), Listing().write().splitlines()
    changes = "\n".join(difflib.unified_diff(accepted, listed, "accepted", "now", lineterm="", n=1))
    assert not changes, f"the public API changed; `python tests/test_public_api.py` accepts it:\n{changes}"


def test_public_modules_are_listed():
    text = SNAPSHOT.read_text()
    for line in (
        "# comfydeploy.funcs.run_queue",
        "    server_url: str | None = None",
        "class SDKError(ComfyDeployError)",
        "    def queue(self, request: _Request, options: _Options=None) -> CreateRunResponse",
    ):
        assert f"\n{line}\n" in text


if __name__ == "__main__":
    sys.stdout.write(f"{SNAPSHOT}\n")
    SNAPSHOT.write_text(Listing().write())
