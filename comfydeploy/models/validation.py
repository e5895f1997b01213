"""What the server says of a request that it refuses."""

from attrs import frozen

from comfydeploy.models.document import Document


@frozen(kw_only=True, repr=False)
class ValidationError(Document):
    """One complaint of a 422 answer: where (``loc``, a path of keys and indices), what (``msg``) and its ``type``."""

    loc: list[str | int]
    msg: str
    type: str
