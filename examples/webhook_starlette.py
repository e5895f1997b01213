"""Receive the webhooks of runs with Starlette.

Start it:           WEBHOOK_SECRET=a-long-random-text uvicorn webhook_starlette:app
Queue runs with it: webhook=unwrap(webhook_url("https://example.com/webhooks/comfydeploy", "a-long-random-text"))
"""

import logging
import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from comfydeploy import Failure, Success
from comfydeploy.webhooks import WebhookProgress, webhook_parse, webhook_progress, webhook_response, webhook_verify

SECRET = os.environ["WEBHOOK_SECRET"]
runs: dict[str, WebhookProgress] = {}  # by run id; a database in a real application
log = logging.getLogger(__name__)


async def receive(request: Request) -> Response:
    """Receive one delivery."""
    match webhook_verify(str(request.url), SECRET):
        case Failure(error):
            return Response(*webhook_response(str(error), 401))
        case Success(token):
            job = token.reference
    match webhook_parse(request.method, request.headers, await request.body()):
        case Failure(error):
            return Response(*webhook_response(str(error), 400))
        case Success(body):
            run = runs[body.run_id] = webhook_progress(runs.get(body.run_id), body)
            log.info("job %s: run %s is %s, %s of 1", job, run.run_id, run.status, run.progress)
            return Response(*webhook_response())


# GET too: the server repeats deliveries so.
app = Starlette(routes=[Route("/webhooks/comfydeploy", receive, methods=["GET", "POST"])])
