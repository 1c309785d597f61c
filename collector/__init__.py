"""The collector: fills the database with unique tracks per genre. Never imports the classifier."""
