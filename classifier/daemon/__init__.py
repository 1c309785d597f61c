"""The trainer as a daemon: schedule, subprocesses, health, drift."""
