"""Pictures of bodies that never were: each module draws one, in physical units, the same in every run."""
