-- Conversations that take more than messages. What moves a session is a job, whatever it is: one queue, one fence.

-- Which table `job` names: `inbound`, `session` (a due timer), `effect` (a result), `signal`, `outbound` (a message that
-- failed).
alter table job_ready add column kind text not null default 'message'
  check (kind in ('message', 'timer', 'result', 'signal', 'failure'));
-- A contact that waits for a result leaves its messages in the queue; what it waits for must be found past them.
create index job_ready_event on job_ready (tenant, lane, seq) where kind <> 'message';

-- What a session took, in order: with the text of its revision enough to step it again.
create table session_event (
  session uuid not null,
  number  integer not null,
  at      timestamptz not null,
  kind    text not null,
  source  uuid not null,
  body    text,
  contact text not null,
  primary key (session, number)
);

-- Calls that are on their way, and answers that their session has not taken yet.
create table effect (
  id         uuid primary key,
  tenant     text not null,
  lane       smallint not null,
  contact    uuid not null,
  session    uuid not null,
  request    text not null,
  repeatable boolean not null,
  deadline   timestamptz not null,
  state      text not null default 'queued' check (state in ('queued', 'sending', 'done')),
  attempt    integer not null default 0,
  epoch      bigint,
  run_at     timestamptz not null default clock_timestamp(),
  result     text
) with (fillfactor = 85);
create index effect_lane on effect (tenant, lane, run_at) where state <> 'done';

-- When to look at a session at the latest. It may stand here earlier than the session needs: a row is not moved with
-- every message.
create table timer (
  session uuid primary key,
  tenant  text not null,
  lane    smallint not null,
  contact uuid not null,
  due_at  timestamptz not null
);
create index timer_due on timer (tenant, lane, due_at);

-- What people and programs tell a session: go on, end, begin. Kept with the session, so that the same is not told twice.
create table signal (
  id         uuid primary key,
  tenant     text not null,
  contact    uuid not null,
  session    uuid,
  kind       text not null,
  body       text not null,
  created_at timestamptz not null default clock_timestamp()
);
create index signal_session on signal (session) where session is not null;

-- 32 random bytes of a tenant, made on first use: what is signed with them is ours.
create table tenant_key (
  tenant text primary key,
  key    bytea not null
);

-- Since when no configuration holds it, as far as the replica knows that cleans up.
alter table flow_revision add column retired_at timestamptz;

-- What goes instead when the customer has not written for 24 hours.
alter table outbound add column fallback text;
alter table session
  add column node   text not null default '',
  -- Revisions of the flows that it may call, `name@revision`, for its whole life.
  add column pinned text[] not null default '{}';
