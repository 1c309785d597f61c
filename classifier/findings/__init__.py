"""Analyses of data and models: separability, importance, clusters, profiles, outliers."""
