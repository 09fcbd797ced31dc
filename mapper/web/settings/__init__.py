"""Settings: what is in force, and where each comes from."""
