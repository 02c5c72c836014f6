"""`python -m pipelines`, the same as the console script `scistage`."""

from pipelines.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
