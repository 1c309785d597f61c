"""Everything that needs torch: networks, training loop, weights. Imported only for deep models."""
