"""A real `serve` with few files, held by hundreds of connections that dribble: it answers, says little, stays small."""

import resource
import selectors
import shlex
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import pytest

from stack import FhirServer, Mapper, Orthanc
from tests.support.nowhere import Nowhere
from tests.support.stack import TOKEN, session

FILES = 256
ATTACKERS = 500
ROUNDS = 30
"""How often the probes are asked while the attack goes on."""
LASTS_AT_MOST = 60.0
LOG_AT_MOST, MEMORY_AT_MOST = 100_000, 300_000_000


class FewFiles(Mapper):
    """`serve` as a shell starts it that allows few open files."""

    def command(self) -> Sequence[str]:
        return ["sh", "-c", f"ulimit -n {FILES} && exec {shlex.join(super().command())}"]

    def peak_memory(self) -> int:
        """Return the most memory it ever held, in bytes (VmHWM of proc(5))."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024

    def files(self) -> int:
        """Return how many files it has open."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))


@pytest.fixture
def mapper(test_folder: Path) -> Iterator[FewFiles]:
    orthanc = Orthanc(test_folder / "orthanc", plugin_script=None)  # never started: an outage on top of it
    with FewFiles(test_folder / "mapper", orthanc=orthanc, fhir=cast(FhirServer, Nowhere()), token=TOKEN) as running:
        yield running


REQUEST = b"GET /api/studies HTTP/1.1\r\nHost: x\r\n\r\n"
ATTACKS: dict[str, tuple[bytes, bytes]] = {  # what each connection says at once, and again and again
    "say nothing": (b"", b""),
    "dribble a head": (b"GET / HTTP/1.1\r\nHost: x\r\nX: ", b"x"),
    "dribble a body": (b"POST /wake HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n", b"x"),
    "dribble a login": (
        b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: 8000\r\n\r\n",
        b"x",
    ),
    "ask, and read no answer": (REQUEST * 20, REQUEST),
    "talk no HTTP": (b"\x16\x03\x01", b"\x00"),
}


class Crowd:
    """Many connections to one port, each replaced when it is cut."""

    def __init__(self, port: int, number: int, first: bytes, again: bytes) -> None:
        self.cut = 0
        self._port, self._first, self._again = port, first, again
        self._selector = selectors.DefaultSelector()
        for _ in range(number):
            self._join()

    def _join(self) -> None:
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(("127.0.0.1", self._port))
        self._selector.register(client, selectors.EVENT_READ | selectors.EVENT_WRITE, data=self._first)

    def turn(self) -> None:
        """Have every connection say something, and open another for each that was cut."""
        for key, events in self._selector.select(0):
            client = cast(socket.socket, key.fileobj)
            try:
                if events & selectors.EVENT_WRITE:
                    client.send(key.data or self._again)
                    self._selector.modify(client, key.events, data=b"")
                if events & selectors.EVENT_READ and not client.recv(1, socket.MSG_PEEK):
                    raise ConnectionResetError
            except BlockingIOError:
                continue
            except OSError:
                self._selector.unregister(client)
                client.close()
                self.cut += 1
                self._join()

    def close(self) -> None:
        for key in list(self._selector.get_map().values()):
            cast(socket.socket, key.fileobj).close()
        self._selector.close()


@pytest.mark.parametrize(("first", "again"), ATTACKS.values(), ids=ATTACKS)
def test_probes_are_answered_while_hundreds_of_connections_dribble(
    mapper: FewFiles, first: bytes, again: bytes
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4 * ATTACKERS)), hard))
    crowd = Crowd(mapper.port, ATTACKERS, first, again)
    until = time.monotonic() + LASTS_AT_MOST
    asked = most_files = 0
    http = session()
    http.headers["Connection"] = "close"
    while asked < ROUNDS and time.monotonic() < until:
        for _ in range(10):
            crowd.turn()
        for path in ("/healthz", "/readyz"):
            assert http.get(f"{mapper.url}{path}", timeout=20).status_code == 200
        answer = http.get(f"{mapper.url}/api/studies", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20)
        assert answer.status_code == 200
        most_files = max(most_files, mapper.files())
        asked += 1
    crowd.close()
    assert asked >= 3, "it answers, however slowly this machine runs"
    assert crowd.cut > 0, "the attack was felt"
    assert most_files < FILES
    assert mapper.log.stat().st_size < LOG_AT_MOST
    assert mapper.peak_memory() < MEMORY_AT_MOST
    metrics = http.get(f"{mapper.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20).text
    assert sum(float(line.split()[-1]) for line in metrics.splitlines() if "refused_total{" in line) > 0
    mapper.stop()
    assert mapper.log.stat().st_size < LOG_AT_MOST
