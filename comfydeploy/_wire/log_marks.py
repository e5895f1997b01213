"""The mark that the server writes into a log, twice as a rule and at times before the last lines."""

from typing import Final

END: Final = "__END__"


def without_end(text: str) -> str | None:
    """Return an entry of a log without its end marks; ``None`` where nothing else was in it."""
    lines = [line for line in text.splitlines() if line.strip() != END]
    return "\n".join(lines) if lines else None
