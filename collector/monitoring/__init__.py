"""Status, health, metrics, checks."""
