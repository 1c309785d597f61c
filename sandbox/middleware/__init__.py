"""Rate limits, faults and request statistics around the APIs."""
