"""The quick server and the quick client."""

import gc

import pytest
from quick_server import QuickServer
from work import quick_client


@pytest.fixture(scope="module")
def quick_server():
    made = QuickServer()
    yield made
    made.close()


@pytest.fixture
def server(quick_server):
    quick_server.forget()
    return quick_server


@pytest.fixture(scope="module", autouse=True)
def _quick():
    with quick_client():
        yield


@pytest.fixture(scope="module", autouse=True)
def _quick_collections():
    """Freeze earlier objects, so that the garbage collector checks only those of the module."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
