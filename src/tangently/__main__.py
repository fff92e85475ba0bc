"""`python -m tangently`."""

from tangently.cli import main

main(prog_name="tangently")
