"""Many trainings at once, to learn from: compare, tune, learning curves. Each trial is a row."""
