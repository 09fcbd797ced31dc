"""The module `orthanc` as the plugin sees it inside Orthanc: no more than the real one has, and as strict.

tests/live/test_plugin.py holds it against the real module of every Orthanc at hand.
"""

import json
import re
import threading
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

OrthancObject = dict[str, Any]
Callback = Callable[..., None]

STATUS_WITH_A_METHOD = (301, 405)
"""What SendHttpStatusCode does not send: Orthanc has a function of its own for each of them."""


class ChangeType:
    COMPLETED_SERIES = 0
    DELETED = 1
    NEW_CHILD_INSTANCE = 2
    NEW_INSTANCE = 3
    NEW_PATIENT = 4
    NEW_SERIES = 5
    NEW_STUDY = 6
    STABLE_PATIENT = 7
    STABLE_SERIES = 8
    STABLE_STUDY = 9
    ORTHANC_STARTED = 10
    ORTHANC_STOPPED = 11
    UPDATED_ATTACHMENT = 12
    UPDATED_METADATA = 13
    UPDATED_PEERS = 14
    UPDATED_MODALITIES = 15
    JOB_SUBMITTED = 16
    JOB_SUCCESS = 17
    JOB_FAILURE = 18


class ResourceType:
    PATIENT = 0
    STUDY = 1
    SERIES = 2
    INSTANCE = 3
    NONE = 4


class ErrorCode:
    INTERNAL_ERROR = -1
    SUCCESS = 0
    PLUGIN = 1
    BAD_SEQUENCE_OF_CALLS = 6
    INEXISTENT_ITEM = 7
    UNKNOWN_RESOURCE = 17
    DATABASE_NOT_INITIALIZED = 2038


class OrthancException(Exception):
    """Carries (ErrorCode, text), as the real one."""


class RestOutput:
    """One answer of a REST callback: sent once, by the functions that the real object has."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.body = b""

    def SetHttpHeader(self, name: str, value: str, /) -> None:
        _strings(name, value)
        self._unsent()
        assert "\n" not in name + value
        self.headers[name] = value

    def AnswerBuffer(self, body: str | bytes, mime: str, /) -> None:
        _strings(mime)
        self._send(200, body.encode() if isinstance(body, str) else body)
        self.headers["Content-Type"] = mime

    def SendHttpStatus(self, status: int, body: str, /) -> None:
        if not isinstance(status, int):
            raise TypeError("Bad types for the arguments (2 arguments expected)")
        _strings(body)
        assert "Content-Type" not in self.headers, "the real one sends a second one"
        self._send(status, body.encode())
        self.headers["Content-Type"] = "text/plain"

    def SendHttpStatusCode(self, status: int, /) -> None:
        if not isinstance(status, int):
            raise TypeError("Bad types for the arguments (1 arguments expected)")
        assert status not in STATUS_WITH_A_METHOD, "the real one sends nothing"
        self._send(status)

    def SendMethodNotAllowed(self, methods: str, /) -> None:
        _strings(methods)
        self._send(405)
        self.headers["Allow"] = methods

    @property
    def json(self) -> Any:
        """Read the JSON that was answered."""
        assert self.headers["Content-Type"] == "application/json"
        return json.loads(self.body)

    def _send(self, status: int, body: bytes = b"") -> None:
        self._unsent()
        self.status, self.body = status, body

    def _unsent(self) -> None:
        assert self.status is None, "answered twice: the real one drops the second answer"


class Sdk:
    """What the fake module's functions share, and what a test asks and does."""

    def __init__(self, configuration: Any) -> None:
        self.configuration = configuration
        self.started = False
        self.changing = 0
        """The thread that runs the callback for changes."""
        self.log: list[str] = []
        self.rung: list[str] = []
        """What the plugin says of whom it rings, apart from the rest of the log."""
        self.studies: dict[str, OrthancObject] = {}
        self.labels: dict[str, set[str]] = {}
        """Labels by Orthanc's id of a study."""
        self.writes: list[tuple[str, str]] = []
        """Each label that was set or deleted, in order."""
        self.pages: dict[str, Any] = {"/system": {"HasLabels": True, "Version": "1.12.7"}, "/plugins": ["python"]}
        self.on_change: Callback | None = None
        self.routes: dict[str, Callback] = {}
        self.explorer = ""
        self.description = ""

    @property
    def in_change(self) -> bool:
        return self.changing == threading.get_ident()

    def change(self, change: int, level: int = ResourceType.STUDY, resource: str = "x") -> None:
        """Signal a change, as Orthanc's thread for changes does."""
        self.started |= change == ChangeType.ORTHANC_STARTED
        if self.on_change is not None:
            self.changing = threading.get_ident()
            try:
                self.on_change(change, level, resource)
            finally:
                self.changing = 0

    def request(
        self, method: str, uri: str, body: str | bytes = b"", headers: Mapping[str, str] | None = None
    ) -> RestOutput:
        """Send an HTTP request to the REST callbacks, as Orthanc's HTTP server does."""
        output = RestOutput()
        for pattern, callback in self.routes.items():
            if match := re.fullmatch(pattern, uri):
                sent = {"host": "localhost:8042", **(headers or {})}
                request: dict[str, Any] = {"method": method, "groups": match.groups(), "headers": sent}
                if method == "GET":
                    request["get"] = {}
                if method in ("POST", "PUT"):
                    request["body"] = body.encode() if isinstance(body, str) else body
                callback(output, uri, **request)
                assert output.status is not None, "no answer: the real one closes the connection"
                return output
        output.SendHttpStatusCode(404)
        return output


def fake_orthanc(configuration: Any) -> tuple[ModuleType, Sdk]:
    """Make a module `orthanc`; the configuration is an object, a text, or an exception to raise."""
    module, sdk = ModuleType("orthanc"), Sdk(configuration)

    def GetConfiguration() -> str:
        if isinstance(sdk.configuration, Exception):
            raise sdk.configuration
        return sdk.configuration if isinstance(sdk.configuration, str) else json.dumps(sdk.configuration)

    def Log(text: str, /) -> None:
        _strings(text)
        (sdk.rung if text.startswith("FhirSync: rings ") else sdk.log).append(text)

    def RegisterOnChangeCallback(callback: Callback, /) -> None:
        if sdk.on_change is not None:
            raise RuntimeError("Can only register one Python on-changes callback")
        sdk.on_change = callback

    def RegisterRestCallback(uri: str, callback: Callback, /) -> None:
        _strings(uri)
        sdk.routes[uri] = callback

    def RestApiGet(uri: str, /) -> bytes:
        _strings(uri)
        assert not sdk.in_change, "no REST call in the callback for changes"
        if not sdk.started:
            raise OrthancException(ErrorCode.DATABASE_NOT_INITIALIZED, "The database is not initialized")
        found = sdk.pages[uri] if uri in sdk.pages else sdk.studies.get(uri.removeprefix("/studies/"))
        if found is None:
            raise OrthancException(ErrorCode.UNKNOWN_RESOURCE, "Unknown resource")
        return json.dumps(found, ensure_ascii=False).encode()

    def RestApiPost(uri: str, body: bytes, /) -> bytes:
        _strings(uri)
        assert (uri, sdk.in_change) == ("/tools/lookup", False)
        tags = ((id, study["MainDicomTags"]) for id, study in sdk.studies.items())
        same = [id for id, one in tags if one["StudyInstanceUID"] == body.decode()]
        return json.dumps([{"ID": id, "Path": f"/studies/{id}", "Type": "Study"} for id in same]).encode()

    def labelled(method: str, uri: str) -> set[str]:
        _strings(uri)
        match = re.fullmatch(r"/studies/([0-9a-f-]+)/labels/([a-zA-Z0-9_-]+)", uri)
        assert match, "nothing but labels is written"
        assert not sdk.in_change, "no REST call in the callback for changes"
        if match[1] not in sdk.studies:
            raise OrthancException(ErrorCode.UNKNOWN_RESOURCE, "Unknown resource")
        sdk.writes.append((method, match[2]))
        return sdk.labels.setdefault(match[1], set())

    def RestApiPut(uri: str, body: bytes, /) -> bytes:
        labelled("PUT", uri).add(uri.rpartition("/")[2])
        return b""

    def RestApiDelete(uri: str, /) -> None:
        labelled("DELETE", uri).discard(uri.rpartition("/")[2])

    def ExtendOrthancExplorer(script: str, /) -> None:
        _strings(script)
        sdk.explorer = script

    def SetDescription(text: str, /) -> None:
        _strings(text)
        sdk.description = text

    for name, value in {
        "ChangeType": ChangeType,
        "ResourceType": ResourceType,
        "ErrorCode": ErrorCode,
        "OrthancException": OrthancException,
        "RestOutput": RestOutput,
        "GetConfiguration": GetConfiguration,
        "LogInfo": Log,
        "LogWarning": Log,
        "LogError": Log,
        "RegisterOnChangeCallback": RegisterOnChangeCallback,
        "RegisterRestCallback": RegisterRestCallback,
        "RestApiDelete": RestApiDelete,
        "RestApiGet": RestApiGet,
        "RestApiPost": RestApiPost,
        "RestApiPut": RestApiPut,
        "ExtendOrthancExplorer": ExtendOrthancExplorer,
        "SetDescription": SetDescription,
    }.items():
        setattr(module, name, value)
    return module, sdk


def _strings(*values: object) -> None:
    if not all(isinstance(value, str) for value in values):
        raise TypeError(f"Bad types for the arguments ({len(values)} arguments expected)")
