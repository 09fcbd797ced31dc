"""Who is dirty, who is done, what failed and why: the ledger, what marks studies dirty, and the worker."""
