"""A process that does nothing but wait."""

import sys

import requests

from stack import Process


class Sleeper(Process):
    """Stand for any server: a web server of the standard library, or a program that ends at once."""

    name = "sleeper"
    port_variable = "SLEEPER_PORT"
    code = """
import http.server, sys
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""

    def command(self) -> list[str]:
        return [sys.executable, "-c", self.code, str(self.port)]

    def ready(self) -> bool:
        try:
            return requests.get(self.url, timeout=1).ok
        except requests.RequestException:
            return False
