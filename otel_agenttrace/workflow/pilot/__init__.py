"""The pilot: the ten phases of PI-101-002 on files that it makes itself, to see gates pass, and block."""
