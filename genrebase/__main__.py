"""`python -m genrebase`."""

from genrebase.interpreter import leave_out_working_folder

if __name__ == "__main__":
    leave_out_working_folder()
    from genrebase.cli import main  # after that: it imports our other packages

    main()
