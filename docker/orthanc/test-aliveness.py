"""Exit with 0 when Orthanc answers a question that touches its database; the path is orthancteam/orthanc's."""

import base64
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path


def main() -> str | None:
    """Ask for the last change as the first registered user; return what went wrong."""
    configuration = json.loads(Path("/tmp/orthanc.json").read_text(encoding="utf-8"))
    request = urllib.request.Request(f"http://127.0.0.1:{configuration.get('HttpPort', 8042)}/changes?last")
    for user, password in configuration.get("RegisteredUsers", {}).items():
        credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
        request.add_header("Authorization", f"Basic {credentials}")
        break
    try:
        with urllib.request.urlopen(request, timeout=5):
            return None
    except (urllib.error.URLError, TimeoutError) as error:
        return f"Orthanc does not answer: {error}"


sys.exit(main())
