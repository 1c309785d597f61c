"""Evaluation: metrics, bootstrap intervals, leakage checks, promotion."""
