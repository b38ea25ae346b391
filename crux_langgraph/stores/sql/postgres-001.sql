-- One row for each payload. Its id is taken inside the insert, after the lock of its scope: see `append`.
create sequence if not exists crux_handoff_id;
create table if not exists crux_handoff (
    id bigint primary key,
    handoff text not null,
    scope text not null,
    dedup text,
    version integer not null,
    meta text not null,
    created timestamptz not null default clock_timestamp(),
    expires timestamptz,
    due timestamptz not null default clock_timestamp(),
    state smallint not null,
    attempts integer not null default 0,
    token bytea,
    reason text,
    digest bytea not null,
    body bytea not null
);
-- Not compressed by the server: that is 12 times slower to write.
alter table crux_handoff alter column body set storage external;
-- A send with a key is stored once.
create unique index if not exists crux_handoff_dedup on crux_handoff (handoff, scope, dedup) where dedup is not null;
-- The newest of a scope, and its history.
create index if not exists crux_handoff_scope on crux_handoff (handoff, scope, id);
-- The oldest that is ready, of any scope: without the done ones, or a claim would walk through all of them.
create index if not exists crux_handoff_ready on crux_handoff (handoff, id) where state = 0;
-- The oldest that is ready in one scope.
create index if not exists crux_handoff_ready_scope on crux_handoff (handoff, scope, id) where state = 0;
