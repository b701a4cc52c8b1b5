"""Run the command line with `python -m codepark.cli`."""

from codepark.cli import main

main()
