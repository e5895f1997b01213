"""The documentation site: ``sphinx-build -W docs site``. It is built without a network."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))  # for the extension beside this file

from comfydeploy import __version__

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
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 88
python_trailing_comma_in_multi_line_signatures = False
add_module_names = False
toc_object_entries_show_parents = "hide"

# Pages at the top of the repository, and the pages here that include them.
_INCLUDED = {"CHANGELOG": "changelog", "CONTRIBUTING": "contributing", "README": "index", "SECURITY": "security"}


def _link_included(_app: Any, _page: str, source: list[str]) -> None:
    for name, page in _INCLUDED.items():
        source[0] = source[0].replace(f"](../{name}.md", f"]({page}.md")


def setup(app: Any) -> None:
    """Lead links to those pages to the site's own."""
    app.connect("source-read", _link_included)
