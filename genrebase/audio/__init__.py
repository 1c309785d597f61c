"""Audio feature extraction: decode files, compute descriptors, keys, sections and spectrograms."""
