"""Parse single cells: lists, genres, numbers, dates, keys and missing values."""
