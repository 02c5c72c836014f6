"""The command line: nothing here is imported by a stage."""
