"""Training, evaluation, production retrains, snapshots."""
