# SPDX-License-Identifier: GPL-3.0-or-later
"""Orthanc plugin: rings the mapper when a study is stable or anything is deleted, and shows a study's FHIR state.

It reads no image, keeps no state and carries no data. A lost ring costs one poll interval (one sweep interval
for a deletion): the mapper polls and sweeps anyway. Standard library only; Orthanc 1.10.1 and newer.

    "PythonScript": "/path/to/fhir_sync.py",
    "FhirSync": {"MapperUrl": "http://mapper:8000", "Token": "${ORTHANC_FHIR_TOKEN}"}

A site with a Python script of its own imports this file from there: README.md shows how.
"""

from pathlib import Path
from typing import Any

import orthanc  # type: ignore[import-not-found]  # made by Orthanc itself

# The other files are imported where they are used: a folder copied in part must not keep Orthanc from starting.

EXPLORER = Path(__file__).resolve().with_name("explorer.js")


def on_change(change: int, level: int, resource: str) -> None:
    """Take a change of Orthanc: set a flag and return; no REST call, no wait for the mapper."""
    if BELL is None:
        return
    if change == orthanc.ChangeType.STABLE_STUDY:
        BELL.wish(sweep=False)
    elif change == orthanc.ChangeType.DELETED:
        BELL.wish(sweep=True)  # /changes never lists a deletion: only a sweep finds it
    elif change == orthanc.ChangeType.ORTHANC_STARTED:
        BELL.start()
        if FOLLOWER is not None:
            FOLLOWER.start()
    elif change == orthanc.ChangeType.ORTHANC_STOPPED:
        threads = [one for one in (BELL, FOLLOWER) if one is not None]
        for one in threads:
            one.end()  # both hear of it before either is waited for
        for one in threads:
            one.join()


def warn(text: str) -> None:
    orthanc.LogWarning(f"FhirSync: {text}")


def configured() -> tuple[Any, Any, bool]:
    """Give the mapper of the configuration, its bell, and whether this file is Orthanc's own script (or imported)."""
    own = False
    try:
        from fhir_sync_bell import Doorbell  # type: ignore[import-not-found]
        from fhir_sync_json import ANSWER, parsed  # type: ignore[import-not-found]
        from fhir_sync_mapper import Mapper, SettingError  # type: ignore[import-not-found]
    except Exception as error:  # whatever it is: an exception at import would keep Orthanc from starting
        warn(f"silent, as a file of the plugin is missing ({type(error).__name__}: {error}): copy the whole folder")
        return None, None, own
    try:
        config = parsed(orthanc.GetConfiguration().encode(), ANSWER)
        script = config.get("PythonScript") or (config.get("Python") or {}).get("Path")
        own = Path(str(script)).stem == __name__
        section = config.get("FhirSync") or {}
        missing = [f"FhirSync.{name}" for name in ("MapperUrl", "Token") if not section.get(name)]
        if not missing:
            mapper = Mapper(section["MapperUrl"], section["Token"], section.get("MapperPublicUrl") or "")
            return mapper, Doorbell(mapper), own
        warn(f"silent, as {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set")
    except SettingError as error:
        warn(f"silent: {error}")
    except Exception as error:  # the same
        warn(f"silent, as the configuration cannot be used ({type(error).__name__})")
    return None, None, own


def follower() -> Any:
    """Give who keeps labels in line; None where FhirSync.Labels is not true, or nothing rings."""
    if MAPPER is None:
        return None
    try:
        from fhir_sync_follower import Follower  # type: ignore[import-not-found]
        from fhir_sync_json import ANSWER, parsed
        from fhir_sync_labels import is_wanted  # type: ignore[import-not-found]

        config = parsed(orthanc.GetConfiguration().encode(), ANSWER)
        options = (config.get("OrthancExplorer2") or {}).get("UiOptions") or {}
        wanted = is_wanted(config["FhirSync"].get("Labels", False))
        return Follower(MAPPER, options.get("EnableEditLabels")) if wanted else None
    except Exception as error:  # the same
        warn(f"it rings, but writes no labels ({type(error).__name__}: {error})")
        return None


def register_routes() -> None:
    """Register the routes below /fhir-sync; none when the plugin is silent."""
    if MAPPER is None:
        return
    try:
        from fhir_sync_routes import ROUTES, guarded  # type: ignore[import-not-found]

        for uri, (route, methods) in ROUTES.items():
            CALLBACKS.append(guarded(MAPPER, route, methods))
            orthanc.RegisterRestCallback(uri, CALLBACKS[-1])
    except Exception as error:  # the same
        warn(f"it rings, but answers nothing below /fhir-sync ({type(error).__name__}: {error}): copy the whole folder")


def explorer_script() -> str:
    """Give the JavaScript for Orthanc Explorer; empty when the plugin is silent or the file is missing."""
    try:
        return EXPLORER.read_text("utf-8") if MAPPER is not None else ""
    except OSError:
        warn(f"no button in Orthanc Explorer: {EXPLORER.name} must lie beside {Path(__file__).name}")
        return ""


def register() -> None:
    """Register all of it with Orthanc, which takes one change callback and one Explorer script only."""
    if MAPPER is not None:
        orthanc.RegisterOnChangeCallback(on_change)
        orthanc.ExtendOrthancExplorer(explorer_script())
        orthanc.SetDescription("Keeps a FHIR server in line with Orthanc")
        register_routes()
        warn(f"rings {MAPPER.url.geturl()}")  # a warning, as Orthanc by default tells nothing less


CALLBACKS: list[object] = []  # held, as Orthanc crashes at its end when its reference to a callback is the last one
MAPPER, BELL, OWN = configured()
FOLLOWER = follower()
if OWN:
    try:
        register()
    except Exception as error:  # the same: Orthanc must start without us
        warn(f"only a part of it works, as registration failed ({type(error).__name__}: {error})")
