"""A FHIR server that keeps nothing and answers after a while: what bounds the mapper then is the mapper.

uv run python -m bench.null_fhir PORT MILLISECONDS
"""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

STATEMENT = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "software": {"name": "nothing"}}
NONE = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]}


class Null(BaseHTTPRequestHandler):
    """Says that everything was written as version 1, and that nothing is there."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    wait = 0.0

    def do_GET(self) -> None:
        """Answer a question."""
        path, _, query = self.path.partition("?")
        if path.endswith("/metadata"):
            self._answer(200, STATEMENT)
        elif query:
            self._answer(200, {"resourceType": "Bundle", "type": "searchset", "total": 0})
        else:
            self._answer(404, NONE)

    def do_POST(self) -> None:
        """Take in a transaction, after a while."""
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(self.wait)
        entries = [{"response": {"status": "201 Created", "etag": "1"}} for _ in sent["entry"]]
        self._answer(200, {"resourceType": "Bundle", "type": "transaction-response", "entry": entries})

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _answer(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def main() -> None:
    """Serve until ended."""
    port, milliseconds = (int(word) for word in sys.argv[1:])
    Null.wait = milliseconds / 1000
    ThreadingHTTPServer(("127.0.0.1", port), Null).serve_forever()


if __name__ == "__main__":
    main()
