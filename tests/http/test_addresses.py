"""An address is parsed once, by the library of the client."""

import httpx
import httpx2
import pytest

from comfydeploy._http.addresses import address, library_of


class Subclass(httpx.Client):
    """A client of a caller."""


@pytest.mark.parametrize(("kind", "library"), [(httpx.Client, httpx), (Subclass, httpx), (httpx2.AsyncClient, httpx2)])
def test_address_is_of_the_library(kind, library):
    client = kind.__new__(kind)
    found = address(client, "http://host/path?a=1")
    assert found == library.URL("http://host/path?a=1")
    assert address(client, "http://host/path?a=1") is found


def test_other_clients_get_the_text():
    assert library_of(object) is None
    assert address(object(), "http://host/") == "http://host/"
