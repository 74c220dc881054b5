from sweeper.store.memory import MemoryStore
from tests.store.builders import a_sweep, a_trial


async def test_leaving_keeps_everything_for_the_next_to_enter() -> None:
    store = MemoryStore()
    async with store:
        await store.save_sweep(a_sweep())
        await store.commit([a_trial(0)])

    async with store as again:
        assert again is store
        assert (await again.totals()).next_number == 1


async def test_two_stores_share_nothing() -> None:
    one, other = MemoryStore(), MemoryStore()

    await one.save_sweep(a_sweep())

    assert await other.load_sweep() is None
