"""Device: the equipment of each series, the same for ever, and never taken for another."""

from itertools import permutations
from typing import Any

import pytest

from mapper.dicom.collector import Collector
from mapper.fhir.ids import resource_id
from mapper.maps import study_to_fhir
from mapper.maps.site import PUBLIC_NAMESPACE
from tests.support.datasets import dataset, site
from tests.support.made import made_of, series

SCANNER = {"Manufacturer": "ACME", "ManufacturerModelName": "S5", "DeviceSerialNumber": "7", "StationName": "CT01"}


def devices_of(*instances: dict[str, Any]) -> list[Any]:
    """Return every Device of one study."""
    collector = Collector()
    for one in instances:
        collector.add(one)
    return [one for one in study_to_fhir(collector.only_study(), site()).resources if one["resourceType"] == "Device"]


def performer_of(**attributes: Any) -> Any:
    """Return the equipment among the performers of a series, None when there is none."""
    performers = made_of(series(**attributes))["ImagingStudy"]["series"][0].get("performer", [])
    found = [one["actor"] for one in performers if one["function"]["coding"][0]["code"] == "DEV"]
    return found[0] if found else None


@pytest.mark.parametrize(
    ("attributes", "key"),
    [
        ({**SCANNER, "DeviceUID": "1.9"}, ("uid", "1.9")),
        ({"DeviceUID": "1.9"}, ("uid", "1.9")),
        (SCANNER, ("sn", "ACME", "S5", "7")),
        ({**SCANNER, "InstitutionName": "H", "SoftwareVersions": "V2"}, ("sn", "ACME", "S5", "7")),
        ({**SCANNER, "ManufacturerModelName": None}, ("sn", "ACME", "", "7")),
        ({**SCANNER, "DeviceSerialNumber": None}, ("stn", "ACME", "S5", "CT01", "")),
        ({"Manufacturer": "ACME", "InstitutionName": "H"}, ("stn", "ACME", "", "", "H")),
    ],
)
def test_what_identifies_equipment(attributes, key):
    (device,) = devices_of(series(**attributes))
    assert device["id"] == resource_id(PUBLIC_NAMESPACE, "Device", *key)
    assert performer_of(**attributes) == {"reference": f"Device/{device['id']}"}


@pytest.mark.parametrize(
    ("attributes", "display"),
    [
        ({"Manufacturer": "ACME"}, "ACME"),
        ({"ManufacturerModelName": "S5"}, "S5"),
        ({"StationName": "CT01"}, "CT01"),
        ({"DeviceSerialNumber": "7"}, None),  # a number alone says nothing to anybody
        ({"InstitutionName": "H"}, None),  # a house is no device
        ({}, None),
    ],
)
def test_equipment_that_nothing_identifies_is_shown_by_name_only(attributes, display):
    assert devices_of(series(**attributes)) == []
    assert performer_of(**attributes) == ({"display": display} if display else None)


def test_each_series_has_the_equipment_that_made_it():
    made = made_of(series(1, **SCANNER), series(2, Manufacturer="Work", ManufacturerModelName="Station"))
    actors = [one["performer"][0]["actor"]["reference"] for one in made["ImagingStudy"]["series"]]
    assert len(set(actors)) == 2


def test_the_newest_series_names_a_device_and_its_versions_add_up_in_any_order():
    uid = {"DeviceUID": "1.9", "Manufacturer": "ACME"}
    whole = [
        series(1, **uid, SeriesDate="20240102", StationName="new", SoftwareVersions="V2"),
        series(
            2, **uid, SeriesDate="20240101", StationName="old", SoftwareVersions=["V1", "V2"], DeviceSerialNumber="7"
        ),
        series(3, **uid, SoftwareVersions="V0", StationName="undated"),
    ]
    for order in permutations(whole):
        (device,) = devices_of(*order)
        assert device["deviceName"] == [{"name": "new", "type": "user-friendly-name"}]
        assert device["version"] == [{"value": "V0"}, {"value": "V1"}, {"value": "V2"}]
        assert device["serialNumber"] == "7"


def test_a_scanner_that_wrote_a_report_is_still_a_scanner():
    uid = {"DeviceUID": "1.9"}
    for newer, older in (("SR", "CT"), ("CT", "SR")):
        (device,) = devices_of(
            series(1, **uid, Modality=older, SeriesDate="20240101"),
            series(2, **uid, Modality=newer, SeriesDate="20240102"),
        )
        assert device["type"]["coding"][0]["code"] == "CT"


def test_what_a_device_says_of_itself():
    (device,) = devices_of(
        series(**SCANNER, UDISequence=[{"UniqueDeviceIdentifier": "(01)1"}, {}], InstitutionName="H", DeviceUID="1.9")
    )
    assert device["udiCarrier"] == [{"carrierHRF": "(01)1"}]
    assert device["owner"] == {"display": "H"}
    assert [one["value"] for one in device["identifier"]] == ["urn:oid:1.9", "7"]
    assert [one["type"] for one in device["deviceName"]] == ["user-friendly-name", "model-name"]


def test_an_unreadable_part_of_an_identity_identifies_nothing():
    broken = series(**SCANNER) | dataset(Manufacturer=None) | {"00080070": {"vr": "LO", "Value": [{}]}}
    assert devices_of(broken) == []
