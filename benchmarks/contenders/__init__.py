"""One program for each client of the comparison: ``PROGRAM QUESTION ADDRESS DEPLOYMENT`` prints what happened."""
