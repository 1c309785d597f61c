"""Read files as tables of text cells: one module per format, chosen by the file's content."""
