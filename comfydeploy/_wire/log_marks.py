"""The end mark that the server writes to a log, usually twice, and sometimes before the last lines."""

from typing import Final

END: Final = "__END__"


def without_end(text: str) -> str | None:
    """Return an entry of a log without its end marks; ``None`` where there is nothing else in it."""
    lines = [line for line in text.splitlines() if line.strip() != END]
    return "\n".join(lines) if lines else None
