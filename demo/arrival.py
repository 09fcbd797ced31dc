"""Upload the sample studies and stay until each has arrived in FHIR."""

from __future__ import annotations

from rich.console import Console

from demo import show
from demo.follow import Follower
from demo.server import Server
from demo.stack import Stack
from demo.upload import Stow, upload
from samples.studies import studies


def arrive(stack: Stack, console: Console, patience: float) -> bool:
    """Upload, follow and report; return whether every study is in FHIR."""
    made = list(studies())
    follower = Follower(
        made,
        Server(stack.orthanc_url, auth=stack.orthanc_auth),
        Server(stack.fhir_url),
        Server(stack.mapper_url, headers={"Authorization": f"Bearer {stack.token}"}),
    )
    stow = Stow(f"{stack.orthanc_url}/dicom-web", stack.orthanc_auth)
    upload(made, stow, console, after_batch=follower.look, after_study=follower.uploaded)
    with show.watching(follower, console) as tell:
        complete = follower.follow(patience, tell)
    console.print()
    console.print(show.table(follower))
    if complete:
        show.links(console, follower, stack)
    else:
        follower.ask_mapper()
        show.failure(console, follower)
    return complete
