"""Who may call what: every route of the service and the roles that may call it, in this one table. No rule, no route.

A router whose routes are declared here is made with `route_class=Guarded`: the right is looked at before the path, the
parameters or the body are. `check(app)` fails where a route has no rule, a rule no route, or a route no guard, so that
an app with a hole is not built at all. The matrix test asks every route as every role, by the OpenAPI document, which
shows each rule as `x-roles`.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from types import MappingProxyType
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import answer
from tierengine.access.callers import ROLES
from tierengine.errors import Denied

_TILL: Final = frozenset(("pos", "sales_manager", "admin"))
DESK: Final = frozenset(("sales_manager", "admin"))
_STAFF: Final = _TILL | {"archivist"}
_SEES: Final = _STAFF | {"auditor", "award_owner"}
_ADMIN: Final = frozenset(("admin",))
EXPORTS: Final = frozenset(("archivist", "admin"))
_AUDITS: Final = frozenset(("auditor", "admin"))
_ANYBODY: Final = frozenset(ROLES)

_FILES: Final = frozenset(("sales_manager", "archivist", "admin"))
_WRITES_POLICY: Final = frozenset(("policy_editor", "admin"))
_PUBLISHES: Final = frozenset(("policy_approver", "admin"))
_POLICY: Final = _WRITES_POLICY | _PUBLISHES | {"auditor"}
_AWARDS: Final = frozenset(("award_owner", "admin"))

# "METHOD /path" as the route declares it → the roles that may call it.
RIGHTS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "POST /v1/quotes": _TILL,
        "POST /v1/sales": _TILL,
        "POST /v1/sales/{order}/returns": _TILL,
        "POST /v1/holds": _TILL,
        "POST /v1/holds/{hold}/capture": _TILL,
        "POST /v1/holds/{hold}/void": _TILL,
        "POST /v1/offline-allowances": _TILL,
        "GET /v1/offline-allowances/revoked": _TILL,
        "POST /v1/offline-allowances/{slip}/revoke": DESK,
        "POST /v1/webhooks": _ADMIN,
        "GET /v1/webhooks": _ADMIN,
        "POST /v1/webhooks/{webhook}/state": _ADMIN,
        "POST /v1/webhooks/{webhook}/rotate": _ADMIN,
        "GET /v1/webhooks/{webhook}/deliveries": _ADMIN,
        "POST /v1/webhooks/{webhook}/replay": _ADMIN,
        "POST /v1/events": _STAFF,
        "POST /v1/events:batch": _STAFF,
        "POST /v1/members/{code}/adjustments": DESK,
        "POST /v1/members/{code}/transfers": DESK,
        "POST /v1/members/{code}/entitlements/{entitlement}/claims": _TILL,
        "GET /v1/members": _SEES,
        "GET /v1/members/{code}": _SEES,
        "GET /v1/members/{code}/balance": _SEES,
        "GET /v1/members/{code}/ledger": _SEES,
        "GET /v1/members/{code}/statement": _SEES,
        "GET /v1/members/{code}/explain": _SEES,
        "POST /v1/members": _FILES,
        "POST /v1/members/{code}/consents": _FILES,
        "GET /v1/members/{code}/consents": _FILES | {"auditor"},
        "POST /v1/members/{code}/person": _FILES,
        "POST /v1/members/{code}/export": EXPORTS,
        "GET /v1/members/{code}/erasure": EXPORTS,
        "POST /v1/members/{code}/erasure": _ADMIN,
        "POST /v1/members/{code}/merge": DESK,
        "POST /v1/members/{code}/unmerge": DESK,
        "POST /v1/members/{code}/attributes": _FILES,
        "GET /v1/policies": _POLICY,
        "GET /v1/policies/{version}": _POLICY,
        "POST /v1/policies:check": _POLICY,
        "POST /v1/policies:test": _POLICY,
        "GET /v1/policy-drafts": _POLICY,
        "GET /v1/policy-drafts/{name}": _POLICY,
        "PUT /v1/policy-drafts/{name}": _WRITES_POLICY,
        "DELETE /v1/policy-drafts/{name}": _WRITES_POLICY,
        "POST /v1/policy-drafts/{name}/publish": _PUBLISHES,
        "GET /v1/awards/{award}/plan": _AWARDS | {"auditor"},
        "POST /v1/awards/{award}/issue": _AWARDS,
        "GET /v1/duties": _FILES | {"auditor"},
        "POST /v1/duties/done": _FILES,
        "GET /v1/stores": _SEES,
        "POST /v1/stores": _ADMIN,
        "GET /v1/sessions/current": _ANYBODY,
        "DELETE /v1/sessions/current": _ANYBODY,
        "GET /v1/keys": _ADMIN,
        "POST /v1/keys": _ADMIN,
        "POST /v1/keys/{prefix}/rotate": _ADMIN,
        "POST /v1/keys/{prefix}/revoke": _ADMIN,
        "GET /v1/staff": _ADMIN,
        "POST /v1/staff": _ADMIN,
        "POST /v1/staff/{login}/password": _ADMIN,
        "POST /v1/staff/{login}/disable": _ADMIN,
        "GET /v1/audit": _AUDITS,
    }
)
# What anybody may ask who reaches the service: nothing here tells anything of a dealer.
OPEN: Final = frozenset(
    (
        "POST /v1/sessions", "GET /livez", "GET /readyz", "GET /metrics", "GET /openapi.json",
        "GET /.well-known/jwks.json",
        "GET /docs", "GET /docs/start.js", "GET /docs/swagger-ui-bundle.js", "GET /docs/swagger-ui.css",
        "GET /docs/favicon.png",
    )
)  # fmt: skip
CALLER: Final = "tierengine.caller"  # where in the scope the guard leaves who asks


class Undeclared(RuntimeError):
    """A route without a rule, a rule without a route, or a route that nothing guards; the text names each."""


def by_name(route: APIRoute) -> str:
    """Return the route's operation id: generated clients name their functions by it."""
    return route.name


class Guarded(APIRoute):
    """A route that is answered only to the roles which RIGHTS declares for it."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        self.roles = RIGHTS.get(_name(more.get("methods"), path), frozenset())
        more["openapi_extra"] = {**(more.get("openapi_extra") or {}), "x-roles": sorted(self.roles)}
        more["generate_unique_id_function"] = by_name
        super().__init__(path, endpoint, **more)

    @property
    def alone(self) -> bool:
        """Whether the endpoint takes the request alone, and has nothing for FastAPI to read."""
        return list(inspect.signature(self.endpoint).parameters) == ["request"]

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler behind the question who asks.

        An endpoint that takes the request alone is called as it is.
        """
        inner, roles = self.endpoint if self.alone else super().get_route_handler(), self.roles

        async def handler(request: Request) -> Response:
            service = request.app.state.tierengine
            caller = await service.keys.of(request)
            if caller is None:
                raise Denied("unauthenticated")
            if roles.isdisjoint(caller.roles):
                raise Denied("forbidden")
            request.scope[CALLER] = caller
            service.limits.enter(request, caller.scope, caller.store_id)
            service.limits.touch(caller.dealer_id, request.path_params.get("code"))
            return await inner(request)

        return handler


def check(app: FastAPI) -> None:
    """Raise Undeclared unless every route has its rule and its guard, and every rule its route."""
    found: list[str] = []
    wrong: list[str] = []
    for route in iter_route_contexts(app.routes):
        name = _name(route.methods, route.path or "")
        found.append(name)
        guarded = isinstance(route.original_route, Guarded)
        if name in RIGHTS and not guarded:
            wrong.append(f"{name}: its router is not made with route_class=Guarded")
        elif name not in RIGHTS and (guarded or name not in OPEN):
            wrong.append(f"{name}: no rule in api/rights.py says who may call it")
    wrong += [f"{name}: {found.count(name)} routes" for name in sorted({*found}) if found.count(name) > 1]
    wrong += [f"{name}: a rule without a route" for name in sorted({*RIGHTS, *OPEN} - {*found})]
    wrong += [f"{name}: no role {role}" for name, roles in RIGHTS.items() for role in sorted(roles - {*ROLES})]
    if wrong:
        raise Undeclared("\n".join(wrong))


class Direct:
    """Middleware that calls a route whose path says it all, without the search among the others.

    Of what FastAPI puts around an endpoint, those that take the request alone need nothing but their errors told: the
    search and the rest are a fifth of what the event loop does for a sale.
    """

    def __init__(self, app: ASGIApp, routes: FastAPI) -> None:
        self.app = app
        self._found: dict[tuple[str, str], tuple[Guarded, Callable[[Request], Awaitable[Response]]]] = {}
        for context in iter_route_contexts(routes.routes):
            route, path = context.original_route, context.path or ""
            if isinstance(route, Guarded) and route.alone and "{" not in path:
                handler = route.get_route_handler()
                self._found.update({(method, path): (route, handler) for method in context.methods or ()})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        found = self._found.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if found is None:
            await self.app(scope, receive, send)
            return
        scope["route"], handler = found
        scope["path_params"] = {}
        request = Request(scope, receive, send)
        try:
            response = await handler(request)
        except Exception as error:  # noqa: BLE001 - it raises again what it does not know
            response = await answer(request, error)
        await response(scope, receive, send)


def _name(methods: Any, path: str) -> str:
    return f"{'|'.join(sorted({*(methods or ('GET',))} - {'HEAD'}))} {path}"
