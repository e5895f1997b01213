"""The templates of the page."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from comfydeploy._emulator.page.writing import age, as_json, as_value, clock, duration


@cache
def templates() -> Environment:
    """Create the templates, which escape all values; they are compiled once, for all servers of a process."""
    made = Environment(
        loader=PackageLoader("comfydeploy._emulator.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"age": age, "duration": duration, "clock": clock, "json": as_json, "value": as_value}
    return made
