"""What runs once over much; it has no row in the ledger: its ids and bytes make it repeatable."""
