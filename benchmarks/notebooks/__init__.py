"""Published notebook experiments, and the accuracy of their models on unseen artists."""
