"""The files that may be uploaded, for any media types of this machine."""

import io

import pytest

from comfydeploy._wire import upload as module
from comfydeploy._wire.upload import StorageUpload, Upload, Window, checked_storage_upload, checked_upload
from comfydeploy.errors import SDKValidationError
from comfydeploy.funcs import file_upload


@pytest.fixture
def types(monkeypatch):
    """Set one media type for every name on this machine: ``types("image/png")``."""

    def know(media_type):
        monkeypatch.setattr(module, "guess_type", lambda _: (media_type, None))

    return know


def refusal(content, name):
    with pytest.raises(SDKValidationError) as raised:
        checked_upload(content, name, None)
    (problem,) = raised.value.problems
    return problem.path, raised.value.message


@pytest.mark.parametrize("suffix", [".txt", ".md", ".csv", ".glb", ".gltf", ".obj", ".stl", ".TXT", ".Glb"])
def test_refused_suffixes(types, suffix):
    types("image/png")
    path, message = refusal(b"x", f"a{suffix}")
    assert path == "$.name"
    assert message == f"name: expected an image, video, audio or application file, got 'a{suffix}'"


@pytest.mark.parametrize("kind", ["image", "video", "audio", "application"])
def test_accepted_kinds(types, kind):
    types(f"{kind}/x")
    assert checked_upload(b"x", "a.x", None).media_type == f"{kind}/x"


@pytest.mark.parametrize("kind", ["text", "model", "font"])
def test_refused_kinds(types, kind):
    types(f"{kind}/x")
    assert refusal(b"x", "a.x")[0] == "$.name"


def test_unknown_kind_is_bytes(types):
    types(None)
    assert checked_upload(b"x", "a.x", None).media_type == "application/octet-stream"


def test_largest_size(monkeypatch):
    monkeypatch.setattr(module, "LIMIT", 3_000)
    assert checked_upload(bytes(3_000), "a.png", None).size == 3_000
    assert refusal(bytes(3_001), "a.png") == ("$.file", "file: expected at most 3,000 bytes, got 3,001")


def test_largest_size_in_storage(monkeypatch):
    monkeypatch.setattr(module, "STORAGE_LIMIT", 3_000)
    assert checked_storage_upload(bytes(3_000), "a.txt", None).size == 3_000
    with pytest.raises(SDKValidationError, match=r"^file: expected at most 3,000 bytes, got 3,001"):
        checked_storage_upload(bytes(3_001), "a.txt", None)


def test_size_limits_are_those_of_the_servers():
    assert (module.LIMIT, module.STORAGE_LIMIT) == (250 * 2**20, 5 * 2**30)  # of the service, and of S3 for one request


def test_repr_is_without_content():
    assert "secret" not in repr(Upload("a.png", 6, b"secret"))


def test_form_has_one_file():
    upload = Upload("a.png", 3, b"PNG", boundary="b")
    assert upload.head == (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    )
    assert upload.tail == b"\r\n--b--\r\n"
    length = len(upload.head + b"PNG" + upload.tail)
    assert upload.headers == {"content-type": "multipart/form-data; boundary=b", "content-length": str(length)}


def test_storage_gets_the_bytes_alone():
    upload = StorageUpload("a.png", 3, b"PNG")
    assert (upload.head, upload.tail) == (b"", b"")
    assert upload.headers == {"content-type": "image/png", "content-length": "3"}


def test_content_begins_at_its_start():
    assert Upload("a.png", 1, b"x").start == 0


@pytest.mark.parametrize(
    "make", [lambda content: content, io.BytesIO, lambda content: io.BufferedReader(io.BytesIO(content))]
)
def test_no_more_than_announced_is_read(make):
    upload = checked_upload(make(b"0123456789"), "a.png", None)
    window = Window(upload)
    window.open()
    assert [window.read(7), window.read(7), window.read(7)] == [b"0123456", b"789", b""]
    window.close()
    assert window.read(7) == b""


def test_file_that_grows_is_cut(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"0123")
    window = Window(checked_upload(path, None, None))
    path.write_bytes(b"0123456789")
    window.open()
    assert window.read(100) == b"0123"
    window.close()


def test_response_may_take_minutes():
    assert file_upload.OPERATION.read_timeout == 300.0


def test_file_that_became_shorter_is_an_error(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"0123")
    window = Window(checked_upload(path, None, None))
    path.write_bytes(b"")
    window.open()
    with pytest.raises(OSError, match=r"'a.png' became shorter while it was sent"):
        window.read(100)
    window.close()


class Awaited:
    async def read(self, size):
        return b""


@pytest.mark.parametrize(
    ("given", "name", "progress", "message"),
    [
        (b"x", 5, None, "name: expected a file name, got 5"),
        (b"x", "", None, "name: expected a file name, got ''"),
        (b"x", None, None, "name: required: the server checks the name of the file"),
        (b"x", "a\ud800.png", None, "name: cannot be encoded as UTF-8: 'a\\ud800.png'"),
        (b"x", "a.png", 5, "progress: expected a function, got int"),
        (5, "a.png", None, "file: expected a path, bytes or a binary file, got int"),
        (
            "no-such-file.png",
            None,
            None,
            "file: cannot be read: [Errno 2] No such file or directory: 'no-such-file.png'",
        ),
        (Awaited(), "a.png", None, "file: expected a path, bytes or a binary file, got one whose read() is async"),
        (io.StringIO(), "a.png", None, "file: expected a file opened in binary mode, got one in text mode"),
    ],
)
def test_wrong_argument_is_named(given, name, progress, message):
    with pytest.raises(SDKValidationError) as raised:
        checked_upload(given, name, progress)
    assert raised.value.message == message
    assert [problem.path for problem in raised.value.problems] == [f"$.{message.partition(':')[0]}"]


def test_claim_of_a_parent_process_is_replaced(monkeypatch):
    file = io.BufferedReader(io.BytesIO(b"x"))
    monkeypatch.setitem(module._MOVING, id(file), (-1, object()))
    with module._claimed(file), pytest.raises(SDKValidationError, match="another upload"), module._claimed(file):
        pass


def test_moved_file_returns_to_its_place():
    file = io.BufferedReader(io.BytesIO(b"0123"))
    file.seek(1)
    for _ in range(2):
        window = Window(checked_upload(file, "a.png", None))
        window.open()
        with pytest.raises(SDKValidationError) as raised:
            checked_upload(file, "a.png", None)
        assert str(raised.value) == "file: another upload is reading it: open the file once for each upload"
        assert (window.read(2), window.read(2)) == (b"12", b"3")
        window.close()
        window.close()
        assert (file.tell(), module._MOVING) == (1, {})
    window = Window(checked_upload(file, "a.png", None))
    window.open()
    file.close()
    window.close()
    assert module._MOVING == {}


@pytest.mark.parametrize("source", ["path", b"0123"])
def test_window_that_was_closed_opens_nothing(tmp_path, source):
    (tmp_path / "a.png").write_bytes(b"0123")
    window = Window(checked_upload(tmp_path / "a.png" if source == "path" else source, "a.png", None))
    window.close()
    window.open()
    assert window.read(4) == b""


def test_file_with_a_read_of_its_own(tmp_path):
    class Loud(io.BufferedReader):
        def read(self, size=-1):
            return super().read(size).upper()

    (tmp_path / "a.png").write_bytes(b"abc")
    with Loud(io.FileIO(tmp_path / "a.png")) as file:
        window = Window(checked_upload(file, "a.png", None))
        window.open()
        assert window.read(9) == b"ABC"
        window.close()


def test_name_is_that_of_the_file(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"0123")
    assert [checked_upload(file, None, None).name for file in (path, str(path))] == ["a.png"] * 2
    assert checked_upload(path, "b.png", None).name == "b.png"
    with path.open("rb") as file, open(file.fileno(), "rb", closefd=False) as unnamed:
        assert checked_upload(file, None, None).name == "a.png"
        with pytest.raises(SDKValidationError, match=r"^name: required"):
            checked_upload(unnamed, None, None)


def test_folder_is_no_file(tmp_path):
    with pytest.raises(SDKValidationError) as raised:
        checked_upload(tmp_path, None, None)
    assert str(raised.value) == f"file: expected a file, {tmp_path} is not one"


def test_closed_file_cannot_be_read():
    file = io.BytesIO(b"x")
    file.close()
    with pytest.raises(SDKValidationError, match=r"file: cannot be read: I/O operation on closed file"):
        checked_upload(file, "a.png", None)


@pytest.mark.skipif(module._PREAD is None, reason="this system reads files by moving their position")
@pytest.mark.parametrize("mode", [{"buffering": 0}, {}, {"mode": "r+b"}])
def test_file_of_the_system_is_read_twice_at_once(tmp_path, mode):
    path = tmp_path / "a.png"
    path.write_bytes(b"0123")
    with path.open(**{"mode": "rb"} | mode) as file:
        windows = [Window(checked_upload(file, None, None)) for _ in range(2)]
        for window in windows:
            window.open()
        assert [window.read(3) + window.read(3) for window in windows] == [b"0123"] * 2
        for window in windows:
            window.close()


def test_two_uploads_of_a_file_are_equal():
    first, second = (checked_upload(b"secret", "a.png", print) for _ in range(2))
    assert first == second
    assert repr(first) == "Upload(name='a.png', size=6, start=0)"
    assert len(first.boundary) == 32
    assert first.boundary != second.boundary


@pytest.mark.parametrize(
    ("code", "sent"), [(0, "%00"), (31, "%1F"), (34, "%22"), (127, "%7F"), (92, "\\\\"), (32, " ")]
)
def test_name_stays_within_its_quotes(code, sent):
    head = checked_upload(b"x", f"a{chr(code)}b.png", None).head
    assert f'filename="a{sent}b.png"\r\n'.encode() in head


def test_file_is_sent_from_its_place(tmp_path):
    file = io.BufferedReader(io.BytesIO(b"0123"))
    file.seek(2)
    upload = checked_upload(file, "a.png", None)
    file.seek(0)
    window = Window(upload)
    window.open()
    assert window.read(9) == b"23"
    window.close()
    (tmp_path / "a.png").write_bytes(b"0123")
    assert checked_upload(tmp_path / "a.png", None, None).start == 0
    assert checked_upload(b"0123", "a.png", None).start == 0
    moved = io.BytesIO(b"0123")
    moved.seek(1)
    upload = checked_upload(moved, "a.png", None)
    assert (upload.source, upload.start, upload.size) == (b"123", 0, 3)
    with (tmp_path / "a.png").open("rb") as plain:
        plain.seek(1)
        window = Window(checked_upload(plain, None, None))
        window.open()
        assert (window.read(2), window.read(2)) == (b"12", b"3")
        window.close()


def test_place_after_the_end_leaves_nothing(tmp_path):
    (tmp_path / "a.png").write_bytes(b"0123")
    with (tmp_path / "a.png").open("rb") as file:
        file.seek(100)
        assert checked_upload(file, None, None).size == 0


class Odd:
    """A file that cannot return to its place."""

    name, place = "a.png", 0

    def read(self, size):
        return b"0123"[: size if size >= 0 else 4]

    def tell(self):
        return self.place

    def seek(self, place, whence=0):
        if whence == 0 and self.place == 4:
            raise OSError("no way back")
        self.place = 4 if whence else place


def test_file_without_way_back_is_examined():
    assert checked_upload(Odd(), None, None).size == 4


def test_read_that_is_no_function_is_named():
    odd = Odd()
    odd.read = 5
    assert refusal(odd, "a.png") == ("$.file", "file: expected a path, bytes or a binary file, got Odd")
