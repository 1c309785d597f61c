"""The commands of the classifier, one file each.

A command imports the numerical libraries, SQLAlchemy, and what needs them when it runs: --help and
the choice of the command take no time.
"""
