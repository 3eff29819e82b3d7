"""Answers questions about Matrix rooms with Synapse's own functions.

Reads one JSON object a line, a room with questions about it, and writes one a line with the answers. The events handed to Synapse's
functions are plain objects with what these functions read of an event; everything that decides is Synapse's.
"""

import asyncio
import json
import logging
import sys

from synapse import event_auth
from synapse.api.errors import AuthError, SynapseError
from synapse.api.room_versions import KNOWN_ROOM_VERSIONS
from synapse.state import v1, v2
from synapse.storage.databases.main.event_federation import StateDifference


class Event:
    def __init__(self, version, fields):
        self.room_version = version
        self.format_version = version.event_format
        self.event_id = fields["event_id"]
        self.room_id = fields["room_id"]
        self.type = fields["type"]
        self.sender = fields["sender"]
        self.content = fields["content"]
        self.depth = fields["depth"]
        self.origin_server_ts = fields["origin_server_ts"]
        self.rejected_reason = "rejected" if fields["rejected"] else None
        self.redacts = fields.get("redacts")
        self.internal_metadata = type("Metadata", (), {})()
        self._fields = fields
        if "state_key" in fields:
            self.state_key = fields["state_key"]

    @property
    def membership(self):
        return self.content["membership"]

    def __contains__(self, field):
        return field in self._fields["present"]

    def get_state_key(self):
        return self._fields.get("state_key")

    def is_state(self):
        return "state_key" in self._fields

    def prev_event_ids(self):
        return self._fields["prev_events"]

    def auth_event_ids(self):
        ids = self._fields["auth_events"]
        # As Synapse's own events do where the room ID names the create event.
        if self.room_version.msc4291_room_ids_as_hashes and self.type != "m.room.create":
            return [*ids, "$" + self.room_id[1:]]
        return ids


class Store:
    """A store for state resolution that walks auth chains in memory."""

    def __init__(self, events):
        self.events = events

    async def get_events(self, event_ids, *_, **__):
        return {i: self.events[i] for i in event_ids if i in self.events}

    def chain(self, event_ids):
        seen, todo = set(), list(event_ids)
        while todo:
            event = self.events.get(todo.pop())
            for auth_id in event.auth_event_ids() if event else []:
                if auth_id not in seen:
                    seen.add(auth_id)
                    todo.append(auth_id)
        return seen

    async def get_auth_chain_difference(self, room_id, state_sets, conflicted, _):
        # What Synapse's database answers counts the state's own events as part of its chain.
        chains = [self.chain(s) | set(s) for s in state_sets]
        difference = set.union(*chains) - set.intersection(*chains)
        subgraph = None
        if conflicted is not None:
            ancestors = self.chain(conflicted) | set(conflicted)
            subgraph = {e for e in ancestors if (self.chain([e]) | {e}) & set(conflicted)}
        return StateDifference(auth_difference=difference, conflicted_subgraph=subgraph)


class Clock:
    async def sleep(self, _):
        return None


def run(coroutine):
    return asyncio.run(coroutine)


def outcome(judge):
    """Synapse refuses by raising an AuthError; anything else that it raises makes it drop the event as well."""
    try:
        judge()
        return {"allowed": True}
    except (AuthError, SynapseError) as error:
        return {"allowed": False, "error": str(error)}
    except Exception as error:  # noqa: BLE001
        return {"allowed": False, "crash": repr(error)}


def authorise(version, events, question):
    event = Event(version, question["event"])
    state = [Event(version, fields) for fields in question.get("stateEvents", [])]
    state += [events[i] for i in question.get("state", [])]

    def judge():
        if event.type == "m.room.create":
            run(event_auth.check_state_independent_auth_rules(Store(events), event))
        # Not in the text of this check, but in that of every way to it.
        if any(e.rejected_reason for e in state if e.type == "m.room.create"):
            raise AuthError(403, "the create event was rejected")
        needed = event_auth.auth_types_for_event(version, event)
        event_auth.check_state_dependent_auth_rules(
            event, [e for e in state if (e.type, e.get_state_key()) in needed]
        )

    return outcome(judge)


def check_auth_events(version, question):
    event = Event(version, question["event"])
    known = {fields["event_id"]: Event(version, fields) for fields in question["authEvents"]}
    event._fields["auth_events"] = [fields["event_id"] for fields in question["authEvents"]]
    if question["create"] is not None:
        create = Event(version, question["create"])
        known.setdefault(create.event_id, create)
    return outcome(lambda: run(event_auth.check_state_independent_auth_rules(Store(known), event)))


def resolve(version, room_id, events, states):
    sets = [{(t, k): i for t, k, i in state} for state in states]
    store = Store(events)
    if version.state_res == 1:
        # The algorithm is given only states that differ.
        resolved = run(v1.resolve_events_with_store(room_id, version, sets, None, store.get_events))
    else:
        resolved = run(v2.resolve_events_with_store(Clock(), room_id, version, sets, None, store))
    return sorted([t, k, i] for (t, k), i in resolved.items())


def answer(room):
    version = KNOWN_ROOM_VERSIONS[room["version"]]
    events = {fields["event_id"]: Event(version, fields) for fields in room["events"]}
    result = {"auth": [authorise(version, events, q) for q in room.get("auth", [])]}
    result["authEvents"] = [check_auth_events(version, q) for q in room.get("authEvents", [])]
    result["resolved"] = []
    for states in room.get("resolve", []):
        try:
            result["resolved"].append(resolve(version, room["roomId"], events, states))
        except Exception as error:  # noqa: BLE001
            result["resolved"].append({"crash": repr(error)})
    return result


logging.disable(logging.CRITICAL)
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
