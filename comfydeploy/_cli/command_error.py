"""Every error that a command may end with, or report on its way."""

from typing import TypeAlias

from comfydeploy.errors import Error, MalformedEvent
from comfydeploy.outcome import DownloadIncomplete, PollFailed, WaitError

CommandError: TypeAlias = WaitError | DownloadIncomplete | PollFailed | MalformedEvent | Error
