"""The activity log as the origins' documents describe it, on FastAPI and sqlite3.

One connection behind a lock, one INSERT for each record, committed at once and on the event loop; the id and
the time come from the server; then the live event is fired. It is written to be fast within that design
(uvloop, httptools, no access log, a prepared statement): it is compared with, not caricatured.
"""

import argparse
import asyncio
import json
import logging
import sqlite3
import threading
import uuid
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

import uvicorn
from fastapi import Depends, FastAPI, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field

current_actor: ContextVar[str] = ContextVar("current_actor", default="system")
logger = logging.getLogger(__name__)
bearer = HTTPBearer(auto_error=False)


async def verify_api_key(
    request: Request, credentials: HTTPAuthorizationCredentials | None = Security(bearer)
) -> str:
    """Says who is asking. No key is configured here, so that everybody is anonymous."""
    label = "anonymous"
    request.state.auth_label = label
    current_actor.set(label)
    return label


class NewActivity(BaseModel):
    category: Literal["auth", "device", "entity", "capture", "system"]
    action: str = Field(min_length=1, max_length=128)
    severity: Literal["info", "warning", "error"] = "info"
    actor: str | None = Field(default=None, max_length=256)
    entity_type: str | None = Field(default=None, max_length=64)
    entity_id: str | None = Field(default=None, max_length=256)
    entity_name: str | None = Field(default=None, max_length=256)
    message: str = Field(min_length=1, max_length=4096)
    metadata: dict[str, Any] = Field(default_factory=dict)


class Recorded(BaseModel):
    id: str
    ts: str


@dataclass(slots=True)
class ActivityLogEntry:
    id: str
    ts: datetime
    category: str
    action: str
    severity: str
    actor: str
    message: str
    entity_type: str | None = None
    entity_id: str | None = None
    entity_name: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    def to_row(self) -> tuple:
        return (
            self.id,
            self.ts.isoformat(),
            self.category,
            self.action,
            self.severity,
            self.actor,
            self.entity_type,
            self.entity_id,
            self.entity_name,
            self.message,
            json.dumps(self.metadata),
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "ts": self.ts.isoformat(),
            "category": self.category,
            "action": self.action,
            "severity": self.severity,
            "actor": self.actor,
            "message": self.message,
            "entity_type": self.entity_type,
            "entity_id": self.entity_id,
            "entity_name": self.entity_name,
            "metadata": self.metadata,
        }


class Database:
    """One connection, every statement a transaction of its own."""

    def __init__(self, path: str) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(Path(__file__).with_name("schema.sql").read_text())

    def execute(self, sql: str, values: tuple = ()) -> sqlite3.Cursor:
        with self._lock:
            return self._connection.execute(sql, values)


class ActivityLogRepository:
    INSERT = (
        "INSERT INTO activity_log (id, ts, category, action, severity, actor, entity_type, entity_id,"
        " entity_name, message, metadata) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    )

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, entry: ActivityLogEntry) -> None:
        self._database.execute(self.INSERT, entry.to_row())


class Events:
    """Hands each event to every subscriber's queue; what a full one cannot take is dropped."""

    def __init__(self) -> None:
        self._subscribers: list[asyncio.Queue] = []

    def fire_event(self, event: dict[str, Any]) -> None:
        for queue in self._subscribers:
            try:
                queue.put_nowait(event)
            except asyncio.QueueFull:
                pass


class ActivityRecorder:
    """Writes inline on the event loop; from another thread, the whole of it is handed to the loop."""

    def __init__(self, repository: ActivityLogRepository, events: Events) -> None:
        self._repository = repository
        self._events = events
        self._loop_thread: int | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.enabled = True

    def ensure_loop(self) -> None:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._loop_thread = threading.get_ident()

    def record(self, new: NewActivity) -> ActivityLogEntry:
        entry = ActivityLogEntry(
            id=f"al_{uuid.uuid4().hex}",
            ts=datetime.now(timezone.utc),
            category=new.category,
            action=new.action,
            severity=new.severity,
            actor=new.actor or current_actor.get(),
            entity_type=new.entity_type,
            entity_id=new.entity_id,
            entity_name=new.entity_name,
            message=new.message,
            metadata=new.metadata,
        )
        if not self.enabled:
            return entry
        if threading.get_ident() == self._loop_thread:
            self._write(entry)
        else:
            self._loop.call_soon_threadsafe(self._write, entry)
        return entry

    def _write(self, entry: ActivityLogEntry) -> None:
        # Here a failure is an answer of 500, since the comparison counts what is durable.
        try:
            self._repository.record(entry)
        except sqlite3.Error:
            logger.warning("not recorded", exc_info=True)
            raise
        self._events.fire_event({"type": "activity_logged", "entry": entry.to_dict()})


def application(path: str) -> FastAPI:
    app = FastAPI(openapi_url=None)
    recorder = ActivityRecorder(ActivityLogRepository(Database(path)), Events())

    @app.get("/readyz")
    async def readyz() -> Response:
        return Response()

    @app.post("/api/v1/activity", status_code=201, dependencies=[Depends(verify_api_key)])
    async def record(new: NewActivity) -> Recorded:
        recorder.ensure_loop()
        entry = recorder.record(new)
        return Recorded(id=entry.id, ts=entry.ts.isoformat())

    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--book", required=True)
    arguments = parser.parse_args()
    uvicorn.run(
        application(arguments.book),
        host="127.0.0.1",
        port=arguments.port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
