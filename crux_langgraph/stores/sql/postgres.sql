-- The statements of the Postgres store. `{name}` stands for the statement of that name.
-- Every time is by the server's clock, and not by that of one of the machines.

-- name: columns
id, handoff, scope, dedup, version, meta, extract(epoch from created)::float8, extract(epoch from expires)::float8,
coalesce(expires <= clock_timestamp(), false), state, attempts, reason, digest, body

-- name: setup_lock
-- One fixed key: several processes may start at once.
select pg_advisory_xact_lock(1668445560)

-- name: setup_table
create table if not exists crux_handoff_schema (version integer not null)

-- name: setup_version
select max(version) from crux_handoff_schema

-- name: setup_done
insert into crux_handoff_schema (version) values (%(version)s)

-- name: append
-- The lock of the scope is taken before the id, so that records of one scope become visible in the order of their ids
-- and a reader that remembers the last one skips none.
insert into crux_handoff (id, handoff, scope, dedup, version, meta, expires, state, digest, body)
select nextval('crux_handoff_id'), %(handoff)s, %(scope)s, %(key)s, %(version)s, %(meta)s,
    clock_timestamp() + make_interval(secs => %(ttl_s)s::float8), %(state)s, %(digest)s, %(body)s
where pg_advisory_xact_lock(hashtextextended(%(handoff)s || chr(31) || %(scope)s, 1668445560)) is not null
on conflict (handoff, scope, dedup) where dedup is not null do nothing
returning id

-- name: find
select id from crux_handoff where handoff = %(handoff)s and scope = %(scope)s and dedup = %(key)s

-- name: get
select {columns} from crux_handoff where id = %(id)s and handoff = %(handoff)s

-- name: latest
select {columns} from crux_handoff
where handoff = %(handoff)s and scope = %(scope)s and id > %(after)s and state <> 3
order by id desc limit 1

-- name: page
select {columns} from crux_handoff
where handoff = %(handoff)s and id < coalesce(%(before)s::bigint, 9223372036854775807)
and state in (%(s0)s, %(s1)s, %(s2)s, %(s3)s)
order by id desc limit %(limit)s

-- name: page_scope
select {columns} from crux_handoff
where handoff = %(handoff)s and scope = %(scope)s and id < coalesce(%(before)s::bigint, 9223372036854775807)
and state in (%(s0)s, %(s1)s, %(s2)s, %(s3)s)
order by id desc limit %(limit)s

-- name: claim
select {columns} from crux_handoff_claim(%(handoff)s, %(scope)s, %(token)s, %(lease_s)s, %(exclusive)s)

-- name: extend
update crux_handoff set due = clock_timestamp() + make_interval(secs => %(lease_s)s)
where id = %(id)s and token = %(token)s and state = 0

-- name: settle
update crux_handoff
set state = %(state)s, reason = %(reason)s, due = clock_timestamp() + make_interval(secs => %(delay_s)s),
    attempts = attempts - %(uncounted)s, token = null
where id = %(id)s and token = %(token)s and state = 0

-- name: requeue
update crux_handoff set state = 0, reason = null, attempts = 0, due = clock_timestamp()
where handoff = %(handoff)s and state = 2 and (%(id)s::bigint is null or id = %(id)s)

-- name: sweep
delete from crux_handoff
where handoff = %(handoff)s and created <= clock_timestamp() - make_interval(secs => %(older_than_s)s)
and (state in (1, 3) or (state = 0 and expires <= clock_timestamp()))

-- name: due
select extract(epoch from min(due) - clock_timestamp())::float8 from crux_handoff
where handoff = %(handoff)s and state = 0 and due > clock_timestamp()

-- name: due_scope
select extract(epoch from min(due) - clock_timestamp())::float8 from crux_handoff
where handoff = %(handoff)s and scope = %(scope)s and state = 0 and due > clock_timestamp()

-- name: notify
select pg_notify('crux_handoff', channel) from unnest(%(channels)s::text[]) as channel

-- name: notify_alone
-- In a transaction of its own, after that of the send: inside it, all senders of a database would wait for each other.
-- Nothing waits for its flush to the disk: a wake-up has nothing to keep.
select set_config('synchronous_commit', 'off', true), pg_notify('crux_handoff', channel)
from unnest(%(channels)s::text[]) as channel

-- name: handoffs
select handoff, state, count(*), extract(epoch from min(created))::float8 from crux_handoff
group by handoff, state order by handoff, state
