"""What a process measures of itself, the instruments and the traces, for every part of the program to use."""
