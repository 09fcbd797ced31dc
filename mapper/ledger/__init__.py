"""The ledger: which study is dirty, done, parked or removed, what was written, and who speaks; it alone writes SQL."""
