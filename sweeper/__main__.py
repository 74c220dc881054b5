"""The command `sweeper`, and `python -m sweeper`."""

from sweeper.bootstrap.first_process import is_first_process, stand_aside


def main() -> None:
    """Run the command line; as process 1 of a container, in a process of its own."""
    if is_first_process():
        stand_aside()
    from sweeper.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
