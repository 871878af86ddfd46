"""The command line as `python -m cosmic`."""

from cosmic.cli.main import main

if __name__ == "__main__":
    main()
