"""Who may do what that costs money, tells of people or opens doors: said a second time, so that no slip widens it."""

from __future__ import annotations

import pytest

from api.rights import RIGHTS

# (The matrix test asks every route as every role, by the same table; here it is held against what was decided.)
EXACTLY = {
    "admin": (
        "POST /v1/webhooks",
        "GET /v1/webhooks",
        "POST /v1/webhooks/{webhook}/state",
        "POST /v1/webhooks/{webhook}/rotate",
        "GET /v1/webhooks/{webhook}/deliveries",
        "POST /v1/webhooks/{webhook}/replay",
        "POST /v1/members/{code}/erasure",
        "POST /v1/stores",
        "GET /v1/keys",
        "POST /v1/keys",
        "POST /v1/keys/{prefix}/rotate",
        "POST /v1/keys/{prefix}/revoke",
        "GET /v1/staff",
        "POST /v1/staff",
        "POST /v1/staff/{login}/password",
        "POST /v1/staff/{login}/disable",
    ),
    "admin sales_manager": (
        "POST /v1/offline-allowances/{slip}/revoke",
        "POST /v1/members/{code}/adjustments",
        "POST /v1/members/{code}/transfers",
        "POST /v1/members/{code}/merge",
        "POST /v1/members/{code}/unmerge",
    ),
    "admin archivist": ("POST /v1/members/{code}/export", "GET /v1/members/{code}/erasure"),
    "admin archivist sales_manager": (
        "POST /v1/members",
        "POST /v1/members/{code}/consents",
        "POST /v1/members/{code}/person",
        "POST /v1/members/{code}/attributes",
        "POST /v1/duties/done",
    ),
    "admin pos sales_manager": (
        "POST /v1/quotes",
        "POST /v1/sales",
        "POST /v1/sales/{order}/returns",
        "POST /v1/holds",
        "POST /v1/holds/{hold}/capture",
        "POST /v1/holds/{hold}/void",
        "POST /v1/offline-allowances",
        "GET /v1/offline-allowances/revoked",
        "POST /v1/members/{code}/entitlements/{entitlement}/claims",
    ),
    "admin archivist pos sales_manager": ("POST /v1/events", "POST /v1/events:batch"),
    "admin policy_editor": ("PUT /v1/policy-drafts/{name}", "DELETE /v1/policy-drafts/{name}"),
    "admin policy_approver": ("POST /v1/policy-drafts/{name}/publish",),
    "admin award_owner": ("POST /v1/awards/{award}/issue",),
    "admin auditor": ("GET /v1/audit",),
}
LOOKS = ("POST /v1/policies:check", "POST /v1/policies:test")  # these write nothing


@pytest.mark.parametrize("roles", EXACTLY)
def test_what_writes_money_people_or_doors_is_for_these_roles_and_no_other(roles):
    assert {name: sorted(RIGHTS[name]) for name in EXACTLY[roles]} == dict.fromkeys(EXACTLY[roles], roles.split())


def test_whatever_writes_is_named_here():
    writes = {name for name in RIGHTS if not name.startswith("GET ")} - {*LOOKS, "DELETE /v1/sessions/current"}
    assert writes <= {name for names in EXACTLY.values() for name in names}


def test_who_writes_policies_sees_no_member():
    for name, roles in RIGHTS.items():
        if name.startswith(("GET /v1/members", "GET /v1/duties", "GET /v1/awards")):
            assert roles.isdisjoint({"policy_editor", "policy_approver"}), name


def test_who_audits_changes_nothing():
    for name, roles in RIGHTS.items():
        if not name.startswith("GET ") and name not in (*LOOKS, "DELETE /v1/sessions/current"):
            assert "auditor" not in roles, name
