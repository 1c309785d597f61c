"""`genrebase serve`: web pages over the database. Nothing imports this package."""
