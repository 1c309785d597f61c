"""The collector's SQL: what it reads and writes, one module per thing.

Functions that write run inside a writing transaction, which the caller commits.
"""
