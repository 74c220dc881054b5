import pytest

from sweeper.domain.phase import PHASE_MEANING, DesiredPhase, Phase


def test_every_phase_has_a_meaning() -> None:
    assert set(PHASE_MEANING) == set(Phase)


@pytest.mark.parametrize("phase", Phase)
def test_a_phase_is_read_by_its_word(phase: Phase) -> None:
    assert Phase.read(phase.value) is phase


@pytest.mark.parametrize("word", [None, "", "running", "Suspended", "Preempted", "\x00"])
def test_a_missing_or_new_word_is_no_information(word: str | None) -> None:
    assert Phase.read(word) is Phase.UNKNOWN


def test_desired_phases_are_words_of_the_api() -> None:
    assert [phase.value for phase in DesiredPhase] == ["Running", "Stopped", "Deleted"]
