"""No secret is in a text that people read or keep: each secret in each place, after a service has repeated them."""

import contextlib
import io
import logging
import pickle
import traceback

import pytest
from hostile_service import ACCOUNT, HOOK, SECRETS, SIGNATURE, TOKEN, HostileService
from observation import Observed

from comfydeploy import ComfyDeploy, ComfyDeployCore, RequestOptions, tracing, unwrap
from comfydeploy._cli.process import run_command
from comfydeploy.display import html
from comfydeploy.emulator import Emulator, Fails
from comfydeploy.errors import ComfyDeployError
from comfydeploy.funcs.file_download import file_download
from comfydeploy.funcs.run_get import run_get
from comfydeploy.funcs.run_logs import run_logs
from comfydeploy.funcs.run_map import run_map
from comfydeploy.funcs.run_native import run_native
from comfydeploy.funcs.run_queue import run_queue
from comfydeploy.funcs.run_queue_and_wait import run_queue_and_wait
from comfydeploy.funcs.run_wait import run_wait
from comfydeploy.hooks import Hooks
from comfydeploy.mapping import contact_sheet
from comfydeploy.result import Success

PLACES = [
    "repr",
    "error",
    "cause",
    "traceback",
    "pickle",
    "our log",
    "httpx log",
    "httpcore log",
    "span",
    "hook",
    "display",
]
# The loggers of httpx, and those of httpx2, which takes its place.
LOGS = {"httpx": "httpx log", "httpcore": "httpcore log", "httpx2": "httpx log", "httpcore2": "httpcore log"}
NOT_PROMISED = {
    ("signed address", "httpx log"): "httpx logs the addresses of its requests at INFO",
    ("signed address", "pickle"): "body, raw_value and run of an error are what the server sent",
    ("webhook proof", "pickle"): "the same",
}


def calls(core, service):
    """Make each kind of call, and yield its result."""
    order = service.order
    once = RequestOptions(deadline=20)
    yield run_native(core, order)
    yield run_native(core, order | {"inputs": {"a": "bad"}})
    yield run_queue(core, order)
    yield run_queue(core, order | {"inputs": {"a": "422"}})
    yield run_queue(core, order | {"inputs": 5})
    for run_id in ("success", "failed", "html", "list", "other"):
        yield run_get(core, run_id)
    yield run_logs(core, "failed")
    yield run_wait(core, "failed", once)
    yield run_wait(core, "other", once)
    yield run_queue_and_wait(core, order | {"inputs": {"a": "queued"}}, once)
    yield file_download(core, service.signed)
    yield file_download(core, service.signed.replace("/storage", ":nothing"))


def causes(error):
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@pytest.fixture(scope="module")
def texts():
    """Return the text of each place."""
    found = {place: [] for place in PLACES}
    service, observed = HostileService(), Observed()

    def shown(*values):
        found["hook"].extend(map(repr, values))

    class Kept(logging.Handler):
        def emit(self, record):
            name = LOGS.get(record.name.partition(".")[0], "our log")
            if "receive_response_headers" in record.getMessage():
                return  # not promised: httpcore logs the headers of answers
            facts = {name: value for name, value in vars(record).items() if name not in ("args", "msg")}
            found[name].append(f"{record.getMessage()} {facts}")

    handler, loggers = Kept(), [logging.getLogger(name) for name in ("comfydeploy", "calls", *LOGS)]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    tracing.instrument(tracer_provider=observed.traces, meter_provider=observed.meters)
    settings = {
        "bearer": TOKEN,
        "server_url": service.url,
        "debug_logger": logging.getLogger("calls"),
        "hooks": [
            Hooks(before_create_request=shown, before_request=shown, after_success=shown, after_error=shown),
        ],
    }
    try:
        with ComfyDeployCore(**settings) as core, ComfyDeploy(**settings) as client:
            found["repr"] += [repr(core), repr(client), repr(client.run)]
            for result in calls(core, service):
                keep = keep_values if isinstance(result, Success) else keep_error
                keep(found, result)
            for run_id in ("other", "html"):
                try:
                    client.run.get(run_id)
                except ComfyDeployError as error:
                    found["traceback"].append(locals_of_ours(error))
    finally:
        tracing.uninstrument()
        for logger in loggers:
            logger.removeHandler(handler)
            logger.setLevel(logging.NOTSET)
        service.close()
    found["span"].append(observed.text)
    return {place: "\n".join(texts) for place, texts in found.items()}


def keep_values(found, result):
    values = result.unwrap()
    for value in values if isinstance(values, list) else [values]:
        found["repr"] += [repr(value), str(value), repr(result)]
        found["repr"] += map(repr, getattr(value, "files", []))
        found["repr"] += map(repr, getattr(value, "outputs", []))
        found["display"] += [html(value), str(value._repr_mimebundle_())]


def keep_error(found, result):
    error = result.failure()
    found["error"] += [str(error), repr(error), repr(result), error.message, str(error.hint)]
    if hasattr(error, "pretty"):
        found["error"].append(error.pretty())
    found["cause"] += [f"{one!r} {one} {one.args}" for one in causes(error.__cause__)] + ["causes"]
    found["traceback"] += traceback.format_exception(error)
    found["pickle"].append(pickle.dumps(error).decode("latin-1"))
    found["display"].append(html(error))


def locals_of_ours(error):
    """Return the local variables of our frames, as error reports show them."""
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "\n".join(str(frame.locals) for frame in trace.stack if "comfydeploy" in frame.filename)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("secret", SECRETS)
def test_secret_is_in_no_place(texts, secret, place):
    reason = NOT_PROMISED.get((secret, place))
    assert (SECRETS[secret] in texts[place]) == (reason is not None), reason


@pytest.mark.parametrize("place", PLACES)
def test_place_is_read(texts, place):
    assert len(texts[place]) > 200


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Return the files of a map and the output of commands: the text of each place."""
    folder = tmp_path_factory.mktemp("map")
    signed = f"https://storage.invalid/f.png?X-Amz-Signature={SIGNATURE}"
    quote = f"cannot read {signed} for {HOOK} with cd_token={ACCOUNT}"
    with pytest.MonkeyPatch.context() as patch, Emulator(pace=0, bearer=TOKEN, quirks=["noisy-logs"]) as emulator:
        patch.chdir(folder)
        patch.setenv("COMFYDEPLOY_API_KEY", TOKEN)
        patch.setenv("COMFYDEPLOY_SERVER_URL", emulator.url)
        emulator.script("picture", Fails(quote))
        order = {"deployment_id": emulator.deployments["picture"], "inputs": {"prompt": signed}}
        with ComfyDeployCore() as core, run_map(core, [order], journal="night", check=False) as items:
            (item,) = items
            run_id = unwrap(run_queue_and_wait(core, order)).id
        unwrap(contact_sheet("night", "sheet.html"))
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            for failed in (item.result.failure().run_id,):
                run_command(("wait", failed))
            for arguments in (("wait", run_id), ("logs", run_id), ("list",), ("wait", run_id, "--json"), ("doctor",)):
                run_command(arguments)
    return {
        "journal": b"".join(path.read_bytes() for path in folder.glob("night*")).decode("latin-1"),
        "contact sheet": (folder / "sheet.html").read_text(),
        "command line": output.getvalue(),
        "display": html(item) + repr(item),
    }


@pytest.mark.parametrize("place", ["journal", "contact sheet", "command line", "display"])
@pytest.mark.parametrize("secret", SECRETS)
def test_secret_is_not_kept(kept, secret, place):
    assert len(kept[place]) > 200
    assert SECRETS[secret] not in kept[place]
