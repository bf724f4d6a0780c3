"""GET /docs: Swagger UI from an installed package, so that the page is not blank where no other host can be reached."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

router: Final = APIRouter(include_in_schema=False)

# Scripts, styles and calls from here alone. Swagger UI writes styles into its elements, and its icons are data URLs.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {"content-security-policy": POLICY, "x-content-type-options": "nosniff"}
_FILES: Final = {
    "swagger-ui-bundle.js": ("swagger-ui-bundle.js", "text/javascript"),
    "swagger-ui.css": ("swagger-ui.css", "text/css"),
    "favicon.png": ("favicon-32x32.png", "image/png"),
}
_PAGE: Final = """<!doctype html>
<html lang="zh">
<head>
<meta charset="utf-8">
<title>tierengine</title>
<link rel="icon" href="docs/favicon.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
# validatorUrl null: else the page asks a service of Swagger's whether the document is valid.
_START: Final = """SwaggerUIBundle({
  url: "openapi.json", dom_id: "#page", deepLinking: true, validatorUrl: null, persistAuthorization: false,
  tryItOutEnabled: true, defaultModelsExpandDepth: 0,
});
"""


@router.get("/docs")
async def page() -> Response:
    """Return the page."""
    return Response(_PAGE, headers=_HEADERS, media_type="text/html")


@router.get("/docs/start.js")
async def start() -> Response:
    """Return the script that starts Swagger UI; inline it would need a hole in the policy."""
    return Response(_START, headers=_HEADERS, media_type="text/javascript")


def _serve(name: str, media_type: str) -> Callable[[], Response]:
    def file() -> Response:
        return Response(_bytes(name), headers={**_HEADERS, "cache-control": "max-age=86400"}, media_type=media_type)

    return file


@cache
def _bytes(name: str) -> bytes:
    return (resources.files("fastapi_swagger") / "resources" / name).read_bytes()


for _address, (_name, _type) in _FILES.items():
    router.add_api_route(f"/docs/{_address}", _serve(_name, _type))
