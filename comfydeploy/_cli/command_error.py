"""Every error that a command may end with, or report on its way."""

from typing import TypeAlias

from comfydeploy.errors import Error, MalformedEvent
from comfydeploy.mapping import MapError
from comfydeploy.outcome import PollFailed

CommandError: TypeAlias = MapError | PollFailed | MalformedEvent | Error
