"""Which requests of a browser may come in: Origin, Host and Sec-Fetch-Site."""

import pytest

from orthanc_plugin.fhir_sync_origin import is_admitted, is_same_origin

SAME = [
    ("http://localhost:8042", "localhost:8042"),
    ("http://localhost:8042", "LOCALHOST:8042"),
    ("HTTP://LocalHost:8042", "localhost:8042"),
    ("http://127.0.0.1:8042", "127.0.0.1:8042"),
    ("http://[::1]:8042", "[::1]:8042"),
    ("http://pacs.example", "pacs.example"),
    ("http://pacs.example", "pacs.example:80"),
    ("http://pacs.example:80", "pacs.example"),
    ("https://pacs.example", "pacs.example"),
    ("https://pacs.example", "pacs.example:443"),
    ("https://pacs.example:443", "pacs.example"),
    ("https://pacs.example:8443", "pacs.example:8443"),
    ("http://pacs_1.xn--bcher-kva.example", "pacs_1.xn--bcher-kva.example"),
]
ANOTHER = [
    ("http://localhost:8042", "localhost"),
    ("http://localhost", "localhost:8042"),
    ("http://localhost:9999", "localhost:8042"),
    ("http://localhost:8042", "127.0.0.1:8042"),
    ("https://pacs.example:8443", "pacs.example"),
    ("https://pacs.example", "pacs.example:80"),
    ("http://pacs.example", "pacs.example:443"),
    ("https://pacs.example", "pacs.example:8042"),
    ("http://pacs.example:443", "pacs.example"),
    ("http://evil.example", "pacs.example"),
    ("http://pacs.example.evil.example", "pacs.example"),
    ("http://evil.pacs.example", "pacs.example"),
    ("http://pacs.example.", "pacs.example"),
    ("http://[::1]:8042", "[::2]:8042"),
    ("null", "pacs.example"),
    ("null", "null"),
    ("", "pacs.example"),
    ("", ""),
    ("http://", ""),
    ("pacs.example", "pacs.example"),
    ("//pacs.example", "pacs.example"),
    ("file://", ""),
    ("ftp://pacs.example", "pacs.example"),
    ("chrome-extension://pacs.example", "pacs.example"),
    ("http://user@pacs.example", "pacs.example"),
    ("http://user@pacs.example", "user@pacs.example"),
    ("http://pacs.example/", "pacs.example"),
    ("http://pacs.example/", "pacs.example/"),
    ("http://pacs.example?", "pacs.example"),
    ("http://pacs.example#", "pacs.example"),
    ("http://pacs.example:", "pacs.example"),
    ("http://pacs.example:x", "pacs.example:x"),
    ("http://pacs.example:123456", "pacs.example:123456"),
    ("http://pacs.example http://evil.example", "pacs.example"),
    ("http://pacs.example\n", "pacs.example"),
    (" http://pacs.example", "pacs.example"),
    ("http://pacs.example", " pacs.example"),
    ("http://pacs.example", "pacs.example, evil.example"),
    ("http://\u00fc.example", "\u00fc.example"),
    ("http://pacs.example:\u0668\u0660", "pacs.example:\u0668\u0660"),
]


@pytest.mark.parametrize(("origin", "host"), SAME)
def test_an_origin_is_this_server(origin: str, host: str) -> None:
    assert is_same_origin(origin, host)


@pytest.mark.parametrize(("origin", "host"), ANOTHER, ids=ascii)
def test_an_origin_is_another_one(origin: str, host: str) -> None:
    assert not is_same_origin(origin, host)


HERE, EVIL = "http://localhost:8042", "http://evil.example"
LINK = ("navigate", "document")
SCRIPT, FORM_OF_FETCH = ("no-cors", "script"), ("cors", "empty")

ADMISSIONS: list[tuple[str, str | None, str | None, tuple[str, str] | None, bool]] = [
    # method, Origin, Sec-Fetch-Site, (Sec-Fetch-Mode, Sec-Fetch-Dest), admitted
    # no browser, or an old one
    ("POST", None, None, None, True),
    ("GET", None, None, None, True),
    ("POST", HERE, None, None, True),
    ("POST", EVIL, None, None, False),
    ("POST", "null", None, None, False),
    ("GET", EVIL, None, None, False),
    ("GET", "null", None, None, False),
    # our own pages, and what somebody typed
    ("POST", HERE, "same-origin", FORM_OF_FETCH, True),
    ("POST", None, "same-origin", FORM_OF_FETCH, True),
    ("POST", None, "none", None, True),
    ("GET", None, "same-origin", FORM_OF_FETCH, True),
    ("GET", None, "same-origin", LINK, True),
    ("GET", None, "none", LINK, True),
    # both have to be right
    ("POST", EVIL, "same-origin", FORM_OF_FETCH, False),
    ("POST", "null", "none", None, False),
    ("POST", HERE, "cross-site", FORM_OF_FETCH, False),
    ("POST", HERE, "same-site", FORM_OF_FETCH, False),
    # pages of other sites, of the same registrable domain or not
    ("POST", EVIL, "cross-site", FORM_OF_FETCH, False),
    ("POST", None, "cross-site", FORM_OF_FETCH, False),
    ("POST", None, "cross-site", LINK, False),
    ("POST", None, "same-site", FORM_OF_FETCH, False),
    ("POST", None, "same-site", LINK, False),
    ("GET", None, "cross-site", LINK, True),
    ("GET", None, "same-site", LINK, True),
    ("GET", None, "cross-site", ("navigate", "iframe"), False),
    ("GET", None, "cross-site", ("navigate", "frame"), False),
    ("GET", None, "cross-site", ("navigate", "object"), False),
    ("GET", None, "cross-site", ("navigate", "embed"), False),
    ("GET", None, "same-site", ("navigate", "iframe"), False),
    ("GET", None, "cross-site", SCRIPT, False),
    ("GET", None, "cross-site", ("no-cors", "image"), False),
    ("GET", None, "cross-site", FORM_OF_FETCH, False),
    ("GET", None, "same-site", SCRIPT, False),
    ("GET", None, "cross-site", None, False),
    # no value of the standard
    ("POST", None, "", None, False),
    ("POST", None, "SAME-ORIGIN", None, False),
    ("POST", None, "same-origin, none", None, False),
    ("GET", None, "elsewhere", SCRIPT, False),
    # other methods are writes
    ("PUT", None, "cross-site", LINK, False),
    ("DELETE", None, "same-site", LINK, False),
]


@pytest.mark.parametrize(("method", "origin", "site", "fetch", "admitted"), ADMISSIONS)
def test_who_may_come_in(
    method: str, origin: str | None, site: str | None, fetch: tuple[str, str] | None, admitted: bool
) -> None:
    mode, dest = fetch or (None, None)
    sent = {"origin": origin, "sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": dest}
    headers = {"host": "localhost:8042"} | {name: value for name, value in sent.items() if value is not None}
    assert is_admitted(method, headers) == admitted


def test_a_request_without_host_is_of_no_page() -> None:
    assert is_admitted("POST", {})
    assert not is_admitted("POST", {"origin": HERE})
