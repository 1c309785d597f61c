"""The trainer: learns from the database's views and writes its answers back."""
