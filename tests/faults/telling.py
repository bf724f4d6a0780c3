"""What is told oddly: by a clock that goes back, out of order and twice, under a policy that changes, in a bad file."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.faults.book import BACK, POLICY, Book, is_order, pays_with_credit
from tests.faults.killing import settled
from tests.faults.serving import CLIENTS, finished, served
from tests.faults.stage import Sending, Stage, started, working
from tests.faults.tally import Tally
from tests.faults.tills import Tills
from tests.faults.worker import How
from tierengine.policies.versions import publish
from tierengine.recording.recorder import clock
from tierengine.store.database import connect
from tierengine.store.ids import Ids, transact
from tierengine.store.snapshots import reader

DAY = 86_400_000_000
OWNED = "owned"  # what a program in a policy file would leave
AFTER = 10_000_000  # microseconds that a batch goes on under the new version


def asked(book: Book, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Return what the book answers to a query."""
    link = reader(book.url)
    try:
        return link.ask(sql, *values).rows()
    finally:
        link.close()


# ---- clock -----------------------------------------------------------------------------------------------------


def clock_back(stage: Stage) -> Tally:
    """Each worker's clock is days off and jumps by hours; within a member nothing is recorded before what stands."""
    tally = Tally("clock set back, forth and jumping", stage.database)
    with stage.shelf().book() as book:
        sending = Sending(book)
        for turn in stage.rounds(30):
            skew = stage.chance.randint(-3 * DAY, DAY) if turn % 3 else -3 * DAY
            worker = started(book, How(skew=skew, jumps=DAY // 8, seals=True))
            worker.send(sending.top_up(600 if stage.scale >= 1 else 200))
            if turn % 2:
                worker.hear(0.2)
                worker.kill()
                tally.kills += 1
            else:
                settled(tally, worker, sending)
                worker.leave()
            tally.cycles += 1
            tally.acknowledged += sending.take(worker)
            tally.check(book, sending.acknowledged)
            if back := asked(
                book,
                "SELECT e.member_id, e.number FROM entry e JOIN entry f ON f.member_id = e.member_id "
                "AND f.number = e.number + 1 WHERE f.recorded_at < e.recorded_at",
            ):
                tally.blame(f"{len(back)} entries were recorded before the one they follow, as {back[0]}")
    return tally


# ---- order -----------------------------------------------------------------------------------------------------

NET = (
    "SELECT event_key, rule, wallet, SUM(delta) FROM entry WHERE rule <> '' GROUP BY 1, 2, 3 HAVING SUM(delta) <> 0 "
    "ORDER BY 1, 2, 3"
)
AGAIN = 20
TIERS = 'SELECT member_id, at, "class", key, tier, since, until, state FROM tier_change ORDER BY 1, 2, 3, 4'


def shuffled(stage: Stage) -> Tally:
    """The same orders and returns, in order into one book; twice, shuffled and by dying workers into another: equal."""
    tally = Tally("duplicate, shuffled and late events", stage.database)
    # (No order that pays with credit: a command is decided when it arrives.)
    count = 3_000 if stage.scale >= 1 else 300
    numbers = [number for number in range(count) if not pays_with_credit(number)]
    numbers += [BACK + number for number in numbers if is_order(number) and number % 3 == 0]
    shelf = stage.shelf(20)
    for _ in stage.rounds(10):
        with shelf.book() as calm, shelf.book() as wild:
            with working(calm) as worker:
                worker.send(numbers)
                if not worker.hear_all(numbers):
                    tally.blame("the calm book was not filled")
            hands = 2 if stage.server is not None else 1
            left = dict.fromkeys(numbers, 2)
            acknowledged: set[int] = set()
            for turn in range(6):
                workers = [started(wild) for _ in range(hands)]
                batch = [number for number, times in left.items() for _ in range(times)]
                stage.chance.shuffle(batch)
                batch = batch if turn == 5 else batch[: count // 3]
                for place, worker in enumerate(workers):
                    worker.send(batch[place::hands])
                for place, worker in enumerate(workers):
                    if turn == 5:
                        worker.hear_all(batch[place::hands])
                        worker.leave()
                    else:
                        worker.hear(stage.chance.random())
                        worker.kill()
                        tally.kills += 1
                    acknowledged |= worker.acknowledged()
            # "Not now" (a member locked by the other worker, a wait that was too long) is sent again, as a till does.
            missing = sorted(set(numbers) - acknowledged)
            for _ in range(AGAIN if missing else 0):
                with working(wild) as worker:
                    worker.send(missing)
                    worker.hear_all(missing)
                    acknowledged |= worker.acknowledged()
                missing = sorted(set(numbers) - acknowledged)
                if not missing:
                    break
            tally.cycles += 1
            tally.acknowledged += len(acknowledged)
            if missing:
                tally.blame(f"{len(missing)} were never acknowledged, as {missing[0]}")
            for name, sql in (("net grants", NET), ("tiers", TIERS)):
                ours, theirs = ([tuple(row) for row in asked(book, sql)] for book in (calm, wild))
                if ours != theirs:
                    differ = sorted(set(ours) ^ set(theirs))
                    tally.blame(f"{name} differ in {len(differ)} rows, as {differ[0]}")
            tally.verify(wild)
    return tally


# ---- policy ----------------------------------------------------------------------------------------------------


def policy_amid(stage: Stage) -> Tally:
    """A version is published while a batch runs and begins in its midst; workers die: each order by its own version."""
    tally = Tally("policy published amid a batch", stage.database)
    with stage.shelf().book() as made:
        book = replace(made, begin=clock())  # orders happen as they are sent: a hundred a second
        sending = Sending(book)
        starts, sent = 0, set[int]()  # sent to this worker
        begun = time.monotonic()
        worker = started(book, How(seals=True))
        while not starts or clock() < starts + AFTER:
            at = time.monotonic() - begun
            now = int(at * 100)
            fresh = sending.top_up(len(sending.waiting) + max(0, now - sending.first - 5))
            worker.send([number for number in fresh if number not in sent])
            sent.update(fresh)
            if not starts and at > 3:
                starts = _publish(book) if stage.server is not None else 0
            if stage.server is None and not starts:
                # SQLite has one writing process: the version is published between two workers.
                settled(tally, worker, sending)
                worker.leave()
                starts = _publish(book)
                worker, sent = started(book, How(seals=True)), set()
            if stage.chance.random() < 0.1:
                worker.kill()
                tally.kills += 1
                tally.acknowledged += sending.take(worker)
                worker, sent = started(book, How(seals=True)), set()
            worker.hear(0.2)
            tally.acknowledged += sending.take(worker)
        settled(tally, worker, sending)
        worker.leave()
        tally.cycles += 1
        found = asked(
            book,
            "SELECT e.occurred_at, v.number, COUNT(*) FROM decision d JOIN policy_version v ON v.id = d.version_id "
            "JOIN event e ON e.key = d.event_key AND e.dealer_id = d.dealer_id WHERE d.rule = 'parts_points' "
            "GROUP BY 1, 2",
        )
        wrong = [row for row in found if row[1] != (2 if row[0] >= starts else 1)]
        if wrong:
            tally.blame(f"{len(wrong)} orders were judged by the other version, as {wrong[0]} (it began at {starts})")
        if {row[1] for row in found} != {1, 2}:
            tally.blame(f"the batch did not meet both versions: { ({row[1] for row in found}) }")
        tally.check(book, sending.acknowledged)
    return tally


def _publish(book: Book) -> int:
    """Publish the policy again, from as soon as that may be; returns when that is."""
    link = connect(book.url)
    now = clock()
    starts = now + 62_000_000
    text = POLICY.replace("programme: faults", "programme: faults  # again")

    def act(link: Any, ids: Ids) -> int:
        return publish(link, ids, book.dealer, text, author="b", reason="again", effective_from=starts, now=now)

    transact(link, Ids(), act)
    link.close()
    return starts


# ---- files -----------------------------------------------------------------------------------------------------


def poison(folder: Path) -> list[Path]:
    """Return policy files made to break a reader."""
    laughs = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(20)
    )
    texts: list[bytes] = [
        laughs.encode(),
        b"a: &a {b: *a}\n",
        f"x: !!python/object/apply:os.system ['touch {folder / OWNED}']\n".encode(),
        b"[" * 20_000,
        ("k:\n" + "".join(" " * n + f"k{n}:\n" for n in range(1, 1_500))).encode(),
        b"a: " + b"9" * 500_000,
        b"\xff\xfe\x00p",
        b"a: \x00\n",
        b"%YAML 9.9\n---\na: 1\n",
        b"---\na: 1\n---\nb: 2\n",
        b"<<: *nothing\n",
        ("a: '" + "长" * 3_000_000).encode(),
        ("\n".join(f"k{n}: {n}" for n in range(200_000))).encode(),
        POLICY.replace("amount: 1000 CNY", "amount: 1e400 CNY").encode(),
        POLICY.replace("for: [customer, member]", "for: [customer, nobody]").encode(),
        POLICY.encode() + POLICY.encode(),
    ]
    made = []
    for number, text in enumerate(texts):
        made.append(folder / f"poison{number}.yaml")
        made[-1].write_bytes(text)
    return made


def poison_yaml(stage: Stage) -> Tally:
    """Policy files made to break a reader are published while tills pay: refused, and nobody notices."""
    tally = Tally("poison YAML published while tills pay", stage.database)
    files = poison(stage.folder)
    if stage.scale < 1:
        files = files[:6]
    with stage.shelf().book() as book, served(stage, book) as service:
        good = range(100 * len(files))
        tills = Tills(book, service.port, good, CLIENTS // 4)
        for number, file in enumerate(files):
            if not stage.more(number, len(files)):
                break
            begun = time.monotonic()
            command = [sys.executable, "-m", "tierengine", "--json", "policy", "publish", str(file)]
            command += ["--author", "x", "--reason", "x", "--effective-from", "2030-01-01"]
            environ = {"TIERENGINE_DATABASE_URL": book.url, "PATH": "/usr/bin:/bin"}
            try:
                ran = subprocess.run(
                    ["sh", "-c", 'ulimit -v 2000000; exec "$@"', "sh", *command], env=environ, capture_output=True,
                    cwd=Path(__file__).parents[2], timeout=60, check=False, text=True,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                tally.blame(f"{file.name} kept `policy publish` busy for a minute")
                continue
            if ran.returncode not in (1, 2, 3) or "Traceback" in ran.stderr:
                tally.blame(f"{file.name}: `policy publish` ended with {ran.returncode}: {ran.stderr[-300:]}")
            tally.cycles += 1
            tally.recovered.append(time.monotonic() - begun)
        finished(tally, tills, good)
        tally.check(book, tills.acknowledged())
        if (stage.folder / OWNED).exists():
            tally.blame("a policy file ran a program")
        if (versions := asked(book, "SELECT COUNT(*) FROM policy_version")[0][0]) != 1:
            tally.blame(f"there are {versions} versions, expected the one that was in force")
    tally.note = "time: to the refusal"
    return tally
