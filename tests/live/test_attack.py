"""What once fell to attack, each with the tests that hold it now; and a real `serve` between servers that mean harm.

Every kind has its own file of tables; the table here names them, so that none is lost when files move.
"""

import ast
import gzip
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

import pytest

from stack import FhirServer, Mapper, Orthanc
from stack.process import ROOT
from tests.support.stack import TOKEN, session, until

FELL: dict[str, tuple[str, ...]] = {
    "a request or an answer that nests takes Orthanc down": (
        "tests/live/test_plugin_bounds.py::test_bodies",
        "tests/live/test_plugin_bounds.py::test_answers_of_what_stands_at_mapper_url",
        "tests/plugin/test_fhir_sync_json.py::test_the_parser_never_gets_deeper_than_what_was_seen",
    ),
    "a UID leads the mapper to any path of Orthanc": (
        "tests/live/test_attack_uids.py::test_studies_whose_uid_no_url_can_hold_are_parked_by_orthancs_id_and_end_with_it",
        "tests/live/test_attack_uids.py::test_series_whose_uid_no_url_can_hold_are_counted_not_listed_and_recorded",
        "tests/live/test_attack_uids.py::test_the_source_itself_asks_for_nothing_else",
        "tests/live/test_plugin_bounds.py::test_a_uid_that_is_no_part_of_a_url",
        "tests/http/test_http.py::test_what_reaches_the_server",
    ),
    "an answer has no bound in size, depth or time": (
        "tests/live/test_attack.py::test_serve_stays_small_and_alive_between_servers_that_mean_harm",
        "tests/live/test_plugin_bounds.py::test_an_answer_of_a_byte_a_second_ends_with_the_deadline",
        "tests/http/test_http.py::test_a_gigabyte_of_zeros_costs_no_memory",
        "tests/http/test_http.py::test_an_answer_that_comes_a_byte_at_a_time_is_late_as_a_whole",
        "tests/sinks/test_answer.py::test_an_answer_beyond_its_bounds_is_tried_again_whatever_its_status",
        "tests/sources/test_sources.py::test_no_redirect_is_followed",
        "tests/dicom/test_reader.py::test_items_in_items_are_read_as_far_as_64",
    ),
    "a header Host opens what wants the token": (
        "tests/live/test_attack_web.py::test_every_path_wants_the_token",
        "tests/web/test_guard.py::test_no_host_opens_what_wants_the_token_or_closes_a_probe",
        "tests/web/test_guard.py::test_without_a_token_only_the_exact_names_of_this_machine_are_answered",
    ),
    "connections live for ever, and waits starve the probes": (
        "tests/live/test_attack_connections.py::test_probes_are_answered_while_hundreds_of_connections_dribble",
        "tests/live/test_plugin_bounds.py::test_a_hung_mapper_leaves_orthanc_its_threads",
        "tests/web/test_connection.py::test_whoever_dribbles_is_cut",
        "tests/web/test_connection.py::test_a_flood_leaves_room_for_probes_and_holds_no_more_than_it_may",
    ),
    "a password in a URL stands in log, page, ledger and FHIR": (
        "tests/test_url.py::test_a_crooked_url_is_refused_by_every_setting",
        "tests/test_url.py::test_a_password_from_the_file_or_the_environment_is_not_repeated",
    ),
    "everybody on the machine reads ledger, logs and DICOM files; no private CA for Orthanc": (
        "tests/live/test_native_stack.py::test_nobody_else_can_read_what_the_demo_wrote",
        "tests/demo/test_private.py::test_serve_leaves_ledger_and_namespace_to_their_owner_alone",
        "tests/http/test_tls.py::test_a_server_of_our_own_ca_is_trusted",
    ),
    "tokens that can be guessed, refusals that nobody sees, requests that end in 500": (
        "tests/web/test_guard.py::test_a_token_that_protects_nothing_is_refused_and_not_repeated",
        "tests/live/test_attack_web.py::test_what_was_refused_is_counted_and_said_a_few_times_only",
        "tests/live/test_attack_web.py::test_hostile_text_is_refused_and_kept_nowhere",
        "tests/live/test_plugin_bounds.py::test_refusals_are_said_once",
    ),
    "typed text becomes data, and reaches terminals and logs": (
        "tests/live/test_attack_web.py::test_hostile_text_is_refused_and_kept_nowhere",
        "tests/live/test_attack_web.py::test_what_orthanc_knows_by_other_names_becomes_no_study",
        "tests/sources/test_sources.py::test_a_message_names_the_template_and_nothing_of_what_fills_it",
    ),
    "the demo's password, its FHIR server under any host's name, the plugin's origin rule": (
        "tests/live/test_hosts.py::test_requests_for_foreign_hosts_are_refused",
        "tests/live/test_hosts.py::test_nothing_is_written_for_a_foreign_host",
        "tests/live/test_plugin_bounds.py::test_who_may_come_in_and_what_protects_the_answer",
        "tests/plugin/test_fhir_sync_origin.py::test_who_may_come_in",
    ),
}
HELD: tuple[str, ...] = (
    "tests/live/test_attack_web.py::test_every_path_wants_the_token",
    "tests/live/test_attack_web.py::test_no_other_site_writes_with_the_token_of_a_browser",
    "tests/live/test_attack_web.py::test_what_a_form_can_send_is_no_call_of_the_api",
    "tests/live/test_privacy.py::test_a_refusal_that_quotes_everything_tells_nothing",
    "tests/live/test_privacy.py::test_values_reach_fhir_and_nothing_else",
)
"""What held from the first: 25 paths with six credentials, methods, other sites' posts, the marker in every text."""
MEMORY_AT_MOST = 300_000_000
LOG_AT_MOST = 100_000


@cache
def names_in(file: str) -> frozenset[str]:
    """Return the tests of a file, by name."""
    tree = ast.parse((ROOT / file).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("node", sorted({*HELD, *(one for all_of_it in FELL.values() for one in all_of_it)}))
def test_what_fell_and_what_held_is_held_by_a_test_that_is_there(node: str) -> None:
    file, _, name = node.partition("::")
    assert name in names_in(file)


# -- servers that mean harm ----------------------------------------------------------------------

BOMB = gzip.compress(b"[" + b" " * (256 << 20) + b"]", 9)
DEEP = b"[" * 100_000
Send = Callable[[BaseHTTPRequestHandler, threading.Event], None]


def whole(body: bytes, *headers: tuple[str, str], status: int = 200) -> Send:
    """Return an answer that comes at once."""

    def send(request: BaseHTTPRequestHandler, stop: threading.Event) -> None:
        request.send_response(status)
        for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers):
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return send


def dribble(request: BaseHTTPRequestHandler, stop: threading.Event) -> None:
    """Send a byte now and then, without an end."""
    request.send_response(200)
    request.send_header("Content-Length", "100000")
    request.end_headers()
    while not stop.wait(0.2):
        request.wfile.write(b" ")
        request.wfile.flush()


def endless(request: BaseHTTPRequestHandler, stop: threading.Event) -> None:
    """Send as much as is taken, without an end."""
    request.send_response(200)
    request.end_headers()
    while not stop.is_set():
        request.wfile.write(b'["x",' * 10_000)


HARM: dict[str, Send] = {
    "a bomb": whole(BOMB, ("Content-Encoding", "gzip")),
    "JSON that nests": whole(DEEP),
    "JSON that nests, in a refusal": whole(b'{"resourceType":' * 50_000, status=422),
    "a byte at a time": dribble,
    "without an end": endless,
    "a redirect to itself": whole(b"x" * 1000, ("Location", "/system"), status=302),
    "HTML": whole(b"<html>maintenance</html>", ("Content-Type", "text/html")),
}


@dataclass
class Harm:
    """Stands where Orthanc and the FHIR server should be."""

    url: str
    auth: tuple[str, str] = ("mapper", "secret")


@pytest.fixture(params=HARM.values(), ids=HARM.keys())
def harm(request: pytest.FixtureRequest) -> Iterator[Harm]:
    stop, send = threading.Event(), cast(Send, request.param)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            """Say nothing."""

        def handle_any(self) -> None:
            with_body = int(self.headers.get("Content-Length", 0))
            self.rfile.read(with_body)
            try:
                send(self, stop)
            except OSError:  # whoever asked has gone: as it should
                self.close_connection = True

        do_GET = do_POST = handle_any

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield Harm(f"http://127.0.0.1:{server.server_address[1]}")
    stop.set()
    server.shutdown()
    server.server_close()
    thread.join()


def peak_memory(mapper: Mapper) -> int:
    """Return the most memory it ever held, in bytes (VmHWM of proc(5))."""
    status = Path(f"/proc/{mapper.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def test_serve_stays_small_and_alive_between_servers_that_mean_harm(harm: Harm, test_folder: Path) -> None:
    """Both sides answer all with harm; what was asked for is asked again later, and nothing is acknowledged."""
    settings = {"ORTHANC_FHIR_TIMEOUT": "2"}
    sides = {"orthanc": cast(Orthanc, harm), "fhir": cast(FhirServer, harm)}
    http = session()
    http.headers["Authorization"] = f"Bearer {TOKEN}"
    with Mapper(test_folder / "mapper", **sides, token=TOKEN, settings=settings) as mapper:
        until(lambda: '"source down"' in mapper.log.read_text() or '"down"' in mapper.log.read_text(), 60)
        for path in ("/healthz", "/readyz", "/api/studies", "/"):
            assert http.get(mapper.url + path, timeout=20).status_code == 200
        assert http.get(f"{mapper.url}/api/studies", timeout=20).json()["studies"] == []
        assert peak_memory(mapper) < MEMORY_AT_MOST
        assert mapper.log.stat().st_size < LOG_AT_MOST
        assert "maintenance" not in mapper.log.read_text()
        assert harm.auth[1] not in mapper.log.read_text()
