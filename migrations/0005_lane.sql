-- Who does the work. A contact's lane is owned by one replica at a time; every effect checks the owner's epoch.

create table lane (
  tenant text not null,
  lane   smallint not null,
  owner  text,
  epoch  bigint not null default 0,
  primary key (tenant, lane)
) with (fillfactor = 50);

create table replica (
  id         text primary key,
  tenants    text[] not null,
  expires_at timestamptz not null
) with (fillfactor = 50);
