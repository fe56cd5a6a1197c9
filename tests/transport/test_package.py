"""Which of httpx and httpx2 a client of ours is of."""

from __future__ import annotations

import sys

import httpx
import httpx2
import pytest

from picoworkers_async import AsyncPicoworkers, InvalidRequestError
from picoworkers_async.sandbox import Sandbox
from picoworkers_async.transport.clients import OwnClient, client_over, client_with_lanes, package_of_transport
from picoworkers_async.transport.package import default_package

HOME = "http://127.0.0.1/"


def own(transport: object) -> OwnClient:
    package = package_of_transport(transport)
    return OwnClient(package, lambda: client_over(transport, package), "own", ours=False, paced=False)


def test_without_a_transport_it_is_httpx_and_httpx2_where_that_alone_is_there(monkeypatch) -> None:
    assert default_package() is sys.modules["httpx"]
    monkeypatch.setitem(sys.modules, "httpx", None)
    assert default_package() is httpx2
    client = client_with_lanes(default_package(), 1, HOME)
    assert isinstance(client, httpx2.AsyncClient)
    assert isinstance(client._transport._make(), httpx2.AsyncHTTPTransport)


@pytest.mark.parametrize("package", [httpx, httpx2], ids=["of httpx", "of httpx2"])
def test_a_transport_is_sent_through_by_a_client_of_its_own_package(package) -> None:
    source = own(package.MockTransport(lambda request: package.Response(200)))
    request = source.request("POST", HOME, source.headers({"A": "b"}), b"{}", {})
    assert isinstance(source.client, package.AsyncClient)
    assert isinstance(request, package.Request)
    assert isinstance(request.stream, package.AsyncByteStream)


@pytest.mark.parametrize("wrong", [httpx.HTTPTransport, httpx2.AsyncClient, object])
def test_what_is_no_asynchronous_transport_of_either_is_refused_by_name(wrong) -> None:
    with pytest.raises(InvalidRequestError, match="httpx or httpx2") as caught:
        AsyncPicoworkers("user_id", "api_secret", transport=wrong())
    assert [problem.field for problem in caught.value.problems] == ["transport"]


@pytest.mark.anyio
@pytest.mark.parametrize("package", [httpx, httpx2], ids=["of httpx", "of httpx2"])
async def test_a_client_of_either_can_ask_a_sandbox_in_process(package) -> None:
    async with package.AsyncClient(transport=Sandbox().transport()) as client:
        response = await client.get("https://picoworkers.com/api/nowhere")
    assert isinstance(response, package.Response)
    assert response.status_code == 404
