"""The model registry: artifacts, stored models and metrics, retention."""
