"""Judge the numbers of a column as a whole: notation, unit and scale."""
