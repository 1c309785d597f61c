"""`python -m genrebase`."""

from genrebase.cli import main

if __name__ == "__main__":
    main()
