"""`python -m senet_repro`: see senet_repro.cli.main."""

from senet_repro.core.signals import end_at_signals


def main() -> None:
    """Serve the command line, and hear signals from the first import on."""
    end_at_signals()
    from senet_repro.cli.main import main as serve

    serve()


if __name__ == "__main__":
    main()
