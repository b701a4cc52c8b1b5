"""`/jobs`: what runs in the background, for administrators."""

from read_api.contract.jobs import JobListQuery, JobView, asked, job_document, job_named, list_jobs
from read_api.contract.views import ListOf
from read_api.gateway.answers import Answer, json_answer, page_answer
from read_api.gateway.call import Call
from read_api.gateway.operation import Operations

JOBS = "/api/v1/jobs"
_JOB = JOBS + "/{job_id:str}"
_NO_STORE = {"Cache-Control": "no-store"}

operation = Operations("Jobs")


@operation("GET", JOBS, "jobs.read", query=JobListQuery, output=ListOf[JobView], statuses=(404,))
async def get_jobs(call: Call, query: JobListQuery) -> Answer:
    """List background jobs (administrators): those at work first, then what waits, then what ended."""
    page, _ = await list_jobs(call, query)
    return page_answer(call, JOBS, page, query.fields)


@operation("GET", _JOB, "jobs.read", output=JobView, statuses=(404,))
async def get_job(call: Call) -> Answer:
    """Get a background job (administrators)."""
    return json_answer(await job_named(call, call.path["job_id"]), headers=_NO_STORE)


@operation("POST", _JOB + "/retry", "jobs.change", output=JobView, statuses=(404, 409))
async def retry_job(call: Call) -> Answer:
    """Let a job that failed or was cancelled begin again, with all of its attempts (administrators)."""
    job_id = call.path["job_id"]
    return json_answer(job_document(await asked(call, lambda queue: queue.retry(job_id))), headers=_NO_STORE)


@operation("POST", _JOB + "/cancel", "jobs.change", output=JobView, statuses=(404, 409))
async def cancel_job(call: Call) -> Answer:
    """Let a job that has not ended not begin any more, and interrupt it at work (administrators)."""
    job_id = call.path["job_id"]
    return json_answer(job_document(await asked(call, lambda queue: queue.cancel(job_id))), headers=_NO_STORE)
