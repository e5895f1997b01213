"""A web service that draws pictures: it queues a run, receives its webhooks and serves the picture.

Start it: COMFYDEPLOY_API_KEY=... DEPLOYMENT_ID=... WEBHOOK_SECRET=a-long-random-text uvicorn fastapi_app:app
"""

import os

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import RedirectResponse

from comfydeploy import ComfyDeployCore, Failure, Success, unwrap
from comfydeploy.funcs.run_get import run_get_async
from comfydeploy.funcs.run_queue import run_queue_async
from comfydeploy.webhooks import WebhookProgress, webhook_parse, webhook_progress, webhook_url, webhook_verify

core = ComfyDeployCore()  # reads COMFYDEPLOY_API_KEY
runs: dict[str, WebhookProgress] = {}  # by run id; a database in a real application
app = FastAPI(on_shutdown=[core.aclose])


@app.post("/pictures", status_code=202)
async def draw(prompt: str, request: Request) -> dict[str, str]:
    webhook = unwrap(webhook_url(str(request.url_for("receive")), os.environ["WEBHOOK_SECRET"]))
    order = {"deployment_id": os.environ["DEPLOYMENT_ID"], "inputs": {"prompt": prompt}, "webhook": webhook}
    match await run_queue_async(core, order):
        case Success(created):
            return {"picture": f"/pictures/{created.run_id}"}
        case Failure(error):
            raise HTTPException(503, str(error))


@app.api_route("/webhook", methods=["GET", "POST"], status_code=204)  # GET too: the server repeats deliveries so
async def receive(request: Request) -> None:
    if isinstance(webhook_verify(str(request.url), os.environ["WEBHOOK_SECRET"]), Failure):
        raise HTTPException(401, "this address was not created by this service")
    delivery = unwrap(webhook_parse(request.method, request.headers, await request.body()))
    runs[delivery.run_id] = webhook_progress(runs.get(delivery.run_id), delivery)


@app.get("/pictures/{run_id}")
async def picture(run_id: str) -> RedirectResponse:
    if run_id not in runs or runs[run_id].status != "success":
        raise HTTPException(404, "there is no such picture, or not yet")
    return RedirectResponse(unwrap(await run_get_async(core, run_id)).outputs[0].files[0].url)  # signed for an hour
