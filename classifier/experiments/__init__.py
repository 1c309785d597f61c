"""Experiments of many trainings: comparison, hyperparameter search, learning curves."""
