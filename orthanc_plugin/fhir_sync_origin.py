# SPDX-License-Identifier: GPL-3.0-or-later
"""Which requests of a browser may come in: those of Orthanc's own pages, and of nobody's page.

A browser tells who sends a request by Origin (RFC 6454), and, where the server is reached by https or on this
machine, by Sec-Fetch-Site (Fetch Metadata). No page can change either. What is no browser sends neither.
"""

import re
from collections.abc import Mapping

SERVER = re.compile(r"(\[[0-9a-f:.]+\]|[0-9a-z._-]+)(?::([0-9]{1,5}))?", re.ASCII)  # host, perhaps a port
PORTS = {"http": "80", "https": "443"}  # which browsers leave out
OWN = ("same-origin", "none")  # of Sec-Fetch-Site; none: typed, or a bookmark
PROTECTION = {  # headers of every answer: no other site's page may read, load or frame it
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def is_admitted(method: str, headers: Mapping[str, str]) -> bool:
    """Tell whether a request may come in.

    A page of another site may lead people to ours, by a link: it may not write, load, read or frame anything.
    """
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is not None and not is_same_origin(origin, headers.get("host", "")):
        return False
    followed = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == ("navigate", "document")
    return site is None or site in OWN or (method == "GET" and followed)


def is_same_origin(origin: str, host: str) -> bool:
    """Tell whether an Origin is the server that Host names, port included."""
    scheme, _, netloc = origin.lower().partition("://")
    there, here = SERVER.fullmatch(netloc), SERVER.fullmatch(host.lower())
    if scheme not in PORTS or there is None or here is None:
        return False
    return (there[1], there[2] or PORTS[scheme]) == (here[1], here[2] or PORTS[scheme])
