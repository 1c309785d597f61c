"""`python -m classifier`."""

from genrebase.interpreter import leave_out_working_folder

if __name__ == "__main__":
    leave_out_working_folder()
    from classifier.cli import main  # after that: it imports our other packages

    main()
