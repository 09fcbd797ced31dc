"""What the mapper has of pydicom's dictionaries says what these say, and is all that a study needs."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydicom.datadict import dictionary_VM, dictionary_VR, tag_for_keyword
from pydicom.uid import UID

from docs.dictionaries import GROUPS, MAPPER, TABLES
from mapper.dicom.dictionary import attribute, named, named_classes, sop_classes
from mapper.dicom.study import IDENTITY
from mapper.maps import DOCUMENT_KEYWORDS, INSTANCE_KEYWORDS, KEYWORDS
from mapper.maps.values import pydicom_codes
from mapper.maps.values.context_groups import cid, meaning, printed

STUDIES = Path(__file__).resolve().parents[1] / "studies"


def test_every_table_is_printed_from_what_the_code_names_today() -> None:
    for name, table in TABLES.items():
        assert (MAPPER / name).read_text(encoding="utf-8") == table(), f"{name}: make docs"


def test_every_attribute_is_that_of_the_dictionary() -> None:
    assert {*IDENTITY, *KEYWORDS, *INSTANCE_KEYWORDS, *DOCUMENT_KEYWORDS} <= named().keys()
    for keyword, (tag, vr, vm) in named().items():
        assert int(tag, 16) == tag_for_keyword(keyword)
        assert (vr, vm) == (dictionary_VR(int(tag, 16)), dictionary_VM(int(tag, 16)))


def test_every_sop_class_is_that_of_the_dictionary() -> None:
    assert {UID(uid).keyword: uid for uid in named_classes().values()} == named_classes()


def test_every_context_group_is_that_of_the_dictionary() -> None:
    for number, scheme in GROUPS:
        assert printed()[str(number), scheme] == cid(number, scheme) == pydicom_codes.cid(number, scheme)
        assert list(cid(number, scheme)) == list(pydicom_codes.cid(number, scheme))
    for code in printed()["", "SCT"]:
        assert meaning("SCT", code) == pydicom_codes.meaning("SCT", code)


OTHERS = {"RadionuclideTotalDose": ("00181074", "DS", True), "ImageOrientation": ("00200035", "DS", False)}


@pytest.mark.parametrize(("keyword", "says"), OTHERS.items())
def test_what_nobody_here_names_is_looked_up_all_the_same(keyword: str, says: tuple[str, str, bool]) -> None:
    assert attribute(keyword) == says


def test_what_is_no_keyword_is_refused() -> None:
    with pytest.raises(KeyError, match="NoSuchKeyword"):
        attribute("NoSuchKeyword")
    with pytest.raises(KeyError, match="NoSuchStorage"):
        sop_classes("NoSuchStorage")


PLAIN = """
import sys
from mapper.convert import convert, each_study, reader
from mapper.dicom.collector import Collector
from mapper.maps.site import Site
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        collector = Collector()
        reader().read(file.read(), collector)
    list(each_study(collector, lambda study: convert(study, Site())))
sys.exit("pydicom is loaded" if "pydicom" in sys.modules else 0)
"""


def test_a_study_of_images_needs_none_of_the_dictionaries() -> None:
    studies = ["G01-plain-ct", "G03-daylight-saving", "G19-laterality"]
    paths = [str(STUDIES / study / "input.json") for study in studies]
    done = subprocess.run([sys.executable, "-c", PLAIN, *paths], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
