"""Operations on jobs: what ran, and requests that a daemon takes up."""

from dataclasses import asdict
from datetime import datetime
from typing import Final, Literal
from urllib.parse import urlencode

from pydantic import Field

from genrebase.runtime import job_requests
from genrebase.runtime.job_requests import JobRequest
from genrebase.store import person_names
from genrebase.store.engine import read_transaction
from web.api.operations import PREFIX, ApiCall, ApiResult, Operation, Schema
from web.api.rows import Row, page_of, page_schema, records_as
from web.pages import PageRequest, jobs

_SHOWN_REQUESTS: Final = 50


class JobParameters(Schema):
    """Which runs of jobs."""

    job: str = Field("", max_length=200)
    outcome: str = Field("", max_length=50)
    before: int = Field(0, ge=0, lt=2**63, description="Runs before this one; 0: the newest.")


class JobRun(Schema):
    """A run of a job."""

    run_id: int
    job: str
    outcome: str
    started_at: str
    finished_at: str | None
    counts: str
    error: str | None


JobRuns: Final = page_schema("JobRuns", JobRun, "Runs of jobs, the newest first.")


class RequestedJob(Schema):
    """A job that somebody wants a daemon to run now."""

    request_id: int
    job: str
    requested_at: datetime
    requested_by: str | None
    taken_at: datetime | None = Field(description="When a daemon began with it; null: it waits.")


class RequestedJobs(Schema):
    """The latest requests, the newest first."""

    requests: list[RequestedJob]


class NewJob(Schema):
    """A request for a job."""

    job: Literal["train", "predict"]
    by: str | None = Field(
        None, max_length=person_names.MAX_LENGTH, description="Who requests it."
    )


def list_jobs(call: ApiCall) -> Row:
    """Return runs of jobs, the newest first."""
    query = {name: str(value) for name, value in call.query.model_dump().items() if value}
    now = call.context.clock.now()
    with read_transaction(call.context.reader) as connection:
        page = jobs.page(PageRequest(connection, now, {}, query))
    before = page.facts["next"]
    following = urlencode({**query, "before": before})
    return page_of(
        records_as(JobRun, page.sections["runs"]),
        following=None if before is None else f"{PREFIX}/jobs?{following}",
    )


def list_requests(call: ApiCall) -> Row:
    """Return the latest requests for jobs."""
    with read_transaction(call.context.reader) as connection:
        latest = job_requests.latest(connection, _SHOWN_REQUESTS)
    return {"requests": [_as_row(one) for one in latest]}


def request_job(call: ApiCall) -> ApiResult:
    """Request a job; `classifier run`, if it runs, begins with it within seconds."""
    writer = call.writer()
    stored = job_requests.add(writer, call.context.clock, call.body.job, call.body.by)
    return ApiResult(_as_row(stored), status=202)


def _as_row(one: JobRequest) -> Row:
    fields = asdict(one)
    return {"request_id": fields.pop("id"), **fields}


OPERATIONS: Final = (
    Operation("GET", "/jobs", "listJobs", list_jobs, JobRuns, query=JobParameters),
    Operation("GET", "/jobs/requests", "listJobRequests", list_requests, RequestedJobs),
    Operation(
        "POST",
        "/jobs/requests",
        "requestJob",
        request_job,
        RequestedJob,
        body=NewJob,
        problems=(408, 413, 415),
        status=202,
    ),
)
