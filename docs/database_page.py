"""docs/database.md: what Orthanc has to keep, and when instances are read from its database."""

import json

from mapper.dicom.study import IDENTITY
from mapper.maps import INSTANCE_KEYWORDS
from mapper.sources.orthanc.database import WORTH, kept_for
from mapper.sources.orthanc.reasons import REASONS

PAGE = """# Instances from Orthanc's database

Printed from the mapping tables; `instances_from_database = {worth}` has the mapper read studies of {worth} and more
instances so, and `doctor` says whether Orthanc can.

The tables read little of each instance and of one instance a series all. Orthanc keeps that little in its database
if it is told to, and from 1.12.5 on (with a database that has extended finds) answers it without opening a file:
one paged `/tools/find` a study, and the metadata of the first instance of each series. In Orthanc's configuration:

```json
{kept}
```

What was stored before has to be reconstructed (`POST /studies/{{id}}/reconstruct`, or the Housekeeper plugin). A
new release may read more: `doctor` names what is lacking.

A series is read by the metadata of all its instances where both ways might not say the same, and
`orthanc_fhir_series_total{{how}}` counts it (`database`, or the reason):

| reason | what it means |
| --- | --- |
{reasons}

With fewer instances Orthanc's DICOMweb, which keeps the metadata of a series ready, is as fast. Of the first
instance of a series what the database says is held against the metadata.

It is off unless told, as one thing cannot be seen: a value that Orthanc does not keep though it keeps the attribute
(longer than 256 characters, where DICOM allows 16 or 64, or text that a file calls bytes). In another instance than
the first of a series it is absent, without the problem that would be recorded; likewise what lies more than 64
items deep there, or is larger than metadata may be. Nothing else differs.
"""


def markdown() -> str:
    """Return docs/database.md."""
    kept = json.dumps({"ExtraMainDicomTags": {"Instance": kept_for({*INSTANCE_KEYWORDS, *IDENTITY})}}, indent=2)
    reasons = "\n".join(f"| {reason} | {meaning} |" for reason, meaning in REASONS.items())
    return PAGE.format(kept=kept, reasons=reasons, worth=WORTH)
