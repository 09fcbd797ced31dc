"""What a series is of: modality, body part, side."""

import pytest

from mapper.dicom.item import Item
from mapper.dicom.study import Instance, Series, Study
from mapper.maps.engine import make
from mapper.maps.rule import Rule
from mapper.maps.values.body_site import body_site
from mapper.maps.values.context import Context
from mapper.maps.values.count import instances_of_series
from mapper.maps.values.laterality import laterality
from mapper.maps.values.modality import series_modality, study_modalities
from tests.support.datasets import BASE, dataset, run, site, study_of
from tests.support.tables import rows

DCM = "http://dicom.nema.org/resources/ontology/DCM"
SCT = "http://snomed.info/sct"
BODY = "AnatomicRegionSequence* BodyPartExamined SharedFunctionalGroupsSequence*"
SIDE = "Laterality ImageLaterality* SharedFunctionalGroupsSequence*"


@rows(
    "written, code, recorded",
    """
    CT        CT        no
    ct        CT        no
    SR        SR        no
    SEG       SEG       no
    OT        OT        no
    ULTRASND  local     yes
    -         OT        yes
    ''        OT        yes
    """,
)
def test_the_modality_of_a_series(written, code, recorded):
    attributes = {} if written is None else {"Modality": written or None}
    made, reasons = run(series_modality, "Modality", **attributes)
    local = {"system": f"{BASE}/modality", "code": written}
    assert made == (local if code == "local" else {"system": DCM, "code": code})
    assert bool(reasons) == (recorded == "yes")


@rows(
    "series, policy, codes",
    """
    CT SR SEG KO PR OT ULTRASND  acquisition  CT
    SR                           acquisition  ''
    OT                           acquisition  ''
    PT CT PT mr                  acquisition  CT MR PT
    CT SR SEG OT ULTRASND        all          CT OT SEG SR
    """,
)
def test_the_modalities_of_a_study(series, policy, codes):
    study = study_of(*(Item(dataset(Modality=one)) for one in series.split()), Item())
    cx = Context(site(study_modality=policy), study)
    made = make(Rule("ImagingStudy.modality", "Modality", study_modalities), cx, study.item)
    assert made == [{"system": DCM, "code": code} for code in codes.split()]


def region(value, designator):
    return {"CodeValue": value, "CodingSchemeDesignator": designator, "CodeMeaning": "from the header"}


@rows(
    "code, designator, part, made, display",
    """
    -         -    CHEST     43799004   Chest
    -         -    chest     43799004   Chest
    -         -    THORAX    43799004   Chest
    T-D3000   SRT  CHEST     51185008   from the header
    T-99999   SRT  ABDOMEN   818981001  Abdomen
    T-99999   SRT  LEG       T-99999    from the header
    T-99999   SRT  -         T-99999    from the header
    -         -    LEG       -          LEG
    -         -    FETALARM  -          FETALARM
    818981001  SCT  LEG      818981001  from the header
    -         SCT  LEG       -          from the header   # a meaning without a code
    -         SCT  CHEST     43799004   Chest
    """,
)
def test_the_body_site_of_a_series(code, designator, part, made, display):
    regions = [region(code, designator)] if designator else None
    found, _ = run(body_site, BODY, AnatomicRegionSequence=regions, BodyPartExamined=part)
    system = "http://snomed.info/srt" if made == "T-99999" else SCT
    assert found == ({"system": system, "code": made} if made else {}) | {"display": display}


@pytest.mark.parametrize("empty", [None, "", " "])
def test_no_body_part_is_no_body_site(empty):
    assert run(body_site, BODY, BodyPartExamined=empty) == (None, [])


def test_the_anatomy_that_all_frames_share_counts():
    frames = [
        {"FrameAnatomySequence": [{"AnatomicRegionSequence": [region("818981001", "SCT")], "FrameLaterality": "R"}]}
    ]
    assert run(body_site, BODY, SharedFunctionalGroupsSequence=frames)[0]["code"] == "818981001"
    assert run(laterality, SIDE, SharedFunctionalGroupsSequence=frames)[0]["code"] == "24028007"


def test_of_several_regions_the_first_code_is_kept_and_that_is_recorded():
    regions = [region(None, "SCT"), region("818981001", "SCT"), region("43799004", "SCT")]
    made, reasons = run(body_site, BODY, AnatomicRegionSequence=regions)
    assert made["code"] == "818981001"
    assert len(reasons) == 1


def side_of(images, **attributes):
    """Run the row on a series whose images say these sides."""
    items = [Item(dataset(**({} if side is None else {"ImageLaterality": side}))) for side in images]
    item = Item(dataset(**attributes))
    instances = tuple(Instance(f"1.{number}", one) for number, one in enumerate(items))
    cx = Context(site(), Study("1", (Series("1.1", item, instances),)))
    made = make(Rule("ImagingStudy.series.laterality", SIDE, laterality), cx, item)
    return made, [problem.reason for problem in cx.problems]


@rows(
    "series, images, code, recorded",
    """
    R     ''     24028007  no
    L     ''     7771000   no
    B     ''     51440002  no
    l     ''     7771000   no
    R     L L    24028007  no
    -     L L    7771000   no
    -     L R    51440002  no
    -     L B    51440002  no
    -     L U    -         no
    -     L .    -         no    # one image does not say
    -     . .    -         no
    U     ''     -         no
    Left  ''     -         yes
    -     X X    -         yes
    -     ''     -         no
    """,
)
def test_the_side_of_a_series(series, images, code, recorded):
    sides = [None if side == "." else side for side in images.split()]
    made, reasons = side_of(sides, **({"Laterality": series} if series else {}))
    assert (made or {}).get("code") == code
    assert bool(reasons) == (recorded == "yes")
    if code == "51440002":
        assert made == {"system": SCT, "code": code, "display": "Bilateral"}


def test_instances_of_which_a_source_knows_the_number_alone_are_counted() -> None:
    """A series, and its study, have as many instances as they have, whether or not all of them are listed."""
    one = Item(dataset(SeriesInstanceUID="1.2.3.1", SOPInstanceUID="1.2.3.1.1"))
    listed = Series("1.2.3.1", one, (Instance("1.2.3.1.1", one),))
    unlisted = Series("1.2.3.2", one, (), unlisted=40)
    mixed = Series("1.2.3.3", one, (Instance("1.2.3.3.1", one),), unlisted=2)
    study = Study("1.2.3", (listed, unlisted, mixed), unlisted=(7,))
    assert [series.count for series in study.series] == [1, 40, 3]
    assert study.instances == 51
    found = [instances_of_series(Context(site(), study, series=series)) for series in study.series]
    assert found == [1, 40, 3]
