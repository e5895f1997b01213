"""Files among inputs: which values are files, their uploads, and their addresses."""

import io
import json
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated_service import LOST, Service

from comfydeploy._wire.file_values import is_file, is_file_list
from comfydeploy._wire.input_files import uploading
from comfydeploy.errors import SDKValidationError
from comfydeploy.funcs import file_upload
from comfydeploy.result import Failure

PICTURE = ("a.png", b"a picture")
VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text() | st.integers())


def uploaded(service, inputs, deadline=None):
    return service.run(partial(uploading, operation=file_upload.OPERATION, inputs=inputs), deadline)


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "b.png"
    path.write_bytes(PICTURE[1])
    return path


@given(st.dictionaries(st.text(), VALUES))
def test_values_pass_untouched(inputs):
    service = Service()
    assert uploaded(service, inputs).unwrap() == inputs
    assert service.sent == []


def test_each_kind_of_file_becomes_address(picture):
    service = Service()
    with picture.open("rb") as file:
        inputs = {"path": picture, "pair": ("c.png", b"1"), "file": file, "text": str(picture), "n": 5}
        found = uploaded(service, inputs).unwrap()
    assert found == {**inputs, "path": "https://files/1", "pair": "https://files/2", "file": "https://files/1"}
    assert [action.argument["name"] for _, action in service.sent] == [None, "c.png"]
    assert [action.operation.encode(action.argument).upload.size for _, action in service.sent] == [9, 1]
    assert all(action.retries for _, action in service.sent)


def test_equal_content_is_uploaded_once(picture):
    service = Service()
    inputs = {"a": PICTURE, "b": picture, "c": [PICTURE, ("x.png", b"A PICTURE"), picture]}
    found = uploaded(service, inputs).unwrap()
    assert service.names == ["upload", "upload"]
    assert found["a"] == found["b"] == "https://files/1"
    assert json.loads(found["c"]) == ["https://files/1", "https://files/2", "https://files/1"]


def test_unique_size_is_read_once():
    service = Service()
    uploaded(service, {"a": ("a.png", b"1"), "b": ("b.png", b"12")})
    assert (service.computed, service.names) == (0, ["upload", "upload"])


def test_list_of_files_and_addresses_is_json_text():
    found = uploaded(Service(), {"batch": ["https://x", PICTURE], "plain": ["https://x", 5], "empty": []}).unwrap()
    assert found == {"batch": '["https://x", "https://files/1"]', "plain": ["https://x", 5], "empty": []}


def test_all_that_cannot_be_uploaded_is_named(tmp_path):
    inputs = {"a": tmp_path / "none.png", "b": [PICTURE, 5], "c": io.BytesIO(b"x"), "d": ("a.txt", b"x")}
    service = Service()
    with pytest.raises(SDKValidationError) as caught:
        uploaded(service, inputs)
    assert [problem.path for problem in caught.value.problems] == [
        "$.inputs.a",
        "$.inputs.b[1]",
        "$.inputs.c",
        "$.inputs.d",
    ]
    assert "expected a file or an address among files, got int" in str(caught.value)
    assert service.sent == []


def test_file_that_cannot_be_read_is_failure(picture):
    service = Service()
    service._upload = None
    steps = uploading_after(service, {"a": PICTURE, "b": picture}, picture.unlink)
    error = steps.failure()
    assert isinstance(error, SDKValidationError)
    assert error.problems[0].path == "$.inputs.b"
    assert "cannot be read" in error.message


def uploading_after(service, inputs, change):
    """Upload inputs that change after they were checked."""
    service._upload = lambda _: (change(), Service()._upload(None))[1]
    return uploaded(service, inputs)


def test_upload_that_fails_names_its_input():
    service = Service()
    service.broken = {"upload": [LOST]}
    error = uploaded(service, {"image": [PICTURE]}).failure()
    assert (error.fate, error.message) == ("unknown", "lost")
    assert error.hint == "It is the upload of the file at $.inputs.image[0]."


def test_deadline_is_for_all_uploads():
    service = Service(latency=1.0)
    uploaded(service, {"a": ("a.png", b"1"), "b": ("b.png", b"12")}, deadline=5)
    assert [action.seconds for _, action in service.sent] == [5, 4]


@pytest.mark.parametrize("inputs", [None, 5, "x", [PICTURE]])
def test_inputs_must_be_mapping(inputs):
    with pytest.raises(SDKValidationError, match=r"^inputs: expected a mapping"):
        uploaded(Service(), inputs)


class Evil:
    def __getattr__(self, name):
        raise LookupError(name)


def test_other_values_are_not_files():
    for value in ("a.png", b"x", 5, None, [PICTURE], ("a", "b"), ["a.png", b"x"], Evil(), {"a": PICTURE}):
        assert is_file(value) is False


def test_pair_is_file_and_no_list_of_files():
    assert is_file(PICTURE)
    assert not is_file_list(PICTURE)
    assert is_file_list([PICTURE])
    assert is_file_list((Path("x"), "https://x"))
    assert not is_file_list("a.png")
    assert not isinstance(uploaded(Service(), {"a": PICTURE}), Failure)
