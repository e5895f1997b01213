"""The public models of the service."""

from typing import Any

from attrs import field, frozen

from comfydeploy.models.document import Document


@frozen(kw_only=True, repr=False)
class PublicModelInput(Document):
    """An input of a public model; ``enum_values`` are the allowed texts."""

    input_id: str
    class_type: str | None = None
    required: bool | None = None
    default_value: Any = None
    min_value: Any = None
    max_value: Any = None
    display_name: str | None = None
    description: str | None = None
    enum_values: list[Any] = field(factory=list[Any])


@frozen(kw_only=True, repr=False)
class PublicModel(Document):
    """A public model: a description, with its inputs. The service has no route that runs one."""

    id: str
    name: str | None = None
    is_comfyui: bool | None = None
    preview_image: str | None = None
    tags: list[Any] = field(factory=list[Any])
    fal_id: str | None = None
    cost_per_megapixel: float | None = None
    inputs: list[PublicModelInput] = field(factory=list[PublicModelInput])
    outputs: Any = None
