"""One command to many workloads."""

from collections.abc import Sequence
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sweeper.local.requests import RequestError, not_found, read_object
from sweeper.local.site import Site
from sweeper.local.training_routes import command
from sweeper.wire.answers import refusal
from sweeper.wire.batches import BatchFailure, BatchReply, BatchRequest
from sweeper.wire.issues import Severity
from sweeper.wire.scalars import is_uuid
from sweeper.wire.shapes import shape_issues


def batch_route(site: Site, path: str) -> Route:
    """Return the route at `path`."""

    async def batch(request: Request) -> Response:
        body = await read_object(request)
        issues = [
            issue
            for issue in shape_issues(BatchRequest, dict(body), site.switches.terms)
            if issue.severity is Severity.ERROR
        ]
        if issues:
            return JSONResponse(refusal(issues).answer(), 400)
        asked = BatchRequest.model_validate(dict(body))
        succeeded, failed = await _carry_out(site, asked)
        reply = BatchReply(id=str(uuid4()), succeeded=succeeded, failed=failed)
        return JSONResponse(reply.answer())

    return Route(path, batch, methods=["POST"])


async def _carry_out(
    site: Site, asked: BatchRequest
) -> tuple[Sequence[str], Sequence[BatchFailure]]:
    """Return the workloads with which it was done, and why not with the others."""
    succeeded: list[str] = []
    failed: list[BatchFailure] = []
    for workload_id in asked.ids:
        try:
            if not is_uuid(workload_id):
                raise not_found(workload_id)
            await command(site, workload_id.lower(), asked.action)
        except RequestError as error:
            failure = BatchFailure(id=workload_id, code=error.status, message=error.message)
            failed.append(failure)
        else:
            succeeded.append(workload_id)
    return succeeded, failed
