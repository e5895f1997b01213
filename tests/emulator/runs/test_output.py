from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from comfydeploy._emulator.runs.output import Output, OutputFile


def output(data, output_id="result") -> Output:
    return Output(
        id="o",
        output_id=output_id,
        run_id="r",
        node="9",
        node_class="LocalUi",
        data=data,
        created_at=datetime(2026, 11, 23, tzinfo=UTC),
    )


def file(filename) -> OutputFile:
    return OutputFile(filename=filename, upload_duration=0.5)


def test_output_holds_files_and_texts_of_any_kind():
    made = output({"gifs": [file("a.gif"), file("b.mp4")], "text": ["hello", True]})
    shown = made.output_json("http://here/")["data"]
    assert [item["url"] for item in shown["gifs"]] == [
        "http://here/outputs/runs/r/a.gif",
        "http://here/outputs/runs/r/b.mp4",
    ]
    assert shown["text"] == made.event_json("")["text"] == made.webhook_json("")["data"]["text"] == ["hello", True]


def test_node_class_is_shown_without_files_only():
    assert output({"text": []}).output_json("")["node_meta"] == {"node_id": "9", "node_class": "LocalUi"}
    assert output({"images": [file("a.png")]}).output_json("")["node_meta"] == {"node_id": "9"}


def test_files_of_unnamed_output_have_no_name():
    found = output({"images": [file("a.png")]}, None).event_json("")["images"][0]
    assert list(found) == ["filename", "subfolder", "type", "url", "upload_duration", "is_public"]


def test_address_of_file_holds_any_name():
    made = file("50% of #1?.png")
    assert output({}).url(made, "http://here/") == "http://here/outputs/runs/r/50%25%20of%20%231%3F.png"


@pytest.mark.parametrize("name", ["", ".", "..", "../a.png", "a/b.png", "a\\b.png", "a\0.png"])
def test_file_whose_name_is_path_is_refused(name):
    with pytest.raises(ValidationError, match="plain name"):
        file(name)


def test_outputs_are_read_as_they_were_written():
    made = output({"images": [file("a.png")], "meta": [{"a": 1}, None, 1.5, "a.png"]})
    assert Output.model_validate_json(made.model_dump_json()) == made
