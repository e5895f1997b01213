"""The API reference: signatures as they are written, links by short names, and no public name forgotten."""

import ast
import inspect
import re
import textwrap
from pathlib import Path
from typing import Any, Final

from attrs import NOTHING
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.ext.napoleon import Config
from sphinx.ext.napoleon.docstring import GoogleDocstring
from sphinx.util import logging

from comfydeploy.models import Document

_LISTING: Final = Path(__file__).parent.parent / "tests" / "public_api.txt"
_DEFINITION: Final = re.compile(r"(?:async )?(?:def|class) (\w+)|(\w+)(?::| =)")
_SECTIONS: Final[Any] = Config(napoleon_use_rtype=False)
_TYPES: Final = ("class", "exception", "data")
_targets: Final[dict[str, str]] = {}


def public_names() -> set[str]:
    """Return the public names with their modules, those that a module only passes on left out."""
    names: set[str] = set()
    module = ""
    for line in _LISTING.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            module = line.removeprefix("# ")
        elif module.startswith("comfydeploy") and (found := _DEFINITION.match(line)):
            names.add(f"{module}.{next(filter(None, found.groups()))}")
    return names


def _signature(
    _app: Sphinx, what: str, _name: str, thing: Any, _options: Any, signature: str | None, returned: str | None
) -> tuple[str | None, str | None] | None:
    """Return a signature as it is written in the source: at run time an alias is all of its parts."""
    if signature is None:  # there is none to replace
        return None
    if what in ("class", "exception"):
        return _with_defaults(thing), None
    try:
        (node,) = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(thing)))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return signature, returned
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return signature, returned
    arguments = node.args
    if what == "method" and arguments.args[:1] and arguments.args[0].arg in ("self", "cls"):
        arguments.args.pop(0)
    return f"({ast.unparse(arguments)})", ast.unparse(node.returns).strip("'") if node.returns else None


def _read_sections(_app: Sphinx, what: str, *rest: Any) -> None:
    """Read the sections ``Args:``, ``Returns:`` and ``Raises:`` of a docstring.

    The extension itself would take a colon in the docstring of a property for its type.
    """
    if what in ("class", "function", "method"):
        lines = rest[-1]
        lines[:] = GoogleDocstring(lines, _SECTIONS).lines()


def _with_defaults(kind: Any) -> str:
    """Return the arguments of a class with their defaults; its attributes follow, with their types."""
    if issubclass(kind, Document) or "._facade" in kind.__module__:  # made by the client alone
        return ""
    try:
        signature = inspect.signature(kind)
    except (TypeError, ValueError):
        return ""
    parameters = [
        parameter.replace(
            annotation=parameter.empty, default=... if parameter.default is NOTHING else parameter.default
        )
        for parameter in signature.parameters.values()
    ]
    return str(signature.replace(parameters=parameters, return_annotation=signature.empty)).replace("Ellipsis", "...")


def _by_short_name(app: Sphinx, _env: Any, node: Any, content: nodes.Node) -> nodes.Node | None:
    """Return the link of a class or alias that a signature names without its module."""
    if node.get("refdomain") != "py":
        return None
    objects = app.env.domains.python_domain.objects
    if not _targets:
        for name, entry in sorted(objects.items(), key=lambda one: -len(one[0])):  # the shortest name stays
            if entry.objtype in _TYPES and not entry.aliased:
                _targets[name.rpartition(".")[2]] = name
    name = _targets.get(node["reftarget"].rpartition(".")[2])
    if name is None:
        return None
    entry = objects[name]
    uri = app.builder.get_relative_uri(node["refdoc"], entry.docname)
    return nodes.reference("", "", content, refuri=f"{uri}#{entry.node_id}", internal=True, reftitle=name)


def _shorten_contents(_app: Sphinx, env: Any) -> None:
    """Leave members of classes and ``_async`` twins out of the contents: each page copies all thousand of them."""
    for contents in env.tocs.values():
        for item in list(contents.findall(nodes.list_item)):
            link = next(item.findall(nodes.reference), None)
            name = "" if link is None else link.get("anchorname", "")
            if name.startswith("#comfydeploy."):
                for members in [child for child in item.children if isinstance(child, nodes.bullet_list)]:
                    item.remove(members)
                if name.endswith("_async"):
                    item.parent.remove(item)


def _check_names(app: Sphinx, error: Exception | None) -> None:
    """Warn of each public name that no page of the reference has: with ``-W`` the build fails."""
    if error is not None:
        return
    documented = app.env.domains.python_domain.objects
    for name in sorted(public_names() - documented.keys()):
        logging.getLogger(__name__).warning("%s is in no page of docs/api", name)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what the reference needs."""
    app.connect("autodoc-process-signature", _signature)
    app.connect("autodoc-process-docstring", _read_sections)
    app.connect("missing-reference", _by_short_name)
    app.connect("env-updated", _shorten_contents)
    app.connect("build-finished", _check_names)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
