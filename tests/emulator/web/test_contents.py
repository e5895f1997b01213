import pytest

from comfydeploy._emulator.web.contents import MOST_KEPT, Contents


@pytest.mark.parametrize(
    ("content_type", "body", "decoded"),
    [
        ("application/json", b'{"a": [1, null]}', {"a": [1, None]}),
        ("application/problem+json; charset=utf-8", b"[]", []),
        ("", b'{"a": 1}', {"a": 1}),
        ("application/json", b"{no", "{no"),
        ("text/plain", b'{"a": 1}', '{"a": 1}'),
        ("application/octet-stream", b"\xff\x00", "\ufffd\x00"),
        ("application/json", b"", None),
        ("text/plain", b"x" * MOST_KEPT, "x" * MOST_KEPT),
        ("text/plain", b"x" * (MOST_KEPT + 1), None),
        ("multipart/form-data", b"x", "x"),
        ("multipart/form-data; boundary=", b"x", "x"),
        ("multipart/form-data; boundary=b", b"no form", {}),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n--b--',
            {"a": "1"},
        ),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\n1\r\n--b--", {"": "1"}),
        (f"multipart/form-data; boundary={'b' * 500}", b"x", {}),
    ],
)
@pytest.mark.parametrize("piece", [1, 7, 10_000_000])
def test_body_is_decoded_however_it_comes(content_type, body, decoded, piece):
    piece = max(piece, len(body) // 1000)
    contents = Contents(content_type)
    for start in range(0, len(body), piece):
        contents.add(body[start : start + piece])
    assert contents.decoded() == decoded
    assert contents.size == len(body)


def test_fields_of_form_are_limited():
    contents = Contents("multipart/form-data; boundary=b")
    for number in range(5000):
        contents.add(f'--b\r\ncontent-disposition: form-data; name="{number}"\r\n\r\n{"x" * 10_000}\r\n'.encode())
    assert len(contents.decoded()) == 1000
    assert contents.kept <= MOST_KEPT
