"""No statement reads a whole table, a whole index, or all that one dealer has, but those that say why."""

from tests import plans
from tierengine.membership import joined, people
from tierengine.membership.export_words import SECTIONS
from tierengine.recording import lookups, rows, stored
from tierengine.store import database
from tierengine.webhooks import outbox

# Tables that do not grow with what is sold.
SMALL = {
    "dealer": "one a customer of ours",
    "store": "the places of sale",
    "staff": "who works there",
    "staff_session": "who is logged in; whoever logs in again takes his old ones away",
    "api_key": "a few a store",
    "policy_version": "a few a year",
    "policy_draft": "what is being written",
    "webhook": "a few a dealer",
    "webhook_secret": "a few a webhook",
    "unsealed": "what the last second recorded",
    "parked": "what waits for another event: a person looks after it",
    "budget_pot": "one a budget and period",
    "award_run": "one a year",
}
_WHOLE = "a person asks for the whole book, seldom, and no till waits"
_LAST = "takes the last of an index"
_FEW = "an index that has these few alone"
# module.name → why it may read all that is there.
MAY = {
    "api.metrics.DELIVERIES": "what waits or is dead, up to a bound",
    "tierengine.awarding.eligibility._EVER_IN": _WHOLE,
    "tierengine.commands.demo_page._CODES": _WHOLE,
    "tierengine.commands.events._CONFLICTS": _WHOLE,
    "tierengine.commands.finding._ANY": "takes the first of an index",
    "tierengine.commands.finding._NEAR": "at the command line, where a code was not found",
    "tierengine.commands.names._ANY": "takes the first of an index",
    "tierengine.commands.report._BALANCES": _WHOLE,
    "tierengine.commands.report._FIRST": _WHOLE,
    "tierengine.commands.report._HELD": _WHOLE,
    "tierengine.commands.report._MEMBERS": _WHOLE,
    "tierengine.commands.report._NET": _WHOLE,
    "tierengine.commands.report._ORDERS": _WHOLE,
    "tierengine.commands.report._WHEN": _WHOLE,
    "tierengine.commands.verify.INVARIANTS": _WHOLE,
    "tierengine.ledger.chain._ALL_REFS": "a seal was found to differ: verify looks for the rest",
    "tierengine.ledger.chain._HEADS": _LAST,
    "tierengine.ledger.journal._ACCOUNTS": _WHOLE,
    "tierengine.ledger.lapses._ENDING": "once a day, what is owed then; an index by day would cost every grant",
    "tierengine.ledger.lapses._LAPSED": "once a day, what is owed then; an index by day would cost every grant",
    "tierengine.ledger.liability._DEBTS": _WHOLE,
    "tierengine.ledger.liability._FROM_ENTRIES": _WHOLE,
    "tierengine.ledger.liability._FROM_LOTS": _WHOLE,
    "tierengine.ledger.sealing._LAST": _LAST,
    "tierengine.membership.joined._JOINED": _FEW,
    "tierengine.membership.standings._FIRST": _WHOLE,
    "tierengine.personal.checks._ERASED": _WHOLE,
    "tierengine.personal.checks._SEALED": _WHOLE,
    "tierengine.policies.backtest._ALL_MEMBERS": _WHOLE,
    "tierengine.policies.drafts.publish": "a few times a year, one row a member",
    "tierengine.policies.versions.publish": "a few times a year, one row a member",
    "tierengine.recording.lookups._NEWEST_MEMBERS": "the newest of the book, up to a bound, once a process",
    "tierengine.recording.rebuilding._ACCOUNTS": _WHOLE,
    "tierengine.recording.rebuilding._HOLDS": _WHOLE,
    "tierengine.recording.rebuilding._LOTS": _WHOLE,
    "tierengine.recording.rebuilding._MACHINES": _WHOLE,
    "tierengine.recording.rebuilding._OF_KINDS": _WHOLE,
    "tierengine.recording.rebuilding._STORED_JOINED": _FEW,
    "tierengine.recording.rejudging._COUNT": _WHOLE,
    "tierengine.service.dutybook._MEMBERS": "what is owed follows from all that was said; the longest due is first",
    "tierengine.webhooks.endpoints._HEAD": _LAST,
    "tierengine.webhooks.endpoints._STANDINGS": "when a webhook is made: it begins with what everybody has",
    "tierengine.webhooks.outbox._OLDEST": "takes the first of an index",
    "tierengine.webhooks.pruning._STOOD": "the first of what a removed webhook was told, a piece at a time",
    "tierengine.webhooks.pruning._UNHEARD": "the first of what a removed webhook was not told, a piece at a time",
    "tierengine.webhooks.outbox._DUE": "what waits for one webhook; what was delivered is left aside",
}
# PostgreSQL thinks a dealer has a handful of these as long as it has no statistics; then it takes the whole key.
AT_FIRST = {"tierengine.membership.view._GRANTED", "tierengine.recording.lookups._DECISIONS_OF"}
# Functions that put statements together, and who looks at those.
MADE = {
    "tierengine.judging.facts_statement._raw": "test_facts",
    "tierengine.judging.facts_statement.statement": "test_facts",
    "tierengine.judging.sql_words.relation": "test_facts",
    "tierengine.ledger.effective.told": "in statements and liability",
    "tierengine.ledger.sealed.__init__": "counts and keys, for verify",
    "tierengine.ledger.sealed._rows": "test_recording_plans: what is sealed is looked up by all of its key",
    "tierengine.membership.export_words.sql": "below",
    "tierengine.recording.leaks.leaks": "verify, page by page by number",
    "tierengine.store.rows.__init__": "what inserts",
}


def test_every_statement_searches_or_says_why_it_reads_all(book_url):
    link = database.connect(book_url)
    allowed = set(MAY) | (AT_FIRST if link.kind == "postgresql" else set())
    read = {where: sorted(set(tables) - SMALL.keys()) for where, tables in plans.wide(link).items()}
    link.rollback()
    link.close()
    assert {where: tables for where, tables in read.items() if tables and where not in allowed} == {}
    assert {where for where in (*MAY, *AT_FIRST) if where not in plans.statements().values()} == set(), "gone"


def test_what_reads_few_reads_them_by_their_own_index(book_url):
    link = database.connect(book_url)
    own = {
        rows._SPOKE: "contribution_serial",
        stored._NAMING_REFERRAL: "event_referral",
        joined._JOINED: "ledger_joined",
        outbox._DUE: "webhook_delivery_state",
        lookups._UNDELIVERED: "emission_due",
        people._BY["card_no"]: "attribute_card",
    }
    assert [sql for sql, index in own.items() if index not in plans.explained(link, sql)] == []
    link.rollback()
    link.close()


def test_a_person_s_own_data_are_read_without_everybody_s(book_url):
    """But for what was done by hand: its index would cost each hold of a till, and few ever ask."""
    link = database.connect(book_url)
    read = {one.table: plans.read_whole(link, one.sql) - SMALL.keys() for one in SECTIONS}
    assert {table: others for table, others in read.items() if others} == {"command": {"command"}}
    link.rollback()
    link.close()


def test_who_puts_a_statement_together_is_known():
    assert plans.made() == MADE.keys()


def test_what_reads_all_is_found_out(book_url):
    """A filter without the first column of any index, a dealer alone, an index read from end to end, an OR."""
    link = database.connect(book_url)
    wide = {
        "SELECT answer FROM idempotency WHERE scope = ?1 AND key = ?2": {"idempotency"},
        "SELECT count(*) FROM event WHERE dealer_id = ?1": {"event"},
        "SELECT e.id FROM entry e WHERE e.dealer_id = ?1 AND e.kind = 'use'": {"entry"},
        "SELECT DISTINCT member_id FROM personal ORDER BY member_id": {"personal"},
        "SELECT balance FROM account WHERE member_id = ?1": {"account"},
        "SELECT e.id FROM event e JOIN hold h ON h.cluster = e.cluster WHERE e.id = ?1": {"hold"},
        "SELECT 1 FROM webhook_delivery WHERE message = ?1": {"webhook_delivery"},
        "SELECT id FROM event WHERE dealer_id = ?1 AND body -> 'fields' ->> 'referral' IN (?2*)": {"event"},
    }
    narrow = (
        "SELECT answer FROM idempotency WHERE dealer_id = ?3 AND scope = ?1 AND key = ?2",
        "SELECT e.id FROM entry e WHERE e.dealer_id = ?1 AND e.event_key = ?2",
        "SELECT id FROM member WHERE id IN (?1*)",
        "SELECT m.code FROM ledger l JOIN member m ON m.id = l.member_id WHERE l.member_id = ?1",
    )
    assert {sql: plans.read_whole(link, sql) for sql in wide} == wide
    assert {sql: plans.read_whole(link, sql) for sql in narrow} == {sql: set() for sql in narrow}
    link.rollback()
    link.close()
