"""The tables that the mapper has of pydicom's dictionaries: what its code names of them, and nothing else."""

import ast
import csv
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydicom import uid
from pydicom.datadict import tag_for_keyword

from mapper.dicom.dictionary import known, known_class
from mapper.maps.keys import PHANTOM_CODE
from mapper.maps.values.patient_state import PREGNANCY, SMOKING
from mapper.maps.values.pydicom_codes import cid, meaning

MAPPER = Path(__file__).resolve().parents[1] / "mapper"
GROUPS = ((29, "DCM"), (33, "DCM"), (7000, "LN"), (7021, "DCM"), (7050, "DCM"), (12245, "DCM"))
"""The context groups that the mapper names, each with the scheme whose codes it asks for."""
WORD = re.compile(r"[A-Z][A-Za-z0-9]+")


def words() -> Iterator[str]:
    """Yield every word in a text of the mapper's code that may be a keyword."""
    for path in sorted(MAPPER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from WORD.findall(node.value)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return rows as CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([head, *rows])
    return text.getvalue()


def attributes() -> str:
    """Return mapper/dicom/attributes.csv: what PS3.6 says of each keyword that the code names."""
    named = sorted({word for word in words() if tag_for_keyword(word) is not None})
    return table(("keyword", "tag", "vr", "vm"), ((word, *known(word)) for word in named))


def sop_classes() -> str:
    """Return mapper/dicom/sop_classes.csv: the UID of each storage SOP class that the code names."""
    named = sorted({word for word in words() if word.endswith("Storage") and hasattr(uid, word)})
    return table(("keyword", "uid"), ((word, known_class(word)) for word in named))


def context_groups() -> str:
    """Return mapper/maps/values/context_groups.csv: the groups of PS3.16 that the code names, and single codes."""
    of_groups = ((str(number), scheme, *one) for number, scheme in GROUPS for one in cid(number, scheme).items())
    alone = ((code, meaning("SCT", code)) for code in (*PREGNANCY.values(), *SMOKING.values(), PHANTOM_CODE))
    rows = (*of_groups, *(("", "SCT", code, said) for code, said in alone if said))
    return table(("cid", "scheme", "code", "meaning"), rows)


TABLES = {
    "dicom/attributes.csv": attributes,
    "dicom/sop_classes.csv": sop_classes,
    "maps/values/context_groups.csv": context_groups,
}
"""By their places in mapper/."""
