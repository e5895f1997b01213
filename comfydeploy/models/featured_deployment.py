"""Deployments that the service features."""

from typing import Any

from attrs import frozen

from comfydeploy.models.document import Document


@frozen(kw_only=True, repr=False)
class FeaturedDeployment(Document):
    """A featured deployment: ``workflow`` has its name and the whole workflow; there is no id."""

    workflow: Any = None
    description: str | None = None
    share_slug: str | None = None
