"""Parsers of datasets: CSV, Parquet and FMA rows to tracks, with columns found by their names."""
