"""The certificates that the environment names: what is wrong is told on entering, and a change is seen."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import trustme

from picoworkers_async import AsyncPicoworkers, ClientStateError, Fate, NotSentError, RetryPolicy, SharedTransport
from picoworkers_async.transport.tls import environment_tls, environment_tls_is_loaded
from tests.support.peer import Peer, served_by_tls

pytestmark = pytest.mark.anyio

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n" + b'{"earned":1,"spendable":25}'


@pytest.fixture(autouse=True)
def nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


def client(base_url: str, transport: Any = None) -> AsyncPicoworkers:
    retry = RetryPolicy(attempts=1)
    return AsyncPicoworkers("user_id", "api_secret", base_url=base_url, transport=transport, retry=retry)


@pytest.mark.each_package
@pytest.mark.parametrize("over", [None, "lanes", "client", "shared"])
@pytest.mark.parametrize(
    ("variable", "what"),
    [
        ("SSL_CERT_FILE", "missing"),
        ("SSL_CERT_FILE", "junk"),
        ("SSL_CERT_FILE", "empty"),
        ("SSL_CERT_FILE", "folder"),
        ("SSL_CERT_DIR", "missing"),
        ("SSL_CERT_DIR", "junk"),
        ("SSL_CERT_DIR", "folder"),
    ],
)
async def test_certificates_that_are_none_are_named_on_entering(
    over, variable, what, monkeypatch, tmp_path: Path
) -> None:
    (tmp_path / "junk").write_text("junk")
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    monkeypatch.setenv(variable, str(tmp_path / what))
    async with SharedTransport() as shared:
        pico = client("https://localhost:1/api/", shared if over == "shared" else over)
        with pytest.raises(ClientStateError) as caught:
            await pico.__aenter__()
        assert f"nothing was sent: certificates cannot be loaded from {variable}='{tmp_path / what}': " in str(
            caught.value
        )
        assert caught.value.fate is Fate.NOT_PROCESSED
        monkeypatch.delenv(variable)
        async with pico:
            assert "transport=" in repr(pico)


@pytest.mark.parametrize("over", [None, "lanes", "client"])
async def test_a_client_trusts_what_the_environment_names_when_it_is_entered(
    over, monkeypatch, tmp_path: Path
) -> None:
    def other() -> None:
        trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))

    async def works() -> bool:
        try:
            async with client(peer.base.replace("http:", "https:"), over) as pico:
                await pico.users.get_balances()
        except NotSentError:
            return False
        return True

    other()
    with Peer(lambda connection, _: connection.sendall(ANSWER), served_by_tls(monkeypatch, tmp_path)) as peer:
        assert await works()
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other.pem"))
        assert not await works()
        # In the same place, as when certificates are renewed.
        os.replace(tmp_path / "ca.pem", tmp_path / "other.pem")
        assert await works()


def test_the_same_certificates_are_loaded_once(monkeypatch, tmp_path: Path) -> None:
    served_by_tls(monkeypatch, tmp_path)
    assert not environment_tls_is_loaded()
    assert environment_tls() is environment_tls()
    assert environment_tls_is_loaded()
