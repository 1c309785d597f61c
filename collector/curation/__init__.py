"""What people decide: genres, labels, mappings, what is removed."""
