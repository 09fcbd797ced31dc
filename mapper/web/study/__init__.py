"""One study: how it stands, what was dropped of it, what became of each sync, and where else it can be seen."""
