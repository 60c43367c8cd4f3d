"""`python -m senet_repro`: see senet_repro.cli.main."""

from senet_repro.cli.main import main

if __name__ == "__main__":
    main()
