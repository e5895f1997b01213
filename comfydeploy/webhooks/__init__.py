"""Receiving webhooks with any framework: whose request is it, what does it tell, what do all of them come to.

The server signs nothing, repeats deliveries, some of them as GET, and lets them overtake each other. So give a run the
address that ``webhook_url`` makes, and take each request that comes through ``webhook_verify``, ``webhook_parse``,
``webhook_progress`` and ``webhook_response``. Nothing here does I/O or knows a framework.
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
