import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from sweeper.local.testing import RunningPlane, running_plane
from sweeper.runai.transport import tls_context
from tests.runai.wire_faults.calls import Place


@pytest.fixture(scope="package")
def running() -> Iterator[RunningPlane]:
    with running_plane() as plane:
        yield plane


@pytest.fixture
async def place(running: RunningPlane) -> AsyncIterator[Place]:
    """The control plane over sockets, past whatever breaks them."""
    async with httpx.AsyncHTTPTransport(verify=False) as transport:
        yield Place(
            transport=transport,
            origin=running.base_url,
            client_id=running.client_id,
            client_secret=running.client_secret,
            project_id=running.project_id,
            cluster_id=running.cluster_id,
        )


@pytest.fixture(scope="package")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One authority in place of all the usual ones, which take long to load for each client."""
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    usual = tls_context().get_ca_certs(binary_form=True)
    file.write_text(ssl.DER_cert_to_PEM_cert(usual[0]))
    return file
