"""Overview: are we in line, and if not, why and who must do what."""
