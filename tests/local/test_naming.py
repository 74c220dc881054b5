import asyncio

import pytest

from sweeper.local.naming import MAX_LENGTH, NameInUseError, NamesInUse, with_suffix
from sweeper.wire.checking import check_name


async def none_on_record(project_id: str, name: str) -> bool:
    return False


async def all_on_record(project_id: str, name: str) -> bool:
    return True


async def test_a_name_has_one_holder_in_a_project() -> None:
    names = NamesInUse(none_on_record)

    await names.claim("1", "one", "a")
    await names.claim("2", "one", "b")

    with pytest.raises(NameInUseError, match="'one' already exists in this project"):
        await names.claim("1", "one", "c")


async def test_a_name_on_record_is_taken_and_not_held() -> None:
    names = NamesInUse(all_on_record)

    for _ in range(2):
        with pytest.raises(NameInUseError):
            await names.claim("1", "one", "a")


async def test_a_name_is_free_once_its_holder_lets_go() -> None:
    names = NamesInUse(none_on_record)
    names.hold("1", "one", "a")

    names.release("1", "one", "somebody else")
    with pytest.raises(NameInUseError):
        await names.claim("1", "one", "b")
    names.release("1", "one", "a")

    await names.claim("1", "one", "b")


async def test_of_two_claims_at_once_one_succeeds() -> None:
    asked = asyncio.Event()

    async def slow(project_id: str, name: str) -> bool:
        await asked.wait()
        return False

    names = NamesInUse(slow)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(names.claim("1", "one", "a"), name="first")
        await asyncio.sleep(0)  # noqa: TID251 - lets the first claim begin
        with pytest.raises(NameInUseError):
            await names.claim("1", "one", "b")
        asked.set()

    assert first.exception() is None


async def test_a_claim_that_was_given_up_leaves_the_name_free() -> None:
    async def never(project_id: str, name: str) -> bool:
        raise asyncio.CancelledError

    names = NamesInUse(never)
    with pytest.raises(asyncio.CancelledError):
        await names.claim("1", "one", "a")

    with pytest.raises(asyncio.CancelledError):
        await names.claim("1", "one", "b")


@pytest.mark.parametrize("prefix", ["a", "abc-", "a" * 63])
def test_a_name_from_a_prefix_is_a_name(prefix: str) -> None:
    name = with_suffix(prefix)

    assert name.startswith(prefix[: MAX_LENGTH - 6])
    assert len(name) <= MAX_LENGTH
    assert check_name(name) == ""
