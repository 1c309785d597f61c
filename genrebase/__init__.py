"""The ground that the collector and the classifier stand on."""
