"""The collector's commands, one module per subject: arguments in, records out, nothing decided."""
