"""Receiving webhooks with any framework: check the sender, read a delivery, and combine deliveries to one state.

The server signs nothing, repeats deliveries, some of them as GET, and sends them out of order. So give a run the
address that ``webhook_url`` returns, and pass each request through ``webhook_verify``, ``webhook_parse``,
``webhook_progress`` and ``webhook_response``. Nothing here does I/O or depends on a framework.
"""

from comfydeploy.webhooks.address import WebhookToken, webhook_url, webhook_verify
from comfydeploy.webhooks.delivery import WebhookAnswer, webhook_parse, webhook_response
from comfydeploy.webhooks.progress import WebhookProgress, webhook_progress

__all__ = [
    "WebhookAnswer",
    "WebhookProgress",
    "WebhookToken",
    "webhook_parse",
    "webhook_progress",
    "webhook_response",
    "webhook_url",
    "webhook_verify",
]
