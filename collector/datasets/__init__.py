"""Parse datasets: rows of tables in many formats to tracks, with inferred columns and scales."""
