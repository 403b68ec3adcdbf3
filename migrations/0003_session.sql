-- Conversations, and the text of each revision that one of them may still need.

create table session (
  id         uuid primary key,
  tenant     text not null,
  contact    uuid not null,
  flow       text not null,
  revision   text not null,
  state      text not null check (state in ('Active', 'Paused', 'Completed', 'Errored')),
  context    text not null,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp()
) with (fillfactor = 85);
create unique index session_open on session (contact, flow) where state in ('Active', 'Paused');

create table flow_revision (
  tenant     text not null,
  flow       text not null,
  revision   text not null,
  spec       text not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant, flow, revision)
);
