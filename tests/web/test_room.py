"""How many connections there is room for, and where clients wait."""

import json
import resource
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mapper.errors import SettingError
from mapper.web.room import AT_ONCE, KEPT, LEAST, MOST, WAITING, listeners

LIMITS = {  # soft and hard limit of open files, and the connections there is room for
    "few": (64, 64, LEAST),
    "few by habit": (64, 256, 256 - KEPT),
    "some": (256, 256, 256 - KEPT),
    "as Linux has it": (1024, 4096, MOST),
    "just enough": (MOST + KEPT, MOST + KEPT, MOST),
    "one less": (MOST + KEPT - 1, MOST + KEPT - 1, MOST - 1),
}
ADDRESSES = Path("/proc/net/if_inet6")
IPV6 = ["::1"] if ADDRESSES.exists() and "0" * 31 + "1 " in ADDRESSES.read_text() else []
PROGRAM = """
import json, resource, sys
soft, hard = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
from mapper.web.room import connections
print(json.dumps([connections(), resource.getrlimit(resource.RLIMIT_NOFILE)]))
"""


@pytest.mark.parametrize(("soft", "hard", "room"), LIMITS.values(), ids=LIMITS)
def test_room_is_made_for_as_many_as_the_machine_lets_us_have(soft: int, hard: int, room: int) -> None:
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < hard:
        pytest.fail("this machine allows fewer files than any server needs")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(soft), str(hard)], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == [room, [hard, hard]]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", *IPV6])
def test_every_address_of_a_host_is_listened_on_under_one_port(host: str) -> None:
    bound = listeners(host, 0)
    assert len({one.getsockname()[1] for one in bound}) == 1
    for one in bound:
        one.listen(AT_ONCE)
        with socket.create_connection(("localhost" if host == "0.0.0.0" else host, one.getsockname()[1]), 5):
            pass
    for one in bound:
        one.close()


def test_many_wait_where_few_are_taken_in_at_a_time() -> None:
    (bound,) = listeners("127.0.0.1", 0)
    bound.listen(AT_ONCE)
    waiting = [socket.create_connection(bound.getsockname(), 5) for _ in range(AT_ONCE * 4)]
    assert len(waiting) < WAITING
    for one in [*waiting, bound]:
        one.close()


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid", "2001:db8::1"])
def test_an_address_that_is_not_ours_is_said(host: str) -> None:
    with pytest.raises(SettingError, match=rf"^port: cannot listen on {host}:0 \(.+\)"):
        listeners(host, 0)


def test_a_port_that_is_taken_on_one_address_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for host in ("127.0.0.1", "localhost", "0.0.0.0"):
            with pytest.raises(SettingError, match=rf"^port: .*{port}"):
                listeners(host, port)
