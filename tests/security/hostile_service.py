"""A service that repeats secrets in bodies, headers, reasons, logs and addresses.

It repeats only secrets that it has received: the storage never receives the token, and the account token is only in
responses of native runs. No good response repeats the token, because the values of a good response are not changed.
"""

import http.server
import json
import re
import threading

from comfydeploy import unwrap
from comfydeploy.webhooks import webhook_url

TOKEN = "tkn-4f9b2c71d0a84e55"
ACCOUNT = "acc-77d10c3e9b6f4812"
SIGNATURE = "5ec2e7a90b13d4c8f6"
HOOK = unwrap(webhook_url("https://hook.invalid/done", "a secret of the receiver", reference="job-7"))
PROOF = re.search(r"webhook_token=([^&]+)", HOOK)[1]
SECRETS = {"token": TOKEN, "account token": ACCOUNT, "signed address": SIGNATURE, "webhook proof": PROOF}

MOMENT = "2026-03-14T09:26:53Z"


class HostileService:
    """The id of a run names its outcome."""

    def __init__(self):
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                service.answer(self)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.signed = f"{self.url}/storage/f.png?X-Amz-Signature={SIGNATURE}"
        self.echo = f"{self.signed} for {HOOK}"
        self.echo_of_all = f"Bearer {TOKEN} on {self.echo}"
        self.echo_of_native = f"{self.echo_of_all} with {json.dumps({'cd_token': ACCOUNT})} and cd_token={ACCOUNT}"
        self.order = {"deployment_id": "d", "webhook": HOOK, "inputs": {"image": self.signed}}
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request):
        body = request.rfile.read(int(request.headers.get("content-length", 0)))
        path = request.path.partition("?")[0]
        status, kind, content = self.content(request.command, path, body)
        request.send_response(status)
        request.send_header("content-type", kind)
        request.send_header("content-length", str(len(content)))
        if status >= 300:
            request.send_header("x-echo", self.echo if path.startswith("/storage") else self.echo_of_all)
        request.end_headers()
        request.wfile.write(content)

    def content(self, method, path, body):
        last = path.rpartition("/")[2]
        if path.startswith("/storage"):
            return 403, "application/xml", f"<Error>{self.echo}</Error>".encode()
        if last == "html":
            return 200, "text/html", self.echo_of_all.encode()
        status, document = self.created(method, path, body) or self.found(path)
        return status, "application/json", json.dumps(document).encode()

    def created(self, method, path, body):
        """Return the response to a POST."""
        if path == "/run":
            native = {"prompt_id": "native", "cd_token": ACCOUNT, "status_endpoint": self.signed}
            return (500, {"detail": self.echo_of_native}) if b'"bad"' in body else (200, native)
        if b'"queued"' in body:
            return 200, {"run_id": "failed"}
        if b'"422"' in body:
            echo = self.echo_of_all
            problem = {"loc": ["body", echo], "msg": echo, "type": "t", "input": json.loads(body)}
            return 422, {"detail": [problem]}
        return (500, {"detail": self.echo_of_all}) if method == "POST" else None

    def found(self, path):
        """Return the response to a GET."""
        reason = {"node_id": "5", "node_type": "KSampler", "exception_type": "ValueError"}
        reason |= {"exception_message": self.echo, "traceback": [self.echo]}
        output = {"id": "o", "run_id": "failed", "data": reason, "created_at": MOMENT, "updated_at": MOMENT}
        documents = {
            "/workflow/w/runs": [self.run("failed") | {"outputs": [output]}],
            "/v2/clickhouse-run-logs/failed": [{"timestamp": MOMENT, "log": self.echo}],
            "/run/success": self.run("success"),
            "/run/failed": self.run("failed"),
            "/run/list": [self.echo_of_all],
        }
        return (200, documents[path]) if path in documents else (404, {"detail": self.echo_of_all})

    def run(self, status):
        file = {"url": self.signed, "type": "output", "filename": "f.png", "subfolder": ""}
        output = {"id": "o", "run_id": status, "data": {"images": [file]}, "created_at": MOMENT, "updated_at": MOMENT}
        return {
            "id": status,
            "status": status,
            "workflow_id": "w",
            "live_status": "Executing KSampler",
            "webhook": HOOK,
            "workflow_inputs": self.order["inputs"],
            "outputs": [output],
            "created_at": MOMENT,
            "ended_at": MOMENT,
        }
