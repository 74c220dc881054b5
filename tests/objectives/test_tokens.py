from hypothesis import given
from hypothesis import strategies as st

from sweeper.objectives.tokens import is_token, token_for

KEY = b"k" * 32


def test_a_trial_has_the_same_token_at_every_start() -> None:
    assert token_for(KEY, 3) == token_for(KEY, 3)
    assert is_token(KEY, 3, token_for(KEY, 3))


def test_a_token_is_good_for_one_trial_of_one_sweep() -> None:
    token = token_for(KEY, 3)

    assert not is_token(KEY, 4, token)
    assert not is_token(b"another", 3, token)


@given(st.text(alphabet=st.characters()))
def test_no_other_text_is_a_token(text: str) -> None:
    assert not is_token(KEY, 3, text)


def test_a_token_fits_into_a_header() -> None:
    token = token_for(KEY, 10**12)

    assert len(token) == 43
    assert token.replace("-", "").replace("_", "").isalnum()
