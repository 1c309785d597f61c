"""What every process needs: clock, job runs, scheduling, logging, console output, monitoring."""
