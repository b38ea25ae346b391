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
-- The oldest that is free, leased. A function for its settings: without statistics, as in the first minute of a burst,
-- the planner takes few rows for granted and sorts all that are ready at each claim, instead of following the index.
create or replace function crux_handoff_claim(
    of_handoff text, of_scope text, new_token bytea, lease_s float8, exclusively boolean
) returns setof crux_handoff language plpgsql
set enable_sort = off set enable_bitmapscan = off set enable_seqscan = off as $$
    declare
        free_id bigint;
    begin
        if exclusively then
            select r.id into free_id from crux_handoff as r
            where r.handoff = of_handoff and (of_scope is null or r.scope = of_scope)
                and r.state = 0 and r.due <= clock_timestamp() and not exists (
                    select 1 from crux_handoff as o
                    where o.handoff = r.handoff and o.scope = r.scope and o.state = 0 and o.id < r.id
                )
            order by r.id limit 1 for update skip locked;
        elsif of_scope is null then
            select r.id into free_id from crux_handoff as r
            where r.handoff = of_handoff and r.state = 0 and r.due <= clock_timestamp()
            order by r.id limit 1 for update skip locked;
        else
            select r.id into free_id from crux_handoff as r
            where r.handoff = of_handoff and r.scope = of_scope and r.state = 0 and r.due <= clock_timestamp()
            order by r.id limit 1 for update skip locked;
        end if;
        return query
            update crux_handoff as r
            set token = new_token, due = clock_timestamp() + make_interval(secs => lease_s), attempts = r.attempts + 1
            where r.id = free_id
            returning r.*;
    end
$$;
