"""What needs torch: layers, learning, weights. Imported by nobody but who was asked for it."""
