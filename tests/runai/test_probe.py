"""A probe of control planes of all kinds: what it finds, what it writes down, what it leaves."""

import asyncio

import httpx
import pytest

from sweeper.errors import SettingsError
from sweeper.runai.findings import Verdict
from sweeper.runai.probe_training import LABEL, probe_spec
from sweeper.runai.tokens import TokenVersion
from sweeper.wire.checking import check_name, check_spec
from sweeper.wire.issues import Side
from sweeper.wire.rules.view import Terms
from tests.runai.probed import CLUSTER, MARK, NAME, NOW, Made, Site, probed, probing

pytestmark = pytest.mark.looptime

STEPS = [
    "address",
    "token",
    "cluster",
    "project",
    "listing",
    "create",
    "create again",
    "look up",
    "get",
    "events",
    "start",
    "suspend",
    "resume",
    "delete",
    "name again",
    "clean-up",
]


async def test_all_is_well_where_all_is_well() -> None:
    site = Site()

    found = await probed(site)

    assert found.verdicts() == dict.fromkeys(STEPS, "ok")
    assert found.probe.is_well
    assert site.trainings == []


async def test_what_is_found_is_known_afterwards() -> None:
    known = (await probed(Site(listing_lag=3.0))).probe.capabilities

    assert known.probed_at == NOW
    assert known.token_version is TokenVersion.V2
    assert (known.listing, known.events, known.labels_returned) == (True, True, True)
    assert (known.names_unique, known.duplicate_status, known.name_freed) == (True, 409, True)
    assert known.phase_field == "actualPhase"
    assert known.lag_seconds == pytest.approx(3.0, abs=1.1)


async def test_the_training_breaks_no_rule() -> None:
    assert check_name(NAME) == ""
    assert check_spec(probe_spec("busybox", MARK), Terms(side=Side.CLIENT)) == []


async def test_an_address_that_nobody_answers_at_ends_the_probe() -> None:
    def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate")

    found = await probed(httpx.MockTransport(refuse))

    assert found["address"].verdict is Verdict.MISSING
    assert "CERTIFICATE_VERIFY_FAILED" in found["address"].words
    assert "SWEEPER_CA_FILE" in found["address"].remedy
    assert {found[step].verdict for step in STEPS[1:4]} == {Verdict.SKIPPED}


@pytest.mark.parametrize(("status", "remedy"), [(401, "RUNAI_CLIENT_ID"), (404, "RUNAI_BASE_URL")])
async def test_credentials_that_are_refused_are_told_apart_from_the_address(
    status: int, remedy: str
) -> None:
    found = await probed(Site(refused={"v1": status, "v2": status}))

    assert found["address"].verdict is Verdict.OK
    assert found["token"].verdict is Verdict.MISSING
    assert remedy in found["token"].remedy
    assert "hush-hush" not in str(found.told)


async def test_the_older_token_call_is_found() -> None:
    found = await probed(Site(token="v1"))

    assert found.probe.capabilities.token_version is TokenVersion.V1


@pytest.mark.parametrize(
    ("kind", "step", "permission"),
    [
        ("projects", "project", "read on projects"),
        ("listing", "listing", "read on workloads"),
        ("create", "create", "create on workloads"),
        ("get", "get", "read on workloads"),
        ("events", "events", "read on workloads"),
        ("suspend", "suspend", "update on workloads"),
        ("resume", "resume", "update on workloads"),
        ("delete", "delete", "delete on workloads"),
    ],
)
async def test_a_permission_that_is_missing_is_named(kind: str, step: str, permission: str) -> None:
    found = await probed(Site(refused={kind: 403}), cluster="west")

    assert found[step].verdict is Verdict.MISSING
    assert found[step].permission == permission
    assert not found.probe.is_well


async def test_a_closed_project_list_lets_an_id_pass() -> None:
    found = await probed(Site(refused={"projects": 403}), project="7", cluster="west")

    assert found["create"].verdict is Verdict.OK


async def test_closed_lists_of_clusters_let_an_id_pass() -> None:
    found = await probed(Site(refused={"clusters": 403}), cluster=CLUSTER)

    assert found["cluster"].permission == "read on clusters"
    assert found["create"].verdict is Verdict.OK


@pytest.mark.parametrize("kind", ["projects", "clusters"])
async def test_lists_that_do_not_exist_are_no_fault_where_ids_are_given(kind: str) -> None:
    found = await probed(Site(refused={kind: 404}), project="7", cluster=CLUSTER)

    assert found[kind.removesuffix("s")].verdict is Verdict.NOTE
    assert found["create"].verdict is Verdict.OK


async def test_an_unknown_project_is_told_with_those_there_are() -> None:
    found = await probed(Site(), project="visio")

    assert "near it: vision" in found["project"].words
    assert "create" not in found.verdicts()


async def test_an_unknown_cluster_stops_nothing_that_the_project_knows() -> None:
    found = await probed(Site(), cluster="east")

    assert found["cluster"].verdict is Verdict.MISSING
    assert "east" in found["cluster"].words


async def test_a_project_that_hides_its_cluster_wants_one_named() -> None:
    found = await probed(Site(tells_cluster=False))

    assert "--cluster" in found["project"].words


async def test_a_project_that_can_be_no_id_is_a_matter_of_settings() -> None:
    with pytest.raises(SettingsError):
        await probed(Site(refused={"projects": 404}), project="a,b", cluster=CLUSTER)


async def test_names_that_are_not_unique_make_later_creates_wait() -> None:
    site = Site(duplicate=None)

    found = await probed(site)

    assert found["create again"].verdict is Verdict.NOTE
    assert found.probe.capabilities.names_unique is False
    assert found.probe.capabilities.quarantine(20.0) >= 180.0
    assert site.trainings == []


async def test_a_second_create_may_be_answered_with_the_first_training() -> None:
    found = await probed(Site(duplicate=None, repeats_itself=True))

    assert found["create again"].verdict is Verdict.OK
    assert found.probe.capabilities.names_unique is True


async def test_what_cannot_be_read_any_more_is_taken_away_all_the_same() -> None:
    site = Site(refused={"get": 503})

    found = await probed(site)

    assert found["get"].remedy == "try again in a few minutes"
    assert found["start"].words.startswith("still Unknown after")
    assert found["clean-up"].words == "nothing is left behind"
    assert site.trainings == []


async def test_a_refusal_in_other_words_is_told_with_them() -> None:
    found = await probed(Site(duplicate=400, duplicate_words="the name is in use"))

    assert "the name is in use" in found["create again"].words
    assert found.probe.capabilities.duplicate_status == 400
    assert found.probe.capabilities.names_unique is None


async def test_a_name_may_stay_taken() -> None:
    found = await probed(Site(frees_names=False))

    assert found["name again"].verdict is Verdict.NOTE
    assert found.probe.capabilities.name_freed is False


async def test_the_five_operations_alone_are_enough() -> None:
    found = await probed(Site(refused={"listing": 404, "events": 404}))

    assert found["listing"].verdict is found["events"].verdict is Verdict.NOTE
    assert found["look up"].verdict is Verdict.SKIPPED
    assert found.probe.is_well


async def test_a_listing_that_lags_for_ever_is_missing() -> None:
    found = await probed(Site(listing_lag=1e9))

    assert found["look up"].verdict is Verdict.MISSING
    assert found.probe.capabilities.lag_seconds is None


@pytest.mark.parametrize("field", ["actualPhase", "phase"])
async def test_the_phase_is_read_under_either_name(field: str) -> None:
    known = (await probed(Site(phase_field=field))).probe.capabilities

    assert known.phase_field == field


async def test_a_phase_that_is_not_told_is_taken_from_the_listing() -> None:
    found = await probed(Site(phase_field=""))

    assert found["get"].verdict is Verdict.NOTE
    assert found["suspend"].verdict is Verdict.OK


async def test_without_any_phase_nothing_can_be_steered() -> None:
    found = await probed(Site(phase_field="", refused={"listing": 404}))

    assert found["suspend"].verdict is Verdict.MISSING
    assert found["resume"].verdict is Verdict.SKIPPED


async def test_labels_that_are_not_given_back_are_missing() -> None:
    found = await probed(Site(gives_labels=False))

    assert "labels are not given back" in found["get"].words


@pytest.mark.parametrize(("listing", "told"), [(200, ": no GPU is free"), (404, "")])
async def test_a_training_that_waits_is_only_noted(listing: int, told: str) -> None:
    refused = {} if listing == 200 else {"listing": listing}

    found = await probed(Site(started="Pending", message="no GPU is free", refused=refused))

    assert found["start"].verdict is Verdict.NOTE
    assert found["start"].words == f"still Pending after 120 s{told}"


async def test_a_training_that_fails_is_not_suspended() -> None:
    found = await probed(Site(started="Failed"))

    assert found["start"].words.startswith("Failed after")
    assert found["suspend"].verdict is Verdict.SKIPPED


async def test_a_training_that_cannot_be_stopped_or_resumed_is_told() -> None:
    stopping = await probed(Site(suspended="Stopping"))
    resuming = await probed(Site(resumed="Resuming"))

    assert stopping["suspend"].verdict is Verdict.MISSING
    assert resuming["resume"].words == "accepted, and yet Resuming after 120 s"
    assert "Kubernetes" in resuming["resume"].remedy


async def test_a_step_that_hangs_ends_all_the_same() -> None:
    site = Site(hangs="suspend")

    found = await probed(site)

    assert found["suspend"].verdict is Verdict.MISSING
    assert site.trainings == []


async def test_a_delete_without_end_leaves_word_of_what_is_left() -> None:
    site = Site(deletes=False)

    found = await probed(site)

    assert found["delete"].words == "no end within 160 s"
    assert site.trainings[0].workload_id in found["clean-up"].words


async def test_kept_is_the_training_and_nothing_beside_it() -> None:
    site = Site(duplicate=None)

    found = await probed(site, keep=True)

    (kept,) = site.trainings
    assert kept.workload_id in found["clean-up"].words
    assert "delete" not in found.verdicts()


async def test_a_create_whose_answer_was_lost_is_found_and_taken_away() -> None:
    site = Site(lost=(1,))

    found = await probed(site)

    assert found["create"].verdict is Verdict.MISSING
    assert found["clean-up"].words == "nothing is left behind"
    assert site.trainings == []


async def test_a_lost_create_that_nobody_can_look_up_is_named() -> None:
    found = await probed(Site(lost=(1,), refused={"listing": 404}))

    assert NAME in found["clean-up"].words


async def test_what_has_the_name_and_not_the_label_is_left_alone() -> None:
    site = Site(lost=(1,), duplicate=None)
    async with probing(site) as found:
        foreign = Made(NAME, {"labels": [{"name": LABEL, "value": "of-another"}]}, 0.0)
        site.trainings.append(foreign)
        await found.probe.run()

    assert site.trainings == [foreign]


async def test_a_probe_that_is_cancelled_takes_away_what_it_made() -> None:
    site = Site(hangs="resume")
    async with probing(site) as found, asyncio.TaskGroup() as group:
        task = group.create_task(found.probe.run(), name="probe")
        await site.hanging.wait()
        task.cancel()

    assert site.trainings == []
    assert found.told[-1].words == "nothing is left behind"


async def test_a_probe_cancelled_within_its_create_looks_for_it() -> None:
    site = Site(hangs="create")
    async with probing(site) as found, asyncio.TaskGroup() as group:
        task = group.create_task(found.probe.run(), name="probe")
        await site.hanging.wait()
        made = Made(NAME, dict(probe_spec("busybox", MARK)), 0.0)
        site.trainings.append(made)
        task.cancel()

    assert site.trainings == []


async def test_answers_of_no_use_end_in_findings() -> None:
    page = httpx.Response(200, text="<html>Sign in</html>")

    found = await probed(httpx.MockTransport(lambda _request: page))

    assert found["token"].verdict is Verdict.MISSING


async def test_a_host_that_wants_to_be_left_alone_is_waited_for() -> None:
    site = Site()
    busy = iter([httpx.Response(429, headers={"Retry-After": "20"})])

    async def answer(request: httpx.Request) -> httpx.Response:
        is_resume = site.kind(request) == "resume"
        return next(busy, None) or await site(request) if is_resume else await site(request)

    found = await probed(httpx.MockTransport(answer))

    assert found["resume"].verdict is Verdict.MISSING
    assert found["resume"].remedy == "try again in a few minutes"
    assert found["delete"].verdict is Verdict.OK


@pytest.mark.parametrize("listing", [200, 404])
async def test_writes_go_on_once_a_read_does_well_again(listing: int) -> None:
    site, troubles = Site(refused={} if listing == 200 else {"listing": 404}), iter(range(12))

    async def answer(request: httpx.Request) -> httpx.Response:
        if site.kind(request) == "get" and next(troubles, None) is not None:
            return httpx.Response(503)
        return await site(request)

    found = await probed(httpx.MockTransport(answer))

    assert found["get"].verdict is Verdict.MISSING
    assert {found[step].verdict for step in ("suspend", "resume", "delete")} == {Verdict.OK}
    assert site.trainings == []
