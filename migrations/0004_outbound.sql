-- What goes out. `outbound` is the message and what became of it, `outbox` its place in the queue: narrow, and gone
-- when it is settled. Whoever changes both locks `outbound` first, in the order of ids.

-- In the order in which receipts move it; `failed` comes last and is final.
create type message_status as enum
  ('queued', 'unknown', 'accepted', 'sent', 'delivered', 'read', 'played', 'failed');

create table outbound (
  id           uuid primary key,
  tenant       text not null,
  contact      uuid not null,
  job          uuid,
  session      uuid,
  provider     text not null,
  origin       text not null check (origin in ('flow')),
  body         text not null,
  status       message_status not null default 'queued',
  provider_id  text,
  accepted_at  timestamptz,
  sent_at      timestamptz,
  delivered_at timestamptz,
  read_at      timestamptz,
  failed_at    timestamptz,
  error_code   integer,
  error        text
) with (fillfactor = 85);
create index outbound_provider_id on outbound (tenant, provider_id) where provider_id is not null;
create index outbound_job on outbound (job);

create table outbox (
  id      uuid primary key,
  tenant  text not null,
  lane    smallint not null,
  contact uuid not null,
  seq     bigint generated always as identity,
  state   text not null default 'queued' check (state in ('queued', 'sending', 'unknown')),
  attempt integer not null default 0,
  epoch   bigint,
  run_at  timestamptz not null default clock_timestamp()
) with (fillfactor = 85);
create index outbox_lane on outbox (tenant, lane, seq);

-- Receipts of messages that we do not have yet.
create table receipt (
  tenant      text not null,
  provider_id text not null,
  status      message_status not null,
  our_id      uuid,
  at          timestamptz not null,
  error_code  integer,
  error       text,
  seen_at     timestamptz not null default clock_timestamp(),
  primary key (tenant, provider_id, status)
);

-- A channel that takes no messages for now: a row while it is so.
create table channel (
  tenant     text not null,
  provider   text not null,
  reason     text not null,
  token_mark text not null,
  since      timestamptz not null default clock_timestamp(),
  probed_at  timestamptz not null default clock_timestamp(),
  primary key (tenant, provider)
);
