"""Uploads of assets: the file goes to the storage alone, and what was registered is found again."""

import json

import httpx
import pytest

from comfydeploy import BackoffStrategy, ComfyDeployCore, RequestOptions, RetryConfig, errors, unwrap
from comfydeploy.funcs.asset_upload import asset_upload

LARGE = bytes(range(256)) * 10_000  # more than one read
AT_ONCE = RetryConfig("backoff", BackoffStrategy(0.0, 0.0, 1.0, 60.0))
SIGNED = "http://storage/assets/img_0.png?X-Amz-SignedHeaders=content-type%3Bhost&X-Amz-Signature=s"
TARGET = {
    "url": SIGNED,
    "download_url": "http://storage/assets/img_0.png",
    "file_id": "img_0",
    "db_path": "a/img_0.png",
}
ASSET = {"id": "img_0", "name": "cat.png", "path": "a/img_0.png"}


class Service:
    """Answers each request, by its method and the end of its path, with the next of its answers; the last one stays."""

    def __init__(self, **answers):
        usual = {"sign": TARGET, "store": 200, "register": ASSET, "read": 404}
        self.answers = {name: [*answers.get(name, [usual[name]])] for name in usual}
        self.requests = []

    def __call__(self, request):
        by_method = {"PUT": "store", "POST": "register"}
        name = by_method.get(request.method, "sign" if "presigned" in request.url.path else "read")
        self.requests.append((name, request))
        answers = self.answers[name]
        given = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(given, Exception):
            raise given
        return (
            httpx.Response(given, json={"detail": "no"}) if isinstance(given, int) else httpx.Response(200, json=given)
        )

    @property
    def names(self):
        return [name for name, _ in self.requests]

    def the(self, name):
        return next(request for found, request in self.requests if found == name)


@pytest.fixture
def upload(calls):
    """Upload a small file to a service."""

    def run(service, options=None, *, file=b"cat", retry_config=None, **named):
        core = calls.core("http://service/api", transport=httpx.MockTransport(service), retry_config=retry_config)
        return calls("asset_upload", core, file, options, **{"name": "cat.png", **named})

    return run


@pytest.fixture(params=["path", "bytes", "file"])
def source(request, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_bytes(b"...." + LARGE if request.param == "file" else LARGE)
    if request.param == "file":
        with path.open("rb") as file:
            file.seek(4)
            yield file
    else:
        yield path if request.param == "path" else LARGE


class TestAFile:
    def test_of_any_kind_is_stored_whole(self, calls, emulator, source):
        core, reports = calls.core(emulator.url, bearer=emulator.bearer), []
        name = {"name": "notes.txt"} if isinstance(source, bytes) else {}
        asset = unwrap(
            calls("asset_upload", core, source, parent_path="a", progress=lambda *far: reports.append(far), **name)
        )
        assert (asset.name, asset.mime_type, asset.file_size) == ("notes.txt", "text/plain", len(LARGE))
        assert asset.path == f"a/{asset.id}.txt"
        assert httpx.get(asset.url).content == LARGE
        assert (len(reports) > 1, reports[-1]) == (True, (len(LARGE), len(LARGE)))
        unwrap(calls("asset_delete", core, asset.id))

    def test_goes_to_storage_without_secrets(self, upload):
        service = Service()
        asset = unwrap(upload(service, RequestOptions(headers={"x-own": "1"}), parent_path="/a/"))
        assert asset.id == "img_0"
        assert service.names == ["sign", "store", "register"]
        assert dict(service.the("sign").url.params) == {
            "file_name": "cat.png",
            "parent_path": "a",
            "size": "3",
            "type": "image/png",
        }
        stored = service.the("store")
        assert (str(stored.url), stored.content) == (SIGNED, b"cat")
        assert dict(stored.headers).keys() == {"accept", "user-agent", "content-type", "content-length", "host"}
        assert (stored.headers["content-type"], stored.headers["content-length"]) == ("image/png", "3")
        assert json.loads(service.the("register").content) == {
            "file_id": "img_0",
            "file_name": "cat.png",
            "file_size": 3,
            "db_path": "a/img_0.png",
            "url": TARGET["download_url"],
            "mime_type": "image/png",
        }

    def test_of_public_storage_has_signed_access(self, upload):
        signed = SIGNED.replace("host", "host%3Bx-amz-acl")
        service = Service(sign=[{**TARGET, "url": signed}])
        unwrap(upload(service))
        assert service.the("store").headers["x-amz-acl"] == "public-read"

    def test_is_sent_in_pieces(self):
        sizes = []

        class Transport(httpx.BaseTransport):
            def handle_request(self, request):
                if request.method == "PUT":
                    sizes.extend(map(len, request.stream))
                return Service()(request)

        with ComfyDeployCore(bearer="k", server_url="http://service/api", transport=Transport()) as core:
            unwrap(asset_upload(core, LARGE, name="cat.png"))
        assert sum(sizes) == len(LARGE)
        assert max(sizes) <= 64 * 1024


class TestAFailure:
    @pytest.mark.parametrize(
        ("answers", "sent"),
        [
            ({"sign": [500]}, ["sign"]),
            ({"sign": [httpx.ReadError("reset")]}, ["sign"]),
            ({"sign": [{**TARGET, "url": "file:///etc/passwd"}]}, ["sign"]),
            ({"sign": [{"url": SIGNED}]}, ["sign"]),
            ({"store": [403]}, ["sign", "store"]),
            ({"store": [302]}, ["sign", "store"]),
            ({"store": [422]}, ["sign", "store"]),
            ({"store": [httpx.ReadError("reset")]}, ["sign", "store"]),
        ],
    )
    def test_before_registration_leaves_no_asset(self, upload, answers, sent):
        service = Service(**answers)
        error = upload(service).failure()
        assert (service.names, error.fate) == (sent, "not_sent")
        assert "there is no asset" in error.hint
        assert "X-Amz-Signature=s" not in repr(error)

    @pytest.mark.parametrize("status", [400, 401, 404])
    def test_of_refused_registration_is_final(self, upload, status):
        service = Service(register=[status])
        error = upload(service, retry_config=AT_ONCE).failure()
        assert (error.status_code, error.fate, service.names) == (status, "answered", ["sign", "store", "register"])

    def test_of_validation_is_final(self, upload):
        detail = {"detail": [{"loc": ["body", "url"], "msg": "bad", "type": "value_error"}]}
        service = Service()
        service.answers["register"] = [422]
        answer = httpx.Response(422, json=detail)
        wrapped = lambda request: answer if request.method == "POST" else service(request)  # noqa: E731 - short
        assert isinstance(upload(wrapped).failure(), errors.HTTPValidationError)
        assert service.names == ["sign", "store"]


class TestRetries:
    def test_repeat_signing_and_storing(self, upload):
        service = Service(sign=[503, TARGET], store=[503, httpx.ReadError("reset"), 200])
        assert unwrap(upload(service, retry_config=AT_ONCE)).id == "img_0"
        assert service.names == ["sign", "sign", "store", "store", "store", "register"]
        assert {request.content for name, request in service.requests if name == "store"} == {b"cat"}

    def test_of_broken_connections_end(self, upload):
        service = Service(store=[httpx.WriteError("reset")])
        assert isinstance(upload(service, retry_config=AT_ONCE).failure(), errors.ConnectionError)
        assert service.names == ["sign", "store", "store", "store"]
