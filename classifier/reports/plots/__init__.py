"""Plots of the database's views: a module per kind."""
