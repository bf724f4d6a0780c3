"""What staff do over HTTP: customers put on file, policies written and published by two, awards given, duties done."""

from __future__ import annotations

import pytest

from api import event_shapes, staff_shapes
from tests.test_api_book import POLICY, Till, code, moment, serving
from tierengine.store import database

OTHER = POLICY + "\n# 新的一版\n"


@pytest.fixture
def till(book_url):
    with serving(book_url, others=True) as till:
        yield till


def send(till: Till, method: str, path: str, body=None, *, once: str = "", **headers: str):
    till.count += 1
    own = {"idempotency-key": once or f"s{till.count}", **{name.replace("_", "-"): v for name, v in headers.items()}}
    return till.client.request(method, path, json=body, headers=till.headers(own))


# ---- members ----------------------------------------------------------------------------------------------------


def test_a_customer_is_put_on_file_once_and_found_by_his_phone(till: Till):
    desk = till.at("D1/sales_manager")
    new = {"member": "C９", "name": "吕永强", "phones": ["138-1234-5678"], "form": "firm"}
    first = send(desk, "POST", "/v1/members", new, once="k")
    assert first.status_code == 201, first.text
    assert first.json() == {"status": "recorded", "member": "C9"}
    assert "吕" not in first.text
    again = send(desk, "POST", "/v1/members", new, once="k")
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    assert till.get("/v1/members?phone=13812345678").json() == {"members": [{"member": "C9"}]}
    assert till.get("/v1/members/C9").json()["form"] == "firm"
    taken = send(desk, "POST", "/v1/members", {"member": "C9"}, once="other")
    assert code(taken) == (409, "code_taken")
    assert send(desk, "POST", "/v1/members", {"member": "C9"}, once="other").content == taken.content
    assert code(send(desk, "POST", "/v1/members", {"member": "C10"}, once="other")) == (422, "idempotency_mismatch")
    assert send(till.at("D2/admin"), "POST", "/v1/members", new, once="k").status_code == 201
    assert till.event("contact", member="C9", channel="phone", direction="ours").status_code == 201


@pytest.mark.parametrize(
    "new",
    [
        {},
        {"member": "a:b"},
        {"member": " "},
        {"member": "x", "phones": ["1"]},
        {"member": "x", "colour": 1},
        {"member": 7},
    ],
)
def test_a_customer_who_is_not_told_properly_is_refused(till: Till, new):
    assert code(send(till.at("D1/admin"), "POST", "/v1/members", new)) == (422, "malformed")


def test_an_attribute_is_changed_from_its_time_on(till: Till):
    desk = till.at("D1/archivist")
    changed = send(desk, "POST", "/v1/members/C1/attributes", {"name": "firm", "value_text": "永强土方"})
    assert changed.status_code == 201, changed.text
    event_shapes.Booked.model_validate(changed.json())
    assert code(send(desk, "POST", "/v1/members/C1/attributes", {"name": "nonsense", "value_text": "x"}))[0] == 422
    assert code(send(desk, "POST", "/v1/members/C77/attributes", {"name": "firm", "value_text": "x"}))[0] == 404


# ---- policies ---------------------------------------------------------------------------------------------------


def test_a_policy_is_written_by_one_and_published_by_another(till: Till):
    editor, approver = till.at("D1/policy_editor"), till.at("D1/policy_approver")
    path = "/v1/policy-drafts/next"
    assert code(send(editor, "PUT", path, {"text": OTHER})) == (428, "precondition_missing")
    made = send(editor, "PUT", path, {"text": OTHER}, once="k", if_none_match="*")
    assert made.status_code == 201, made.text
    staff_shapes.DraftTag.model_validate(made.json(), extra="forbid")
    again = send(editor, "PUT", path, {"text": OTHER}, once="k", if_none_match="*")
    assert (again.content, again.headers["etag"]) == (made.content, made.headers["etag"])
    assert code(send(editor, "PUT", path, {"text": OTHER}, if_none_match="*")) == (412, "stale")
    shown = editor.get(path)
    staff_shapes.Draft.model_validate(shown.json(), extra="forbid")
    assert (shown.json()["text"], shown.headers["etag"]) == (OTHER, made.headers["etag"])
    assert [one["name"] for one in editor.get("/v1/policy-drafts").json()["drafts"]] == ["next"]
    assert till.at("D2/policy_editor").get("/v1/policy-drafts").json() == {"drafts": []}

    publish = {"reason": "新的一年"}
    tag = made.headers["etag"]
    own = send(till.at("D1/admin"), "PUT", path, {"text": OTHER + "# a\n"}, if_match=tag)
    assert own.status_code == 201, own.text
    assert code(send(approver, "POST", f"{path}/publish", publish, if_match=tag)) == (412, "stale")
    tag = own.headers["etag"]
    mine = send(till.at("D1/admin"), "POST", f"{path}/publish", publish, once="mine", if_match=tag)
    assert code(mine) == (409, "publisher_is_author")
    done = send(approver, "POST", f"{path}/publish", publish, once="p", if_match=tag)
    assert done.status_code == 201, done.text
    staff_shapes.Published.model_validate(done.json(), extra="forbid")
    assert done.json()["version"] == 2
    replayed = send(approver, "POST", f"{path}/publish", publish, once="p", if_match=tag)
    assert (replayed.content, replayed.headers["idempotent-replayed"]) == (done.content, "true")
    assert code(editor.get(path)) == (404, "unknown_draft")

    listed = editor.get("/v1/policies?limit=1").json()
    staff_shapes.Versions.model_validate(listed, extra="forbid")
    assert [(one["version"], one["state"]) for one in listed["versions"]] == [(2, "coming")]
    rest = editor.get(f"/v1/policies?cursor={listed['next']}").json()
    assert [(one["version"], one["state"], rest["next"]) for one in rest["versions"]] == [(1, "in_force", None)]
    version = editor.get("/v1/policies/2").json()
    staff_shapes.Version.model_validate(version, extra="forbid")
    assert version["text"] == OTHER + "# a\n"
    assert code(editor.get("/v1/policies/3")) == (404, "unknown_version")
    assert code(till.at("D2/admin").get("/v1/policies/2")) == (404, "unknown_version")


def test_a_draft_that_is_no_policy_may_be_kept_and_not_be_published(till: Till):
    editor, path = till.at("D1/policy_editor"), "/v1/policy-drafts/half"
    tag = send(editor, "PUT", path, {"text": "等级:\n"}, if_none_match="*").headers["etag"]
    refused = send(till.at("D1/policy_approver"), "POST", f"{path}/publish", {"reason": "x"}, if_match=tag)
    assert code(refused) == (422, "malformed")
    assert refused.json()["errors"][0]["code"] == "not_a_policy"
    dropped = send(editor, "DELETE", path, once="d", if_match=tag)
    assert dropped.status_code == 201, dropped.text
    assert send(editor, "DELETE", path, once="d", if_match=tag).content == dropped.content
    assert code(send(editor, "DELETE", path, if_match=tag)) == (404, "unknown_draft")


def test_a_text_is_checked_and_its_examples_run_with_nothing_written(sqlite_book_url):
    with serving(sqlite_book_url) as till:
        editor = till.at("D1/policy_editor")
        good = editor.post("/v1/policies:check", {"text": POLICY})
        staff_shapes.Checked.model_validate(good.json(), extra="forbid")
        assert good.json()["ok"] is True
        bad = editor.post("/v1/policies:check", {"text": POLICY + "\n胡写: 1\n"}).json()
        assert bad["errors"] > 0
        assert bad["problems"][0]["line"] > 0
        tested = editor.post("/v1/policies:test", {"text": POLICY})
        staff_shapes.Tested.model_validate(tested.json(), extra="forbid")
        assert (tested.json()["ok"], tested.json()["failed"]) == (True, 0)
        assert tested.json()["passed"] > 5
        assert code(editor.post("/v1/policies:test", {"text": "x: ["})) == (422, "malformed")


# ---- awards and duties ------------------------------------------------------------------------------------------


def test_an_award_is_planned_and_each_prize_booked_once(till: Till):
    till.gold()
    owner = till.at("D1/award_owner")
    link = database.connect(till.book.url, readonly=True)
    award = next(iter(_programme(link, till).line.versions[-1].rules.policy.awards))
    link.close()
    year = moment()[:4]
    plan = owner.get(f"/v1/awards/{award}/plan?period={year}&lang=both")
    assert plan.status_code == 200, plan.text
    staff_shapes.AwardPlan.model_validate(plan.json(), extra="forbid")
    assert code(send(owner, "POST", f"/v1/awards/{award}/issue", {"period": year})) == (409, "award_too_early")
    closing = {"period": year, "closing": moment()}
    first = send(owner, "POST", f"/v1/awards/{award}/issue", closing, once="k")
    assert first.status_code == 201, first.text
    staff_shapes.Issued.model_validate(first.json(), extra="forbid")
    assert first.json()["frozen_now"] is True
    again = send(owner, "POST", f"/v1/awards/{award}/issue", closing, once="k")
    assert again.content == first.content
    other = send(owner, "POST", f"/v1/awards/{award}/issue", closing).json()
    assert (other["frozen_now"], other["issued_now"], other["list_hash"]) == (False, 0, first.json()["list_hash"])
    assert code(owner.get(f"/v1/awards/nothing/plan?period={year}")) == (404, "unknown_award")
    assert code(owner.get(f"/v1/awards/{award}/plan?period={year}-Q2"))[0] in (409, 422)
    assert owner.get(f"/v1/awards/{award}/plan?period=26").status_code == 422


def _programme(link, till: Till):
    from tierengine.policies.versions import load

    return load(link, till.book.dealer)


def test_duties_are_listed_until_they_are_done(till: Till):
    till.gold()
    desk = till.at("D1/sales_manager")
    listed = desk.get("/v1/duties?member=C1&lang=both&limit=500")
    assert listed.status_code == 200, listed.text
    staff_shapes.Duties.model_validate(listed.json(), extra="forbid")
    duties = listed.json()["duties"]
    assert duties
    pages, cursor = [], 0
    while cursor is not None:
        page = desk.get(f"/v1/duties?member=C1&lang=both&limit=2&cursor={cursor}").json()
        pages += page["duties"]
        cursor = page["next"]
    assert [one["duty"] for one in pages] == [one["duty"] for one in duties]
    done = send(
        desk, "POST", "/v1/duties/done", {"member": "C1", "duty": duties[0]["duty"], "evidence": "照片"}, once="k"
    )
    assert done.status_code == 201, done.text
    assert (
        send(
            desk, "POST", "/v1/duties/done", {"member": "C1", "duty": duties[0]["duty"], "evidence": "照片"}, once="k"
        ).content
        == done.content
    )
    after = desk.get("/v1/duties?member=C1&limit=500").json()["duties"]
    assert len(after) < len(duties)
    assert desk.get(f"/v1/duties?owner={duties[0]['owner']}&member=C1").json()["duties"] is not None
