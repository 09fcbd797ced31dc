"""The golden studies as files: DICOM JSON, and the site they are mapped for."""

import tomllib
from pathlib import Path

from mapper.maps.site import PUBLIC_NAMESPACE, Site
from tests.support.datasets import BASE, BERLIN

STUDIES = Path(__file__).parents[1] / "studies"

CONFIGURATION = {
    "base": BASE,
    "dicomweb": "https://pacs.example.org/dicom-web",
    "fhir_public_url": "https://fhir.example.org/fhir",
    "namespace": PUBLIC_NAMESPACE,
    "timezone": BERLIN,
}
"""The site of every golden study; `site.toml` says what is different."""

CASES = sorted(folder.name for folder in STUDIES.iterdir() if folder.is_dir())


def site_of(case: str) -> Site:
    """Return a case's site: the common configuration, what differs, and without what it leaves out."""
    chosen = STUDIES / case / "site.toml"
    differs = tomllib.loads(chosen.read_text(encoding="utf-8")) if chosen.exists() else {}
    without = differs.pop("without", [])
    return Site(**{name: value for name, value in (CONFIGURATION | differs).items() if name not in without})
