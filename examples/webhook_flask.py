"""Receive the webhooks of runs with Flask.

Start it:           WEBHOOK_SECRET=a-long-random-text flask --app webhook_flask run
Queue runs with it: webhook=unwrap(webhook_url("https://example.com/webhooks/comfydeploy", "a-long-random-text"))
"""

import os
import threading

from flask import Flask, request

from comfydeploy import Failure, Success
from comfydeploy.webhooks import (
    WebhookAnswer,
    WebhookProgress,
    webhook_parse,
    webhook_progress,
    webhook_response,
    webhook_verify,
)

SECRET = os.environ["WEBHOOK_SECRET"]
runs: dict[str, WebhookProgress] = {}  # by run id; a database in a real application
one_at_a_time = threading.Lock()
app = Flask(__name__)


@app.route("/webhooks/comfydeploy", methods=["GET", "POST"])  # GET too: the server repeats deliveries so
def receive() -> WebhookAnswer:
    """Receive one delivery."""
    match webhook_verify(request.url, SECRET):
        case Failure(error):
            return webhook_response(str(error), 401)
        case Success(token):
            job = token.reference
    match webhook_parse(request.method, dict(request.headers), request.get_data()):
        case Failure(error):
            return webhook_response(str(error), 400)
        case Success(body):
            with one_at_a_time:
                run = runs[body.run_id] = webhook_progress(runs.get(body.run_id), body)
            app.logger.info("job %s: run %s is %s, %s of 1", job, run.run_id, run.status, run.progress)
            return webhook_response()
