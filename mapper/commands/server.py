"""The service and its pages in one process, for `serve`, until SIGTERM."""

from contextlib import ExitStack, suppress
from importlib.metadata import version

import uvicorn
from starlette.types import ASGIApp

from mapper import log
from mapper.errors import SettingError
from mapper.maps import MAPPING_VERSION
from mapper.namespace import is_public
from mapper.service import service_of
from mapper.settings import Settings
from mapper.url import listening_url
from mapper.web.app import app_of
from mapper.web.connection import Connection, connection_of
from mapper.web.entrance import entrance_of
from mapper.web.guard import LARGEST_HEAD
from mapper.web.prometheus import Prometheus
from mapper.web.refusals import Refusals
from mapper.web.room import AT_ONCE, connections, listeners
from mapper.web.token import usable

GRACE = 30
IDLE = 5
"""Seconds that a connection may wait for its next request."""


def config_of(app: ASGIApp, protocol: type[Connection]) -> uvicorn.Config:
    """Return how uvicorn serves an application: one event loop, one protocol, nothing that is only there by chance."""
    return uvicorn.Config(
        app,
        loop="asyncio",
        http=protocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=AT_ONCE,
        timeout_keep_alive=IDLE,
        timeout_graceful_shutdown=GRACE,
        h11_max_incomplete_event_size=LARGEST_HEAD,
    )


def run(settings: Settings) -> None:
    """Serve until stopped; raises SettingError when a setting is wrong, before any work is done."""
    usable(settings.token.get_secret_value() if settings.token else None, settings.host)
    entrance = entrance_of(settings)
    with ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(one) for one in listeners(settings.host, settings.port)]
        log.configure(settings.log_format)
        metrics = Prometheus()
        service = service_of(settings, metrics)
        if not service.deliver():
            raise SettingError(
                "ledger: another process delivers from it already, and SQLite allows one: stop that one, or take "
                "PostgreSQL for several (docs/operations.md)"
            )
        if is_public(service.namespace):
            log.warn("the id namespace is the public one", do="set namespace_file before real patients come")
        port = sockets[0].getsockname()[1]
        log.say(
            "serving",
            address=f"{listening_url(settings.host, port)}/",
            version=version("orthanc-fhir"),
            mapping=MAPPING_VERSION,
            settings=str(settings.file or "none"),
            ledger=service.ledger.database.place,
        )
        refusals = Refusals(metrics.refused, audit=entrance.audit)
        config = config_of(app_of(service, metrics, refusals, entrance), connection_of(connections(), refusals))
        try:
            with suppress(KeyboardInterrupt):
                uvicorn.Server(config).run(sockets)
        finally:
            log.say("stopped", ledger=service.place)
