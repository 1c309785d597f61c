"""Drawings, each of one view: one file per kind."""
