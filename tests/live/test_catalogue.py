"""What people ask of each real Orthanc: a study by its number, and how the archive shows it."""

from collections.abc import Callable

from mapper.dicom.reader import Reader
from mapper.maps import INSTANCE_KEYWORDS, KEYWORDS
from mapper.sources.orthanc.source import Orthanc
from samples.dataset import part10
from samples.studies import studies
from stack import Orthanc as Server
from tests.support.stack import session


def test_a_study_is_found_by_its_numbers_and_shown_as_the_archive_has_it(
    new_orthanc: Callable[..., Server], orthanc_class: type[Server]
) -> None:
    server = new_orthanc(orthanc_class, plugin_script=None)
    made = {study.name: study for study in studies() if study.name in ("hand-cr", "skin-xc", "emergency-dx")}
    for study in made.values():
        for data in study.datasets:
            session().post(
                f"{server.url}/instances", data=part10(data), auth=server.auth, timeout=30
            ).raise_for_status()
    hand = made["hand-cr"]
    source = Orthanc(server.url, Reader(KEYWORDS, INSTANCE_KEYWORDS), *(server.auth or (None, None)))
    asked = source.catalogue
    assert asked.find("AccessionNumber", "A2024-077") == [hand.study_uid]
    assert asked.find("PatientID", str(hand.datasets[0].PatientID)) == [hand.study_uid]
    assert asked.find("AccessionNumber", "A2024") == []
    assert asked.find("PatientID", "demo-0003") == [], "another case is another patient"
    (shown,) = asked.headers(hand.study_uid).values()
    assert shown["PatientName"] == str(hand.datasets[0].PatientName)
    assert shown["StudyDescription"] == hand.description
    assert shown["ModalitiesInStudy"] == "CR"
    assert (shown["NumberOfStudyRelatedSeries"], shown["NumberOfStudyRelatedInstances"]) == ("1", "2")
    assert asked.headers("1.2.3") == {}
