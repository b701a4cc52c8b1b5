"""`/projects/{id}`: the page of a project under the address that people write by hand."""

from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException

from read_api.web.missing import wants_page
from read_api.web.pages import OWN_POLICY, page_body


def project_page() -> Any:
    """Return the route: the first page, which opens the project; programs learn where the API has it."""
    body = page_body("index.html")
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": OWN_POLICY, "Vary": "Accept"}

    @get("/projects/{project_id:str}", include_in_schema=False)
    async def page(request: Request[Any, Any, Any]) -> Response[bytes]:
        if not wants_page(request.scope):
            project_id = request.path_params["project_id"]
            raise NotFoundException(f"there is no such path: use /api/v1/projects/{project_id}")
        return Response(body, media_type="text/html", headers=headers)

    return page
