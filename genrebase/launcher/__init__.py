"""What `genrebase` does itself: run both sides as processes, show the main job, see the doctor.

It imports neither the collector nor the classifier: it starts them, by their commands.
"""
