"""The problems of a request that the server refuses."""

from attrs import frozen

from comfydeploy.models.document import Document


@frozen(kw_only=True, repr=False)
class ValidationError(Document):
    """One problem in a 422 response: its location (``loc``, a path of keys and indices), ``msg`` and ``type``."""

    loc: list[str | int]
    msg: str
    type: str
