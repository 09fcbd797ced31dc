"""Why there is no answer that one could use, in words that fit behind "the answer to ..."."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from zlib import error as ZlibError

from urllib3.exceptions import ConnectTimeoutError, HTTPError, LocationValueError, SSLError
from urllib3.exceptions import TimeoutError as NoTime

CERTIFICATE = {  # OpenSSL's X509_V_ERR_...
    **dict.fromkeys((9, 13), "is not valid yet"),
    **dict.fromkeys((10, 14), "has expired"),
    **dict.fromkeys((18, 19, 20, 21), "is not signed by a CA that we trust"),
    **dict.fromkeys((62, 64), "is for another host"),
}


class NoAnswer(Exception):
    """Base of all."""


class Unreachable(NoAnswer):
    """Nobody listens there, or the address is none."""


class Untrusted(NoAnswer):
    """No TLS is spoken there, or the certificate is not to be trusted."""


class Late(NoAnswer):
    """The answer is not complete in time."""


class Broken(NoAnswer):
    """The answer ends too early, or is encoded in another way than it says."""


class TooMuch(NoAnswer):
    """The answer is larger, or nests deeper, than it may."""


class Unreadable(NoAnswer):
    """The answer is not the JSON that it should be."""


@contextmanager
def no_answer() -> Iterator[None]:
    """Raise what goes wrong on the way as NoAnswer: the texts of libraries quote URLs, headers and bodies."""
    try:
        yield
    except (ConnectTimeoutError, LocationValueError) as error:
        raise Unreachable(f"does not come: nobody listens there ({type(error).__name__})") from None
    except SSLError as error:
        raise Untrusted(distrust(error)) from None
    except (NoTime, TimeoutError):
        raise Late("is not there in time") from None
    except (HTTPError, HTTPException, OSError, ValueError, ZlibError) as error:  # ValueError: a length below nothing
        raise Broken(f"broke off or is garbled ({type(error).__name__})") from None


def distrust(error: SSLError) -> str:
    """Return why a server is not to be trusted."""
    found = error.args[0] if error.args else None
    if isinstance(found, ssl.SSLCertVerificationError):
        return f"the certificate {CERTIFICATE.get(found.verify_code, 'cannot be verified')}"
    return "no TLS is spoken there"
