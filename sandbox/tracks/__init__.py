"""The tracks that are served, and what each service makes of them."""
