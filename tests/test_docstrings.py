"""The docstrings of the functions, and those of the raising client's methods, which are made from them.

``python tests/test_docstrings.py`` writes the docstrings of the methods.
"""

import ast
import importlib
import inspect
import pkgutil
import re
import textwrap
from pathlib import Path

import pytest

from comfydeploy import ComfyDeploy, funcs

# Without the alias, which is another name of one of them.
NAMES = sorted(module.name for module in pkgutil.iter_modules(funcs.__path__) if "run_run" not in module.name)
SECTIONS = ("Args:", "Returns:")
WIDTH = 120


def function_of(name):
    return getattr(importlib.import_module(f"comfydeploy.funcs.{name.removesuffix('_async')}"), name)


def paragraphs(function):
    """Return the summary, the other paragraphs, and the sections by their names."""
    parts = inspect.getdoc(function).split("\n\n")
    sections = {part.partition("\n")[0]: part for part in parts if part.startswith(SECTIONS)}
    return parts[0], [part for part in parts[1:] if not part.startswith(SECTIONS)], sections


def arguments(section):
    """Return the names and the texts of the arguments that a section describes."""
    found = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", section, re.MULTILINE)
    return {name: re.sub(r"\s+", " ", text) for name, text in found}


def method_docstring(name):
    """Return the docstring of a method: the function's, without its last paragraph and without the core."""
    summary, more, sections = paragraphs(function_of(name))
    described = {one: text for one, text in arguments(sections["Args:"]).items() if one != "core"}
    raised = f"ComfyDeployError: What ``{name}`` returns as a ``Failure``. Its docstring has the details."
    indent = " " * 8
    parts = [summary, *(filled(part, indent) for part in more[:-1])]
    parts.append("\n".join(["Args:", *(hanging(f"{one}: {text}", indent) for one, text in described.items())]))
    parts.append("\n".join(["Raises:", hanging(raised, indent)]))
    return "\n\n".join(parts)


def filled(text, indent):
    text = re.sub(r"\s+", " ", text)
    return textwrap.fill(text, WIDTH - len(indent), break_long_words=False, break_on_hyphens=False)


def hanging(text, indent):
    return textwrap.fill(
        text,
        WIDTH - len(indent),
        initial_indent=" " * 4,
        subsequent_indent=" " * 8,
        break_long_words=False,
        break_on_hyphens=False,
    )


def method_of(client, name):
    """Return the method of the client for a function: that of ``run_deployment_queue`` is ``run.deployment.queue``."""
    first, _, rest = name.partition("_")
    if not rest.removesuffix("async"):  # ``usage`` is a method of the client itself
        return getattr(type(client), name)
    group = getattr(client, first)
    if not hasattr(group, rest):
        second, _, rest = rest.partition("_")
        group = getattr(group, second)
    return getattr(type(group), rest)


@pytest.fixture(scope="module")
def client():
    with ComfyDeploy(bearer="k") as made:
        yield made


@pytest.mark.parametrize("name", NAMES)
class TestEveryFunction:
    def test_all_arguments_are_described(self, name):
        _, _, sections = paragraphs(function_of(name))
        assert list(arguments(sections["Args:"])) == list(inspect.signature(function_of(name)).parameters)
        assert sections["Returns:"]

    def test_the_last_paragraph_names_the_route(self, name):
        _, more, _ = paragraphs(function_of(name))
        route = re.search(r"``\w+ /[^`?]*", inspect.getmodule(function_of(name)).__doc__)
        assert route is None or route[0] in more[-1]

    def test_the_twin_has_the_summary(self, name):
        assert paragraphs(function_of(f"{name}_async"))[0] == paragraphs(function_of(name))[0]

    @pytest.mark.parametrize("colour", ["", "_async"])
    def test_the_method_has_the_first_paragraphs(self, client, name, colour):
        assert inspect.getdoc(method_of(client, f"{name}{colour}")) == method_docstring(name)


def write():
    """Write the docstrings of all methods."""
    with ComfyDeploy(bearer="k") as client:
        methods = [(method_of(client, f"{name}{colour}"), name) for name in NAMES for colour in ("", "_async")]
    for path in sorted({Path(inspect.getsourcefile(method)) for method, _ in methods}):
        texts = {m.__qualname__: method_docstring(name) for m, name in methods if inspect.getsourcefile(m) == str(path)}
        lines = path.read_text(encoding="utf-8").split("\n")
        for node in reversed(list(documented(ast.parse("\n".join(lines))))):
            if node.qualified in texts:
                text = textwrap.indent(f'"""{texts[node.qualified]}\n"""', " " * 8)
                lines[node.body[0].lineno - 1 : node.body[0].end_lineno] = [text]
        path.write_text("\n".join(lines), encoding="utf-8")


def documented(tree):
    """Yield the methods that have a docstring."""
    for group in [node for node in tree.body if isinstance(node, ast.ClassDef)]:
        for node in group.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node):
                node.qualified = f"{group.name}.{node.name}"
                yield node


if __name__ == "__main__":
    write()
