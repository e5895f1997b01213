"""``help`` of the package is one page; otherwise the list of its names is complete."""

import pydoc

import comfydeploy
from comfydeploy import ComfyDeploy, Success


def test_help_is_a_page():
    assert comfydeploy.Success is Success  # a name that was used is not shown either
    text = pydoc.render_doc(comfydeploy, renderer=pydoc.plaintext)
    assert len(text.splitlines()) < 100
    assert "BaseContainer" not in text
    assert "help(client.run.queue)" in text


def test_all_names_can_be_imported_at_once():
    names = {}
    exec("from comfydeploy import *", names)
    assert names.keys() >= set(comfydeploy.__all__)
    assert {"ComfyDeploy", "Failure", "Success", "errors", "unwrap"} <= set(comfydeploy.__all__)


def test_help_of_a_method_names_its_arguments():
    with ComfyDeploy(bearer="k") as client:
        text = pydoc.render_doc(client.run.queue, renderer=pydoc.plaintext)
        group = pydoc.render_doc(client.run, renderer=pydoc.plaintext)
    for part in ("request: A request model", "options: What is different", "Raises:"):
        assert part in text
    assert "Create a run and return its id" in group
