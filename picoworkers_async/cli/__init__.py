"""The command line, `picoworkers`."""
