"""Pages, and the rows of all of them."""

import asyncio

from comfydeploy._facade.pages import AsyncRaisingPages, RaisingPages
from comfydeploy.errors import SDKError
from comfydeploy.paging import AsyncPages, Pages
from comfydeploy.result import Failure, Success

LOST = Failure(SDKError("broken", 500))


def read(items):
    """Return each page as it is taken, to see how many were."""
    return Pages(iter(items))


def read_async(items):
    async def each():
        for item in items:
            yield item

    return AsyncPages(each())


def listed(asynchronous):
    async def collect():
        return [item async for item in asynchronous]

    return asyncio.run(collect())


def raised(iterator):
    found = []
    try:
        found.extend(iterator)
    except SDKError as error:
        found.append(error.status_code)
    return found


def raised_async(asynchronous):
    async def collect():
        found = []
        try:
            async for item in asynchronous:
                found.append(item)  # noqa: PERF401 - what came before the error counts
        except SDKError as error:
            found.append(error.status_code)
        return found

    return asyncio.run(collect())


ITEMS = [Success([1, 2]), Success([]), Success([3]), LOST]


def test_pages_come_as_they_are():
    assert [*read(ITEMS)] == listed(read_async(ITEMS)) == ITEMS


def test_rows_of_all_pages_come_in_order():
    expected = [Success(1), Success(2), Success(3), LOST]
    assert [*read(ITEMS).rows()] == listed(read_async(ITEMS).rows()) == expected


def test_rows_go_on_after_pages_taken():
    pages = read(ITEMS)
    next(pages)
    assert [*pages.rows()] == [Success(3), LOST]


def test_page_is_read_when_its_rows_are_needed():
    taken = []

    def each():
        for item in ITEMS:
            taken.append(item)
            yield item

    rows = Pages(each()).rows()
    assert (next(rows), next(rows), len(taken)) == (Success(1), Success(2), 1)


def test_failure_is_raised_after_earlier_rows():
    assert raised(RaisingPages(read(ITEMS)).rows()) == [1, 2, 3, 500]
    assert raised(RaisingPages(read(ITEMS))) == [[1, 2], [], [3], 500]
    assert raised_async(AsyncRaisingPages(read_async(ITEMS)).rows()) == [1, 2, 3, 500]
    assert raised_async(AsyncRaisingPages(read_async(ITEMS[:3])).rows()) == [1, 2, 3]
    assert raised_async(AsyncRaisingPages(read_async(ITEMS))) == [[1, 2], [], [3], 500]
