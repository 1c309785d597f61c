"""Metrics, intervals, leakage checks, promotion."""
