"""The four services as plain processes: for the demo where there is no Docker, and for the live tests."""

from stack.fhir_server import FhirServer
from stack.mapper import Mapper
from stack.orthanc import Orthanc
from stack.orthanc_in_folder import OrthancInFolder
from stack.ports import PortTaken, free_port
from stack.postgres import Postgres
from stack.process import NotReady, Process

__all__ = [
    "FhirServer",
    "Mapper",
    "NotReady",
    "Orthanc",
    "OrthancInFolder",
    "PortTaken",
    "Postgres",
    "Process",
    "free_port",
]
