"""Three studies of one patient, an old one, a newer one and the newest: who of them speaks is what tests ask."""

OLD, MIDDLE, NEW = "1.2.1", "1.2.2", "1.2.3"
DATES = {OLD: "20200101", MIDDLE: "20220101", NEW: "20240101"}
