-- The statements of the SQLite store. `{name}` stands for the statement of that name.

-- name: columns
{first_columns}, attempts, reason, digest, body

-- name: first_columns
id, handoff, scope, dedup, version, meta, created_s, expires_s, coalesce(expires_s <= :now, 0), state

-- name: claimed_columns
-- As they are after the claim.
{first_columns}, attempts + 1, reason, digest, body

-- name: setup_table
create table if not exists crux_handoff_schema (version integer not null)

-- name: setup_version
select max(version) from crux_handoff_schema

-- name: setup_done
insert into crux_handoff_schema (version) values (:version)

-- name: append
insert into crux_handoff (handoff, scope, dedup, version, meta, created_s, expires_s, due_s, state, digest, body)
values (:handoff, :scope, :key, :version, :meta, :now, :now + :ttl_s, :now, :state, :digest, :body)
on conflict (handoff, scope, dedup) where dedup is not null do nothing

-- name: find
select id from crux_handoff where handoff = :handoff and scope = :scope and dedup = :key

-- name: get
select {columns} from crux_handoff where id = :id and handoff = :handoff

-- name: latest
select {columns} from crux_handoff where handoff = :handoff and scope = :scope and id > :after and state <> 3
order by id desc limit 1

-- name: page
select {columns} from crux_handoff
where handoff = :handoff and id < coalesce(:before, 9223372036854775807) and state in (:s0, :s1, :s2, :s3)
order by id desc limit :limit

-- name: page_scope
select {columns} from crux_handoff
where handoff = :handoff and scope = :scope and id < coalesce(:before, 9223372036854775807)
and state in (:s0, :s1, :s2, :s3)
order by id desc limit :limit

-- name: claim
-- The oldest that is free. The index is named: without statistics another one might be taken, which holds the done rows.
select {claimed_columns} from crux_handoff indexed by crux_handoff_ready
where handoff = :handoff and state = 0 and due_s <= :now order by id limit 1

-- name: claim_scope
select {claimed_columns} from crux_handoff indexed by crux_handoff_ready_scope
where handoff = :handoff and scope = :scope and state = 0 and due_s <= :now order by id limit 1

-- name: claim_exclusive
select {claimed_columns} from crux_handoff as r indexed by crux_handoff_ready
where handoff = :handoff and state = 0 and due_s <= :now and not exists {older} order by id limit 1

-- name: claim_exclusive_scope
select {claimed_columns} from crux_handoff as r indexed by crux_handoff_ready_scope
where handoff = :handoff and scope = :scope and state = 0 and due_s <= :now and not exists {older} order by id limit 1

-- name: older
(select 1 from crux_handoff as o indexed by crux_handoff_ready_scope
where o.handoff = r.handoff and o.scope = r.scope and o.state = 0 and o.id < r.id)

-- name: lease
update crux_handoff set token = :token, due_s = :now + :lease_s, attempts = attempts + 1 where id = :id

-- name: extend
update crux_handoff set due_s = :now + :lease_s where id = :id and token = :token and state = 0

-- name: settle
update crux_handoff
set state = :state, reason = :reason, due_s = :now + :delay_s, attempts = attempts - :uncounted, token = zeroblob(8)
where id = :id and token = :token and state = 0

-- name: requeue
update crux_handoff set state = 0, reason = null, attempts = 0, due_s = :now
where handoff = :handoff and state = 2 and (:id is null or id = :id)

-- name: sweep
-- Never the newest row of all, whose id would be given again.
delete from crux_handoff
where handoff = :handoff and created_s <= :now - :older_than_s and (state in (1, 3) or (state = 0 and expires_s <= :now))
and id < (select max(id) from crux_handoff)

-- name: due
select min(due_s) - :now from crux_handoff indexed by crux_handoff_ready
where handoff = :handoff and state = 0 and due_s > :now

-- name: due_scope
select min(due_s) - :now from crux_handoff indexed by crux_handoff_ready_scope
where handoff = :handoff and scope = :scope and state = 0 and due_s > :now

-- name: handoffs
select handoff, state, count(*), min(created_s) from crux_handoff group by handoff, state order by handoff, state
