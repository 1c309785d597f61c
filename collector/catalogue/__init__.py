"""The collector's SQL: what it reads and writes, one module per thing."""
