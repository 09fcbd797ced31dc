"""A FHIR server that is not there."""

from stack import free_port


class Nowhere:
    """A FHIR server that is not there: what is asked here needs none."""

    def __init__(self) -> None:
        self.url = f"http://127.0.0.1:{free_port()}/fhir"
