"""What both sides need to run: time, jobs, logs and the command line's voice."""
