import io
import logging
import sys
import threading
from typing import Any

import pytest
from rich.console import Console

from sweeper.domain.record import Totals
from sweeper.domain.trial import TrialState
from sweeper.telemetry import terminal
from sweeper.telemetry.logs import log_lines
from sweeper.telemetry.terminal import Display, can_display, stderr_console
from tests.support.builders import NOW, a_sweep, a_trial
from tests.telemetry.builders import a_move, a_tick


class _Screen(io.StringIO):
    """A file that takes itself for a terminal, and tells when something was drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if "running" in text:
            self.drawn.set()
        return super().write(text)


def _console(file: io.StringIO, **given: Any) -> Console:
    return Console(file=file, width=80, _environ={"TERM": "xterm"}, **given)


def test_a_display_draws_the_newest_tick_when_it_is_closed() -> None:
    screen = _Screen()

    with Display(_console(screen), now=lambda: NOW) as display:
        display.ticked(a_tick(a_trial(0)))
        display.recorded(a_sweep(), [a_move("active", "completed")])
        display.ticked(a_tick(a_trial(0), a_trial(1)))

    assert "2 running" in screen.getvalue().splitlines()[-3]


def test_a_thread_of_its_own_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "REFRESH_PER_SECOND", 200.0)
    screen = _Screen()

    with Display(_console(screen), now=lambda: NOW) as display:
        display.ticked(a_tick(a_trial(0)))
        was_drawn = screen.drawn.wait(5)

    assert was_drawn


def test_drawing_is_rare_enough_to_cost_nothing() -> None:
    assert terminal.REFRESH_PER_SECOND <= 4


def test_nothing_is_shown_before_the_first_tick() -> None:
    assert Display(_console(_Screen()), now=lambda: NOW).picture() == ""


def test_the_pace_counts_from_the_first_tick() -> None:
    screen = _Screen()
    settled = Totals(states={TrialState.COMPLETED: 5}, next_number=5)

    with Display(_console(screen), now=lambda: NOW) as display:
        display.ticked(a_tick(totals=settled))
        display.ticked(a_tick(totals=settled))

    assert "0s elapsed\n" in screen.getvalue()


def test_log_lines_scroll_above_the_display_unchanged() -> None:
    screen = _Screen()
    usual: list[str] = []
    words = "[red]markup[/red] :smile: " + "x" * 200

    with log_lines(secrets=tuple, write=usual.append) as lines:
        with Display(_console(screen), now=lambda: NOW, lines=lines):
            logging.getLogger("sweeper").info("%s", words)
        logging.getLogger("sweeper").info("after")

    assert f"{words}\n" in screen.getvalue()
    assert [line.split()[-1] for line in usual] == ["after"]


def test_the_cursor_comes_back() -> None:
    screen = _Screen()

    with Display(_console(screen), now=lambda: NOW):
        pass

    assert screen.getvalue().rindex("\x1b[?25h") > screen.getvalue().rindex("\x1b[?25l")


def test_colours_can_be_turned_off() -> None:
    screen = _Screen()
    console = Console(file=screen, width=80, _environ={"TERM": "xterm", "NO_COLOR": "1"})

    with Display(console, now=lambda: NOW) as display:
        display.ticked(a_tick(a_trial(0)))

    assert "\x1b[3" not in screen.getvalue()


@pytest.mark.parametrize("logs", [True, False])
def test_trouble_is_shown_without_secrets(logs: bool) -> None:
    screen = _Screen()
    tick = a_tick(trouble="Bearer abcdefgh refused\x1b[2J, hunter2-hunter2")

    with log_lines(secrets=lambda: ["hunter2-hunter2"], write=lambda _: None) as lines:
        shown = lines if logs else None
        with Display(_console(screen), now=lambda: NOW, lines=shown) as display:
            display.ticked(tick)

    assert r"Bearer *** refused\x1b[2J" in screen.getvalue()
    assert ("hunter2" in screen.getvalue()) is not logs


@pytest.mark.parametrize(
    ("console", "can"),
    [
        (_console(_Screen()), True),
        (_console(io.StringIO()), False),
        (_console(io.StringIO(), force_terminal=True), False),
        (Console(file=_Screen(), _environ={"TERM": "dumb"}), False),
    ],
    ids=["terminal", "file", "file-with-forced-colours", "dumb-terminal"],
)
def test_only_a_real_terminal_gets_a_display(console: Console, can: bool) -> None:
    assert can_display(console) is can


def test_the_console_is_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    error = io.TextIOWrapper(written, encoding="utf-8", write_through=True)
    monkeypatch.setattr(sys, "stderr", error)

    console = stderr_console()
    console.print("hier …")

    assert written.getvalue().decode() == "hier …\n"
    assert console.encoding == "utf-8"
    assert not can_display(console)


def test_a_process_without_stderr_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)

    console = stderr_console()
    console.print("into the void")

    assert not can_display(console)


def test_a_terminal_that_was_closed_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(_Screen):
        encoding = "utf-8"

        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

        def flush(self) -> None:
            raise OSError(5, "Input/output error")

        def fileno(self) -> int:
            return 2

    monkeypatch.setattr(sys, "stderr", Gone())
    console = stderr_console()

    with Display(console, now=lambda: NOW) as display:
        display.ticked(a_tick(a_trial(0)))

    assert console.file.fileno() == 2
