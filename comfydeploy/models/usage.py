"""What an account has used."""

from datetime import datetime

from attrs import field, frozen

from comfydeploy.models.document import Document


@frozen(kw_only=True, repr=False)
class UsageItem(Document):
    """The use of one machine with one GPU: seconds and US dollars."""

    machine_id: str | None = None
    machine_name: str | None = None
    gpu: str | None = None
    ws_gpu: str | None = None
    usage_in_sec: float | None = None
    cost_item_title: str | None = None
    cost: float | None = None


@frozen(kw_only=True, repr=False)
class UsagePeriod(Document):
    """The time that a usage is about; a time without a zone is in UTC."""

    start: datetime | None = None
    end: datetime | None = None


@frozen(kw_only=True, repr=False)
class Usage(Document):
    """The use of a period by machine and GPU.

    ``total_cost`` is in US dollars, ``final_cost`` what is left of it after credits. ``free_tier_credit`` is in
    cents, as the service sends it.
    """

    usage: list[UsageItem] = field(factory=list[UsageItem])
    total_cost: float | None = None
    final_cost: float | None = None
    free_tier_credit: float | None = None
    credit: float | None = None
    period: UsagePeriod | None = None
