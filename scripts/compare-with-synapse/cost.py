"""What Synapse's own functions cost for the operations of bench/auth.bench.ts and bench/state-resolution.bench.ts, in microseconds."""

import logging
import sys
import time

from synapse import event_auth
from synapse.api.room_versions import KNOWN_ROOM_VERSIONS
from synapse.state import v2
from synapse.storage.databases.main.event_federation import StateDifference
sys.dont_write_bytecode = True
from synapse_side import Clock, Event, Store, run

logging.disable(logging.CRITICAL)
VERSION = KNOWN_ROOM_VERSIONS["12"]
ADMIN = "@admin:example.org"
SENDER = "@somebody:example.org"


def event(event_id, kind, sender, state_key, content, auth=(), ts=0):
    fields = {"event_id": event_id, "room_id": "!create", "type": kind, "sender": sender, "content": content}
    fields |= {"depth": ts, "origin_server_ts": ts, "prev_events": ["$previous"], "auth_events": list(auth)}
    fields |= {"rejected": False, "present": []}
    if state_key is not None:
        fields["state_key"] = state_key
    return Event(VERSION, fields)


def measure(name, operation):
    best, runs = float("inf"), 1
    deadline = time.perf_counter() + 1
    while time.perf_counter() < deadline:
        start = time.perf_counter()
        for _ in range(runs):
            operation()
        spent = time.perf_counter() - start
        best = min(best, spent / runs)
        runs = runs * 2 if spent < 0.05 else runs
    print(f"  {best * 1e6:10.2f} µs  {name}")


def authorisation():
    users = {f"@user{i}:example.org": i % 50 for i in range(500)} | {SENDER: 50}
    levels = {"users": users, "events": {"m.room.name": 50}, "invite": 0}
    state = [
        event("$create", "m.room.create", ADMIN, "", {"room_version": "12"}),
        event("$levels", "m.room.power_levels", ADMIN, "", levels),
        event("$public", "m.room.join_rules", ADMIN, "", {"join_rule": "public"}),
        event("$member", "m.room.member", SENDER, SENDER, {"membership": "join"}),
    ]
    for name, judged in [
        ("authorise a message", event("$m", "m.room.message", SENDER, None, {"body": "hello"})),
        ("authorise a join", event("$j", "m.room.member", "@n:example.org", "@n:example.org", {"membership": "join"})),
        ("authorise an invite", event("$i", "m.room.member", SENDER, "@n:example.org", {"membership": "invite"})),
    ]:
        measure(name, lambda judged=judged: event_auth.check_state_dependent_auth_rules(judged, state))


class Prepared(Store):
    """Answers for the auth difference at once, so that only the resolver is measured."""

    def __init__(self, events, difference):
        super().__init__(events)
        self.difference = difference

    async def get_auth_chain_difference(self, *_):
        return StateDifference(auth_difference=set(self.difference), conflicted_subgraph=set(self.difference))


def resolution(members, differing):
    events = [
        event("$create", "m.room.create", ADMIN, "", {"room_version": "12"}),
        event("$admin", "m.room.member", ADMIN, ADMIN, {"membership": "join"}),
        event("$levels", "m.room.power_levels", ADMIN, "", {"users": {}}, ["$admin"]),
        event("$public", "m.room.join_rules", ADMIN, "", {"join_rule": "public"}, ["$levels", "$admin"]),
    ]
    events[0]._fields["auth_events"] = []
    one = {(e.type, e.state_key): e.event_id for e in events}
    two = dict(one)
    difference = []
    for i in range(members):
        user, auth = f"@user{i}:example.org", ["$levels", "$public"]
        events.append(event(f"$join-{i}", "m.room.member", user, user, {"membership": "join"}, auth, 10 + i))
        one[("m.room.member", user)] = two[("m.room.member", user)] = f"$join-{i}"
        if i < differing:
            change = [*auth, f"$join-{i}"]
            events.append(event(f"$change-{i}", "m.room.member", user, user, {"membership": "join"}, change, members))
            two[("m.room.member", user)] = f"$change-{i}"
            difference.append(f"$join-{i}")
    store = Prepared({e.event_id: e for e in events}, difference)
    resolve = v2.resolve_events_with_store
    measure(
        f"resolve {members} members of whom {differing} differ, room version 12",
        lambda: run(resolve(Clock(), "!create", VERSION, [one, two], None, store)),
    )


authorisation()
for size in (10, 1000, 50_000):
    resolution(size, 10)
