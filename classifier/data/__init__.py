"""What models are trained on: rows from views, labels, splits."""
