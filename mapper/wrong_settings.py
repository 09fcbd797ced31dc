"""What is wrong with settings, in our words: a sentence with the place of each, and never its value."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from pydantic import ValidationError

from mapper.errors import SettingError
from mapper.settings import OrthancSource, Settings

ONE_ORTHANC = (
    *("source", "patient_system", "dicomweb", "dicomweb_root"),
    *(f"orthanc_{name}" for name in ("url", "user", "password", "ca", "public_url")),
)
"""What each of several `sources` says for itself."""
CONTRADICTIONS = (
    ("namespace", "namespace_file"),
    ("fhir_user", "fhir_token"),
    ("fhir_password", "fhir_token"),
    *(("sources", name) for name in ONE_ORTHANC),
)
"""Of these only one may be set: nobody could tell which counts."""
NEEDED = (
    ("fhir_password", "fhir_user"),
    ("ledger_password_file", "ledger"),
    ("orthanc_password", "orthanc_user"),
    ("proxy_user_header", "trusted_proxies"),
    ("proxy_role_header", "proxy_user_header"),
)
"""The first says nothing without the second."""
WORDS = {
    "missing": "is missing",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "uuid_parsing": "must be a UUID, such as uuidgen prints",
    "uuid_type": "must be a UUID, such as uuidgen prints",
    "string_type": "must be a text",
    "string_too_short": "must not be empty",
    "string_too_long": "must have {max_length} characters at most",
    "dict_type": "must be a table",
    "tuple_type": "must be a list",
    "path_type": "must be the path of a file",
    "ip_any_network": "must be addresses or networks, such as 192.0.2.7 or 10.0.0.0/8",
    "model_type": "must be a table",
}
"""What is wrong, in our words, by the type of pydantic's error."""

Places = Mapping[str, str]
"""Where each setting that is given stands; empty for one that the command line gave."""


def refuse_contradictions(places: Places) -> None:
    """Raise SettingError where of several settings only one can count, or one says nothing without another."""
    for one, other in CONTRADICTIONS:
        if one in places and other in places:
            raise SettingError(f"{named(one, places)} and {named(other, places)}: set one of them, not both")
    for one, other in NEEDED:
        if one in places and other not in places:
            raise SettingError(f"{named(one, places)}: says nothing without {other}")


def in_our_words(error: ValidationError, places: Places) -> Iterator[str]:
    """Yield a sentence for each setting that is wrong, once, without its value."""
    said = set()
    for one in error.errors(include_input=False, include_url=False):
        top, *inside = map(str, one["loc"])
        path = ".".join([top, *inside])
        if one["type"] == "extra_forbidden":
            text = f"there is no such setting{nearest(path.rpartition('.')[2], fields_at(top, inside))}"
        elif one["type"] == "value_error":
            text = str(one["ctx"]["error"])
        else:
            text = WORDS.get(one["type"], "is not what this setting takes").format(**one.get("ctx", {}))
        sentence = f"{path}{f' ({places[top]})' if places.get(top) else ''}: {text}"
        if sentence not in said:
            said.add(sentence)
            yield sentence


def fields_at(top: str, inside: list[str]) -> Iterable[str]:
    """Return the names that are known where an unknown one stands."""
    return OrthancSource.model_fields if inside and top == "sources" else Settings.model_fields


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint at the name that was perhaps meant."""
    close = get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]}?" if close else ""


def named(name: str, places: Places) -> str:
    """Return a setting with its place."""
    return f"{name} ({places[name]})" if places[name] else name
