"""URLs and URIs of the settings, checked before they reach a log, a page or FHIR: RFC 3986, and never a password.

What is refused is never repeated: it may hold a secret.
"""

import re
import unicodedata
from ipaddress import AddressValueError, IPv6Address, ip_address

WEB = re.compile(r"https?://")
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(?::(?P<port>.*))?")
LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
NAME = re.compile(rf"{LABEL}(?:\.{LABEL})*\.?")
PORT = re.compile(r"[1-9][0-9]{0,4}")
NAMED = re.compile(r"\{([^{}]*)\}")
TEMPLATE_NAMES = frozenset({"dicomweb", "study", "series", "instance", "orthanc"})
"""What may be filled into a URL of a document."""
ROOT = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)*/?")
NO_URI = re.compile(r"""["<>^`{|}]""")
HALF_ENCODED = re.compile(r"%(?![0-9A-Fa-f]{2})")


def base_url(text: str) -> str:
    """Return the base of a server's URLs without its last slash.

    Raises ValueError for what is no absolute http(s) URL, and for user, password, query or fragment in it.
    """
    refuse_characters(text)
    if not WEB.match(text):
        raise ValueError("must begin with http:// or https://")
    refuse_authority(text)
    refuse_query(text)
    return text.rstrip("/")


def listening_url(host: str, port: int) -> str:
    """Return the URL of a service that listens on a host: on this machine, where it listens on every address.

    An IPv6 address stands in brackets (RFC 3986 3.2.2), the % of its zone encoded (RFC 6874).
    """
    try:
        address = ip_address(host)
    except ValueError:
        return f"http://{host}:{port}"
    if address.is_unspecified:
        address = ip_address("127.0.0.1" if address.version == 4 else "::1")
    shown = str(address) if address.version == 4 else f"[{str(address).replace('%', '%25')}]"
    return f"http://{shown}:{port}"


def url_template(text: str) -> str:
    """Return a URL with names in braces for what is filled in, for `str.format`.

    Raises ValueError for a name that is not known, and where no http(s) URL would come out.
    """
    names = NAMED.findall(text)
    if unknown := sorted(set(names) - TEMPLATE_NAMES):
        raise ValueError(f"knows {', '.join(sorted(TEMPLATE_NAMES))}, and has {len(unknown)} other names in braces")
    filled = NAMED.sub("0", text.removeprefix("{dicomweb}"))
    if text.startswith("{dicomweb}"):
        filled = f"https://example.org{filled}"
    refuse_characters(filled)
    if not WEB.match(filled):
        raise ValueError("must begin with http://, https:// or {dicomweb}")
    refuse_authority(filled)
    return text


def viewer_url(text: str) -> str:
    """Return a URL with `{study}` for the StudyInstanceUID; raises ValueError as `url_template`, or without it."""
    url_template(text)
    if set(NAMED.findall(text)) != {"study"}:
        raise ValueError("must hold {study}, and no other name in braces")
    return text


def system_uri(text: str) -> str:
    """Return an identifier or code system: an absolute URI (FHIR R4 datatypes.html#uri), often a URL.

    Raises ValueError for what is none, and for user or password in it.
    """
    refuse_characters(text)
    if not SCHEME.match(text):
        raise ValueError("must be an absolute URI such as https://hospital.example/patients or urn:oid:2.999.1")
    if text.partition(":")[2].startswith("//"):
        refuse_authority(text)
    return text


def root_path(text: str) -> str:
    """Return the path under which a server has an API, without its last slash; raises ValueError when it is none."""
    if not ROOT.fullmatch(text):
        raise ValueError("must be a path such as /dicom-web")
    return text.rstrip("/")


def base_uri(text: str) -> str:
    """Return a URI under which systems are made, without its last slash; raises ValueError as `system_uri` does."""
    system_uri(text)
    refuse_query(text)
    return text.rstrip("/")


def refuse_characters(text: str) -> None:
    """Raise ValueError for a character that no URI holds (RFC 3986 2)."""
    if any(unicodedata.category(letter) == "Cc" for letter in text):
        raise ValueError("must not hold control characters")
    if any(letter.isspace() for letter in text):
        raise ValueError("must not hold spaces")
    if "\\" in text:  # browsers take it for a slash, Python does not: two programs would see two hosts
        raise ValueError("must not hold backslashes")
    if not text.isascii():
        raise ValueError("must be ASCII: a host as its xn-- form (IDNA), anything else percent-encoded")
    if NO_URI.search(text):
        raise ValueError("must not hold characters that a URI has no place for (RFC 3986)")
    if HALF_ENCODED.search(text):
        raise ValueError("must not hold a percent sign without two hexadecimal digits")


def refuse_authority(text: str) -> None:
    """Raise ValueError for user and password, a host that is none, a port that is none (RFC 3986 3.2)."""
    authority = re.split(r"[/?#]", text.partition("//")[2], maxsplit=1)[0]
    if "@" in authority:
        raise ValueError("must not hold a user or password: there are settings for both, which nobody is shown")
    parts = AUTHORITY.fullmatch(authority)
    if parts is None or not is_host(parts["host"]):
        raise ValueError("must name a host")
    port = parts["port"]
    if port is not None and not (PORT.fullmatch(port) and int(port) < 65536):
        raise ValueError("must have a port between 1 and 65535, or none")


def refuse_query(text: str) -> None:
    """Raise ValueError for a query or fragment: what is appended to a base would land in it."""
    if "?" in text:
        raise ValueError("must not hold a query (?)")
    if "#" in text:
        raise ValueError("must not hold a fragment (#)")


def is_host(host: str) -> bool:
    """Tell whether this is a host name, an IPv4 address, or an IPv6 address in brackets."""
    if not host.startswith("["):
        return NAME.fullmatch(host) is not None
    try:
        return IPv6Address(host[1:-1]).scope_id is None
    except AddressValueError:
        return False
