"""What the launcher and whoever uses it agree on, without importing the product."""

ORDER = "CONVERGENCE_ORDER"
"""Environment variable: the file in which somebody may write `kill <point>` or `stop <point>`."""
LEASE = 8.0
"""Seconds of a lease under the launcher."""
POINTS = (
    "after read",
    "after begin",
    "before put",
    "after put",
    "before retract",
    "after retract",
    "before finish",
    "after finish",
)
"""Where the launcher can stop or kill the mapper."""
