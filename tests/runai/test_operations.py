from sweeper.runai.operations import BY_ID, LISTINGS, READS, Observer, Operation


def test_every_operation_is_a_read_or_one_of_the_four_that_change_something() -> None:
    writes = {Operation.CREATE, Operation.SUSPEND, Operation.RESUME, Operation.DELETE}

    assert READS | writes == set(Operation)
    assert not READS & writes
    assert LISTINGS < READS


def test_calls_by_id_are_those_about_one_training() -> None:
    names = {operation.value for operation in BY_ID}

    assert names == {"get", "events", "suspend", "resume", "delete"}


def test_an_observer_without_callbacks_hears_nothing() -> None:
    observer = Observer()

    observer.on_request(Operation.GET, "200", 0.1)
    observer.on_retry(Operation.GET, "transient")
    observer.on_breaker("open")
    observer.on_rate(1.0)
