"""What a process measures of itself: the instruments, for every part of the program to use."""
