"""What a sound is made of, in figures: pure, and the same whoever listened."""
