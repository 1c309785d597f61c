"""Tracks that come from files or by their ids."""
