"""Columnar reading and copies: tables as Arrow batches, views in DuckDB, Parquet files."""
