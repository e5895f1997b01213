"""The description of a native run, which the caller executes."""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from comfydeploy.models.document import Document
from comfydeploy.models.secret import Secret


@frozen(kw_only=True, repr=False)
class NativeRun(Document):
    """The data that a machine needs to execute the run: the graph, the ``inputs`` to fill in, and where to report.

    ``prompt_id`` is the run id. ``cd_token`` gives access to your account for 12 hours: ``repr`` hides it, ``reveal()``
    returns it.
    """

    prompt_id: str
    cd_token: Secret
    workflow_api_raw: Mapping[str, Any] | None = None
    workflow: Any = None
    inputs: Any = None
    status_endpoint: str | None = None
    file_upload_endpoint: str | None = None
    gpu_event_id: str | None = None
