"""Commands of `genrebase` itself: run both daemons, and the demo.

It imports neither the collector nor the classifier, but starts their commands as processes.
"""
