"""The time that a command has left until its deadline."""

from time import monotonic

from comfydeploy.options import RequestOptions

_LEAST = 0.001


class TimeLeft:
    """The deadline of a command as options for each of its calls; ``None`` is no deadline."""

    def __init__(self, seconds: float | None) -> None:
        self._until = None if seconds is None else monotonic() + seconds

    @property
    def options(self) -> RequestOptions | None:
        """The options of a call that begins now."""
        return None if self._until is None else RequestOptions(deadline=max(self._until - monotonic(), _LEAST))
