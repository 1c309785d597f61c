"""The loops that notebooks publish, and what their models are worth on artists never met."""
