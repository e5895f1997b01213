"""The documentation site: ``sphinx-build -W docs site``. It is built without a network."""

import re
import sys
from pathlib import Path
from typing import Any

from comfydeploy import __version__

TOP = Path(__file__).parent.parent
sys.path.insert(0, str(TOP / "docs"))  # for the extension beside this file

project = "comfydeploy"
version = release = __version__
project_copyright = "the authors of comfydeploy, MIT licence"
html_title = f"comfydeploy {__version__}"
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton", "reference"]
exclude_patterns = ["_static"]
suppress_warnings = ["ref.python"]  # a short name may be that of two public classes, such as Run

myst_heading_anchors = 3
pygments_style = "friendly"
pygments_dark_style = "github-dark"
copybutton_exclude = ".linenos, .gp, .go"

autodoc_default_options = {
    "members": True,
    "undoc-members": True,
    "member-order": "bysource",
    "exclude-members": "OPERATION, partial",
}
python_maximum_signature_line_length = 88
python_trailing_comma_in_multi_line_signatures = False
add_module_names = False
toc_object_entries_show_parents = "hide"

# Pages at the top of the repository, and those of the site that have their text.
_AT_THE_TOP = {"CHANGELOG.md": "changelog", "CONTRIBUTING.md": "contributing", "SECURITY.md": "security"}
_LINK = re.compile(r"\]\((?!http|#)([^)#]+)")


def _with_text_from_the_top(_app: Any, page: str, source: list[str]) -> None:
    for name, own in _AT_THE_TOP.items():
        if page == own:
            source[0] = _LINK.sub(_from_docs, (TOP / name).read_text(encoding="utf-8"))
        source[0] = source[0].replace(f"](../{name}", f"]({own}.md")


def _from_docs(link: re.Match[str]) -> str:
    target = link[1]
    return f"]({target.removeprefix('docs/')}" if target.startswith("docs/") else f"](../{target}"


def setup(app: Any) -> None:
    """Show pages at the top of the repository as pages of the site."""
    app.connect("source-read", _with_text_from_the_top)
