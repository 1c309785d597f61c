"""What a model looks at: one transformer per file, from the views' columns to numbers."""
