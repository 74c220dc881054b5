"""The Trainings API of the simulated control plane: what each request does, and its answer."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sweeper.domain.phase import Phase
from tests.simulation.history import Actor
from tests.simulation.scenario import Api
from tests.simulation.server import Cluster, Training

PROJECT = "1"
TRAININGS = "/api/v1/workloads/trainings"
WORKLOADS = "/api/v1/workloads"
TOKEN = "/api/v2/token"

Answer = tuple[int, Any]
_GONE: Answer = (404, {"code": 404, "message": "Resource id not found"})
_DONE: Answer = (202, {"code": 202, "message": "Request has been accepted."})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, read: which operation, of which training (its name, for a create)."""

    operation: str
    about: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    token: str = ""

    @property
    def writes(self) -> bool:
        """Whether it changes anything."""
        return self.operation in {"create", "suspend", "resume", "delete"}


def read(method: str, path: str, params: Mapping[str, str], content: bytes, token: str) -> Asked:
    """Return what a request asks for."""
    if path == TOKEN:
        return Asked(operation="token")
    if (method, path) == ("POST", TRAININGS):
        body = json.loads(content)
        return Asked(operation="create", about=body["name"], body=body, token=token)
    if path == WORKLOADS:
        found = re.search(r"name==([^,]+)", params.get("filterBy", ""))
        operation = "find" if found else "list"
        about = found[1] if found else ""
        return Asked(operation=operation, about=about, params=params, token=token)
    if path.startswith(f"{TRAININGS}/"):
        workload_id, _, word = path.removeprefix(f"{TRAININGS}/").partition("/")
        operation = word or {"GET": "get", "DELETE": "delete"}[method]
        return Asked(operation=operation, about=workload_id, token=token)
    workload_id, _, word = path.removeprefix(f"{WORKLOADS}/").partition("/")
    return Asked(operation=word, about=workload_id, params=params, token=token)


class Face:
    """The HTTP face of a cluster."""

    def __init__(self, cluster: Cluster, api: Api) -> None:
        self._cluster = cluster
        self._api = api
        self._tokens: dict[str, float] = {}
        self._given = 0
        self._odd = cluster.stream("odd")
        self.is_amnesic = False
        self.starts = 1

    @property
    def has_unique_names(self) -> bool:
        """Whether a name can be held by one training only."""
        return self._api.unique_names

    def restart(self) -> None:
        """End and start again: trainings go on, no token given so far is good any more."""
        self.starts += 1
        self._tokens.clear()

    def answer(self, asked: Asked) -> Answer:
        """Do what is asked and return the status and the JSON of the answer."""
        if asked.operation == "token":
            self._given += 1
            token = f"token-{self._given}"
            self._tokens[token] = self._cluster.seconds + self._api.token_seconds
            return 200, {"access_token": token, "expires_in": self._api.token_seconds}
        if self._tokens.get(asked.token, 0) <= self._cluster.seconds:
            return 401, {"code": 401, "message": "the token is not valid"}
        if asked.operation == "create":
            return self._create(asked)
        if asked.operation in {"list", "find"}:
            return self._list(asked) if self._api.has_listing else _GONE
        return self._of_one(asked)

    def _create(self, asked: Asked) -> Answer:
        name = asked.about
        if asked.body.get("useGivenNameAsPrefix") is True:
            name = f"{name}r{len(self._cluster.trainings)}"
        if self._api.unique_names and self._cluster.named(name):
            words = f"a workload named {name} already exists"
            return self._api.taken_status, {"code": self._api.taken_status, "message": words}
        if self._cluster.stream(f"{name}/refused").random() < self._api.refusing:
            return 400, {"code": 400, "message": f"no image of number {len(name)}-{hash_of(name)}"}
        labels = {one["name"]: one["value"] for one in asked.body["spec"]["labels"]}
        training = self._cluster.create(name, labels, is_ours=True)
        return 202, self._whole(training)

    def _of_one(self, asked: Asked) -> Answer:
        training = self._cluster.trainings.get(asked.about)
        if training is None or training.deleted is not None or self._is_unseen(training):
            return _GONE
        if self._cluster.seconds < training.created + self._api.read_lag:
            return _GONE
        commands: Mapping[str, Callable[[Training, Actor], None]] = {
            "suspend": self._cluster.suspend,
            "resume": self._cluster.resume,
            "delete": self._cluster.delete,
        }
        if asked.operation in commands:
            commands[asked.operation](training, Actor.DAEMON)
            return _DONE
        if asked.operation == "events":
            return (200, {"events": self._events(training)}) if self._api.has_listing else _GONE
        return 200, self._whole(training)

    def _is_unseen(self, training: Training) -> bool:
        # What is deleted stays on record: else a create that nobody answered leaves no trace.
        return training.is_hidden and self.is_amnesic and training.deleted is None

    def _events(self, training: Training) -> Sequence[Mapping[str, str]]:
        return [
            {"createdAt": self._cluster.time_of(at), "reason": reason, "message": message}
            for at, reason, message in reversed(training.events)
        ]

    def _whole(self, training: Training) -> Mapping[str, Any]:
        labels = [{"name": key, "value": value} for key, value in training.labels.items()]
        return {
            "workloadId": training.workload_id,
            "name": training.name,
            "projectId": PROJECT,
            "createdAt": self._cluster.time_of(training.created),
            "desiredPhase": training.desired.value,
            "actualPhase": self._word(training.phase),
            "spec": {"labels": labels},
        }

    def _word(self, phase: Phase) -> str | None:
        """Return a phase, now and then as a word that nobody knows, or none."""
        draw = self._odd.random()
        if draw >= self._api.odd_words or self._cluster.is_calm:
            return phase.value
        return None if draw < self._api.odd_words / 2 else "Rebalancing"

    def _list(self, asked: Asked) -> Answer:
        params = asked.params
        wants_deleted = params.get("deleted") == "true"
        terms = params.get("filterBy", "").split(",")
        found = [
            one
            for one in self._cluster.trainings.values()
            if (one.deleted is not None) is wants_deleted
            and not one.is_erased
            and not self._is_unseen(one)
            and all(self._fits(one, term) for term in terms)
            and (wants_deleted or self._is_listed(one, is_page=asked.operation == "list"))
        ]
        found.sort(key=lambda one: one.created)
        offset = int(params.get("offset", "0"))
        end = offset + min(int(params.get("limit", "500")), self._api.page)
        answer: dict[str, Any] = {"workloads": [self._item(one) for one in found[offset:end]]}
        if end < len(found):
            answer["next"] = end
        return 200, answer

    def _is_listed(self, training: Training, *, is_page: bool) -> bool:
        if self._cluster.seconds < training.created + self._api.list_lag:
            return False
        # Pages shift, so rows are missed; an exact name has no second page.
        return not is_page or self._cluster.is_calm or self._odd.random() >= self._api.missing_rows

    def _fits(self, training: Training, term: str) -> bool:
        name, operator, value = re.fullmatch(r"(\w+)(==|=\^|>=)(.+)", term).groups()  # type: ignore[union-attr] # no other is sent
        if name == "projectId":
            return bool(value == PROJECT)
        if name == "createdAt":
            return self._cluster.time_of(training.created)[:19] >= value[:19]
        return training.name == value if operator == "==" else training.name.startswith(value)

    def _item(self, training: Training) -> Mapping[str, Any]:
        item = {
            "id": training.workload_id,
            "name": training.name,
            "type": "Training",
            "phase": self._word(training.phase),
            "createdAt": self._cluster.time_of(training.created),
            "projectId": PROJECT,
        }
        if training.deleted is not None:
            item["deletedAt"] = self._cluster.time_of(training.deleted)
        return item


def hash_of(name: str) -> int:
    """Return a number that differs from name to name, the same in every process."""
    return sum(ord(letter) * (index + 1) for index, letter in enumerate(name))
