"""All endpoints that the real server has too."""

from typing import Final

from comfydeploy._emulator.routes import (
    account,
    assets,
    deployments,
    files,
    lists,
    logs,
    progress,
    runs,
    sessions,
    start,
)
from comfydeploy._emulator.web.endpoints import Operations

ENDPOINTS: Final = (
    *start.ENDPOINTS,
    *runs.ENDPOINTS,
    *lists.ENDPOINTS,
    *progress.ENDPOINTS,
    *files.ENDPOINTS,
    *logs.ENDPOINTS,
    *sessions.ENDPOINTS,
    *deployments.ENDPOINTS,
    *assets.ENDPOINTS,
    *account.ENDPOINTS,
)
OPERATIONS: Final = Operations(ENDPOINTS)
