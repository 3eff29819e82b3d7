"""
A small bridge on mautrix-python, between Matrix and lines of JSON: one that comes in on stdin is said by a ghost, and what
people say goes out on stdout. Its order of starting, its registration and its encryption are those of bridges in use.

    python mautrix_bridge.py register '{…}'    writes the registration file
    python mautrix_bridge.py run '{…}'
"""

import asyncio
import json
import logging
import os
import re
import signal
import sqlite3
import sys

from mautrix.appservice import AppService
from mautrix.appservice.state_store.asyncpg import PgASStateStore
from mautrix.bridge.e2ee import EncryptionManager
from mautrix.errors import MForbidden, MNotFound
from mautrix.types import EventType, Membership, MessageType, TextMessageEventContent
from mautrix.util.async_db import Database


def write(line):
    print(json.dumps(line), flush=True)


def register(options):
    """As mautrix-python writes it, with the field that its documentation has people add where it gets keys by transaction."""
    domain = options["domain"]
    names = [options["bot"], options["prefix"] + "placeholder"]
    regexes = [re.escape(f"@{name}:{domain}").replace("placeholder", ".*") for name in names]
    registration = {
        "id": options["id"],
        "as_token": options["asToken"],
        "hs_token": options["hsToken"],
        "namespaces": {"users": [{"exclusive": True, "regex": regex} for regex in regexes], "aliases": []},
        "url": f"http://127.0.0.1:{options['port']}",
        "sender_localpart": f"X{options['asToken']}-_",
        "rate_limited": False,
        "de.sorunome.msc2409.push_ephemeral": True,
        "receive_ephemeral": True,
    }
    if options["encryption"] == "device":
        registration["io.element.msc4190"] = True
    if options["encryption"] != "sync":
        registration["org.matrix.msc3202"] = True
    with open(options["file"], "w") as file:
        json.dump(registration, file)


class Portal:
    def __init__(self, encrypted):
        self.encrypted = encrypted


class Bridge:
    name = "Small"

    def __init__(self, options):
        self.options = options
        self.loop = asyncio.get_running_loop()
        os.makedirs(options["folder"], exist_ok=True)
        path = os.path.join(options["folder"], "bridge.db")
        # The table that the encryption helper looks into.
        with sqlite3.connect(path) as portals:
            portals.execute("create table if not exists portal (mxid text primary key, encrypted boolean)")
        portals.close()
        self.db = Database.create(f"sqlite:{path}", upgrade_table=PgASStateStore.upgrade_table)
        self.state_store = PgASStateStore(self.db)
        self.az = AppService(
            server=options["homeserver"],
            domain=options["domain"],
            as_token=options["asToken"],
            hs_token=options["hsToken"],
            bot_localpart=options["bot"],
            id=options["id"],
            state_store=self.state_store,
            query_user=self.query_user,
            ephemeral_events=True,
            encryption_events=options["encryption"] != "sync",
            default_http_retry_count=5,
        )
        self.config = {
            "bridge.encryption.verification_levels": {
                "receive": "unverified",
                "send": "unverified",
                "share": "cross-signed-tofu",
            },
            "bridge.encryption.allow_key_sharing": True,
            "bridge.encryption.appservice": options["encryption"] != "sync",
            "bridge.encryption.msc4190": options["encryption"] == "device",
            "bridge.encryption.self_sign": options["encryption"] == "device",
            "bridge.encryption.delete_keys": None,
            "bridge.encryption.rotation.disable_device_change_key_rotation": False,
        }
        self.e2ee = EncryptionManager(
            bridge=self,
            homeserver_address=options["homeserver"],
            user_id_prefix=f"@{options['prefix']}",
            user_id_suffix=f":{options['domain']}",
            db_url=f"sqlite:{path}",
        )
        self.e2ee.crypto_db.override_pool(self.db)
        self.events = asyncio.Queue()
        self.az.matrix_event_handler(self.events.put)

    def _log_db_error(self, error):
        raise error

    def ghost(self, name):
        return self.az.intent.user(f"@{self.options['prefix']}{name}:{self.options['domain']}")

    def is_ours(self, user_id):
        return user_id == self.az.bot_mxid or (
            user_id.startswith(f"@{self.options['prefix']}") and user_id.endswith(f":{self.options['domain']}")
        )

    async def query_user(self, user_id):
        await self.az.intent.user(user_id).ensure_registered()
        return {"user_id": user_id}

    async def get_portal(self, room_id):
        row = await self.db.fetchrow("SELECT encrypted FROM portal WHERE mxid=$1", room_id)
        return row and Portal(row["encrypted"])

    async def start(self):
        await self.db.start()
        await self.az.start("127.0.0.1", self.options["port"])
        # Before the service is known to the server, and before it can decrypt, it is heard of.
        await self.az.intent.versions()
        try:
            await self.az.intent.whoami()
        except MForbidden:
            await self.az.intent.ensure_registered()
            await self.az.intent.whoami()
        await self.az.ping_self("ping")
        await self.az.intent.get_media_repo_config()
        await self.e2ee.start()

    async def stop(self):
        await self.az.stop()
        await self.e2ee.stop()
        await self.db.stop()

    async def enter(self, room_id, user_id):
        await self.az.intent.user(user_id).join_room_by_id(room_id) if user_id != self.az.bot_mxid else (
            await self.az.intent.join_room_by_id(room_id)
        )
        if user_id != self.az.bot_mxid:
            return
        await self.az.intent.get_joined_members(room_id)
        try:
            await self.az.intent.get_state_event(room_id, EventType.ROOM_ENCRYPTION)
        except MNotFound:
            return
        await self.db.execute("INSERT OR REPLACE INTO portal (mxid, encrypted) VALUES ($1, true)", room_id)
        write({"encrypted": room_id})

    async def handle(self, event):
        if event.type == EventType.ROOM_MEMBER:
            await self.e2ee.handle_member_event(event)
            if event.content.membership == Membership.INVITE and self.is_ours(event.state_key):
                await self.enter(event.room_id, event.state_key)
        elif event.type in (EventType.ROOM_MESSAGE, EventType.ROOM_ENCRYPTED) and not self.is_ours(event.sender):
            message = await self.e2ee.decrypt(event) if event.type == EventType.ROOM_ENCRYPTED else event
            write({"got": {"eventId": message.event_id, "roomId": message.room_id, "body": message.content.body}})

    async def handle_all(self):
        while True:
            event = await self.events.get()
            try:
                await self.handle(event)
            except Exception as error:
                write({"failed": f"{event.type} {event.event_id}: {error!r}"})

    async def say(self, saying):
        event_type = EventType.ROOM_MESSAGE
        content = TextMessageEventContent(msgtype=MessageType.TEXT, body=saying["text"])
        portal = await self.get_portal(saying["roomId"])
        if portal and portal.encrypted:
            event_type, content = await self.e2ee.encrypt(saying["roomId"], event_type, content)
        ghost = self.ghost(saying["by"])
        return await ghost.send_message_event(saying["roomId"], event_type, content, timestamp=saying.get("ts"))

    async def listen(self):
        reader = asyncio.StreamReader()
        await self.loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            saying = json.loads(line)
            if "devicesOf" in saying:
                devices = await self.e2ee.crypto_store.get_devices(saying["devicesOf"])
                write({"said": saying["number"], "devices": list(devices or {})})
                continue
            try:
                write({"said": saying["number"], "eventId": await self.say(saying)})
            except Exception as error:
                write({"said": saying["number"], "error": repr(error)})


async def run(options):
    bridge = Bridge(options)
    stopping = asyncio.Event()
    bridge.loop.add_signal_handler(signal.SIGTERM, stopping.set)
    await bridge.start()
    tasks = [asyncio.create_task(bridge.handle_all()), asyncio.create_task(bridge.listen())]
    write({"ready": True})
    await stopping.wait()
    for task in tasks:
        task.cancel()
    await bridge.stop()


logging.basicConfig(stream=sys.stderr, level=logging.DEBUG)
options = json.loads(sys.argv[2])
if sys.argv[1] == "register":
    register(options)
else:
    asyncio.run(run(options))
