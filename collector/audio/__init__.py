"""Sound files as tracks: which there are, what they are called, and what is heard in them."""
