"""`python -m pqwatch` is `pqwatch`."""

from pqwatch.cli import main

if __name__ == "__main__":
    main()
