"""`serve`: the service and its pages in one process, until SIGTERM."""

import socket

import uvicorn

from mapper import log
from mapper.errors import SettingError
from mapper.namespace import is_public, namespace_of
from mapper.service import service_of
from mapper.settings import Settings
from mapper.web.app import app_of
from mapper.web.metrics import Metrics
from mapper.web.token import usable

GRACE = 30


def free(host: str, port: int) -> None:
    """Say clearly that an address is taken or not ours, before any work is done."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingError(f"port: cannot listen on {host}:{port} ({error.strerror}); choose another") from None


def run(settings: Settings) -> None:
    """Serve until stopped; raises SettingError when a setting is wrong, before any work is done."""
    usable(settings.token.get_secret_value() if settings.token else None, settings.host)
    free(settings.host, settings.port)
    log.configure(settings.log_format)
    metrics = Metrics()
    service = service_of(settings, metrics)
    if is_public(namespace_of(settings)):
        log.warn("the id namespace is the public one", do="set namespace_file before real patients come")
    log.say("serving", address=f"http://{settings.host}:{settings.port}/", orthanc=settings.orthanc_url)
    uvicorn.run(
        app_of(service, metrics),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )
