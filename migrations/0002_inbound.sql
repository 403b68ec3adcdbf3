-- What came in. `inbound` holds the one copy of a message and never changes; `job_ready` is narrow and churns; a job
-- that is in neither `job_ready` nor `job_outcome` is completed. No foreign keys: each would be a look-up per row.

create table inbound (
  id          uuid not null primary key,
  tenant      text not null,
  contact     uuid not null,
  provider    text not null,
  provider_id text not null,
  kind        text not null,
  payload     text not null
) partition by range (id);
create index inbound_contact on inbound (contact, id);
create table inbound_default partition of inbound default;

create table job_ready (
  seq      bigint generated always as identity primary key,
  job      uuid not null,
  tenant   text not null,
  lane     smallint not null,
  contact  uuid not null,
  attempts smallint not null default 0,
  run_at   timestamptz not null default clock_timestamp()
);
create index job_ready_lane on job_ready (tenant, lane, seq);
create index job_ready_contact on job_ready (contact, seq);
create index job_ready_job on job_ready (job);

create table job_outcome (
  job        uuid primary key,
  tenant     text not null,
  status     text not null check (status in ('failed', 'expired')),
  node       text,
  reason     text not null,
  created_at timestamptz not null default clock_timestamp()
);

-- Providers deliver a message again for up to 7 days. A unique key of a partitioned table would have to hold the
-- partition key, so this table is one piece and is cleaned in batches.
create table dedupe (
  key     uuid primary key,
  ref     uuid not null,
  seen_at timestamptz not null default clock_timestamp()
);
create index dedupe_seen_at on dedupe using brin (seen_at);

create table dead_letter (
  id       uuid primary key,
  tenant   text not null,
  provider text not null,
  stage    text not null,
  reason   text not null,
  detail   text not null,
  raw      bytea not null
);
create index dead_letter_tenant on dead_letter (tenant, id);
