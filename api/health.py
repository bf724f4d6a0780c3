"""GET /livez and /readyz: whether the process runs, and whether what is sent now will be recorded."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answers import plain
from api.rights import by_name
from api.service import service_of
from tierengine.errors import Unavailable

router: Final = APIRouter(tags=["health"], generate_unique_id_function=by_name)


@router.get("/livez", summary="The process runs")
async def livez() -> Response:
    """Answer as long as the process runs, whatever the database does."""
    return plain({"status": "live"})


@router.get("/readyz", summary="What is sent now will be recorded", responses={503: {"description": "Not now."}})
async def readyz(request: Request) -> Response:
    """Answer 503 while the writer is down, the database cannot be read, or a broken chain makes it read-only."""
    service = service_of(request)
    reads = True
    try:
        await service.readers.ask(lambda link: link.ask("SELECT 1").rows())
    except Unavailable:
        reads = False
    ready = service.writer.ready and reads
    broken = service.writer.broken
    status = "ready" if ready else "read_only" if broken and reads else "not_ready"
    found = {"status": status, "writer": service.writer.ready, "database": reads, "chain": not broken}
    return plain(found, 200 if ready else 503)
