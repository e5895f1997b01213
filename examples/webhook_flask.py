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


# GET too: that is how the server repeats a delivery.
@app.route("/webhooks/comfydeploy", methods=["GET", "POST"])
def receive() -> WebhookAnswer:
    match webhook_verify(request.url, SECRET):
        case Failure(error):
            return webhook_response(str(error), 401)
        case Success(token):
            app.logger.info("reference: %s", token.reference)
    match webhook_parse(request.method, dict(request.headers), request.get_data()):
        case Failure(error):
            return webhook_response(str(error), 400)
        case Success(body):
            with one_at_a_time:
                run = runs[body.run_id] = webhook_progress(runs.get(body.run_id), body)
            app.logger.info("%s %s %s %s", run.run_id, run.status, run.progress, run.live_status)
            return webhook_response()
