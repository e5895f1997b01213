"""All errors with which a command may end, or which it may report before."""

from typing import TypeAlias

from comfydeploy.errors import Error, MalformedEvent
from comfydeploy.mapping import MapError
from comfydeploy.outcome import PollFailed

CommandError: TypeAlias = MapError | PollFailed | MalformedEvent | Error
