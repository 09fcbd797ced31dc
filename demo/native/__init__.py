"""The four services as plain processes: for the demo where there is no Docker, and for the live tests."""

from demo.native.fhir_server import FhirServer
from demo.native.mapper import Mapper
from demo.native.orthanc import Orthanc
from demo.native.orthanc_in_folder import OrthancInFolder
from demo.native.ports import PortTaken, free_port
from demo.native.postgres import Postgres
from demo.native.process import NotReady, Process

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
