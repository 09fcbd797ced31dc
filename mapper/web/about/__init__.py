"""About: what this is, of which version, under which licence."""
