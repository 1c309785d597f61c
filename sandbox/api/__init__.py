"""The HTTP APIs, a module per service: endpoints, JSON objects, error bodies."""
