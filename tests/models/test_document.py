"""The common part of the models."""

import pickle

from comfydeploy.models import FoundModel
from comfydeploy.models.document import Document, Documents


def test_documents_are_a_list_with_raw():
    found = Documents([1, 2], raw=[1, 2, None])
    assert (found, found.raw) == ([1, 2], [1, 2, None])
    assert (Documents(), Documents().raw) == ([], ())
    again = pickle.loads(pickle.dumps(found))
    assert (type(again), again, again.raw) == (Documents, [1, 2], [1, 2, None])
    assert not hasattr(found, "__dict__")


def test_raw_is_empty_by_default():
    assert Document().raw == {}
    assert Document(raw={"a": 1}) == Document()


def test_documents_print_their_items():
    assert "FoundModel" in repr(Documents([FoundModel(name="a")]))
