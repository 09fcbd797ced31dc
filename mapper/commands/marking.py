"""Studies marked in the ledger that the settings name, where there is one."""

from mapper.ledger.claim import BY_HAND
from mapper.settings import Settings
from mapper.wiring import database_of, ledger_of


def mark(settings: Settings, source: str, study_uids: list[str]) -> bool:
    """Mark studies in the ledger; False where there is none yet."""
    database = database_of(settings)
    made = database.is_made()
    database.close()
    if made:
        ledger = ledger_of(settings, make=False)
        ledger.studies.mark(source, study_uids, BY_HAND)
        ledger.database.close()
    return made
