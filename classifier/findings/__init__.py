"""What else there is to learn from data and models: what sets genres apart, clusters, matches."""
