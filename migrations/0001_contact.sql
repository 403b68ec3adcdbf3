-- The people who write, and the identities by which providers know them. A phone is one identity among others:
-- a customer may hide it, and a business-scoped user id changes with the number.

create function uuid_time(id uuid) returns timestamptz
  language sql immutable parallel safe
  return to_timestamp((('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint) / 1000.0);
comment on function uuid_time is 'The time in the first 48 bits of a UUIDv7 or of one of our UUIDv8';

create table contact (
  id         uuid primary key,
  tenant     text not null,
  lane       smallint not null check (lane between 0 and 63),
  name       text,
  attributes text not null default '{}',
  created_at timestamptz not null default clock_timestamp()
);

create table contact_identity (
  tenant  text not null,
  kind    text not null check (kind in ('phone', 'bsuid')),
  value   text not null,
  contact uuid not null,
  primary key (tenant, kind, value)
);
create index contact_identity_contact on contact_identity (contact);
