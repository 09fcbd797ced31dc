"""Write both datasets into a folder: `python -m samples.sds FOLDER [2.1.0|3.0.2]`."""

import sys
from pathlib import Path

from samples.sds import DATASETS, VERSIONS, write

folder, version = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else VERSIONS[-1]
if version not in VERSIONS:
    sys.exit(f"no such version; there are {', '.join(VERSIONS)}")
for name in DATASETS:
    print(write(folder, name, version))
