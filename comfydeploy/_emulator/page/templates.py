"""The templates of the page."""

from typing import Any, cast

from jinja2 import Environment, PackageLoader, StrictUndefined

from comfydeploy._emulator.page.writing import age, as_json, as_value, clock, duration


def templates(token: str) -> Environment:
    """Create the templates, which escape all values; their forms contain the token."""
    made = Environment(
        loader=PackageLoader("comfydeploy._emulator.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    cast("dict[str, Any]", made.globals)["token"] = token
    made.filters |= {"age": age, "duration": duration, "clock": clock, "json": as_json, "value": as_value}
    return made
