-- One row for each payload. The body stands last: what is read or changed without it does not touch its pages.
-- Ids rise because a sweep leaves the newest row; `autoincrement` would write to one more table with each insert.
-- The token has a fixed width, so that a claim and an acknowledgement overwrite the row in place.
create table if not exists crux_handoff (
    id integer primary key,
    handoff text not null,
    scope text not null,
    dedup text,
    version integer not null,
    meta text not null,
    created_s real not null,
    expires_s real,
    due_s real not null,
    state integer not null,
    attempts integer not null default 0,
    token blob not null default (zeroblob(8)),
    reason text,
    digest blob not null,
    body blob not null
);
-- A send with a key is stored once.
create unique index if not exists crux_handoff_dedup on crux_handoff (handoff, scope, dedup) where dedup is not null;
-- The newest of a scope, and its history.
create index if not exists crux_handoff_scope on crux_handoff (handoff, scope, id);
-- The oldest that is ready, of any scope: without the done ones, or a claim would walk through all of them.
create index if not exists crux_handoff_ready on crux_handoff (handoff, id) where state = 0;
-- The oldest that is ready in one scope.
create index if not exists crux_handoff_ready_scope on crux_handoff (handoff, scope, id) where state = 0;
