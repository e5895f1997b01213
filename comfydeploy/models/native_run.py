"""The description of a native run, for one who runs it himself."""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from comfydeploy.models.document import Document
from comfydeploy.models.secret import Secret


@frozen(kw_only=True, repr=False)
class NativeRun(Document):
    """What a machine needs to run it: the graph, the ``inputs`` to fill in, and where to report.

    ``prompt_id`` is the run id. ``cd_token`` opens your account for 12 hours: it never prints, ``reveal()`` gives it.
    """

    prompt_id: str
    cd_token: Secret
    workflow_api_raw: Mapping[str, Any] | None = None
    workflow: Any = None
    inputs: Any = None
    status_endpoint: str | None = None
    file_upload_endpoint: str | None = None
    gpu_event_id: str | None = None
