-- Conversations as people and programs look at them: lists, counts, and the views that tools of the editor read.

create index session_contact on session (contact, flow, created_at);
create index session_tenant on session (tenant, id);
-- In words of its own. Whoever asks for a contact's open sessions names their states, and must not find this index: while
-- the table is small a walk through all of it looks as cheap as a look into `session_open`, and such a plan is kept.
alter table session add column is_open boolean generated always as (state in ('Active', 'Paused')) stored;
create index session_tenant_open on session (tenant, flow, id) where is_open;
create index session_errored on session (tenant, updated_at) where state = 'Errored';
-- A conversation is read by its contact: `inbound` has the same index.
create index outbound_contact on outbound (contact, id);
-- Which session took a message.
create index session_event_message on session_event (source) where kind = 'message';

-- The newest session of each contact and Flow. What the author assigned and the engine's own keys stand in one object, as
-- the editor knows them.
create view "Session" as
select s.id,
       s.state as status,
       nullif(s.node, '') as "currentNodeId",
       coalesce(s.context::jsonb -> 'variables', '{}') || coalesce(s.context::jsonb -> 'context', '{}') as context,
       s.created_at as "createdAt",
       s.updated_at as "updatedAt",
       s.contact as "contactId",
       s.flow as "flowId"
  from session s
 where not exists (select from session n
                    where n.contact = s.contact and n.flow = s.flow
                      and (n.created_at, n.id) > (s.created_at, s.id));

-- What came in and what went out, together. Types are WhatsApp's words; a message that was not confirmed yet is `Pending`.
create view "Message" as
select i.id,
       i.provider_id as "waMessageId",
       'inbound' as direction,
       case i.kind
         when 'tap' then case i.payload::jsonb #>> '{content,kind}' when 'quick_reply' then 'button' else 'interactive' end
         when 'form' then 'interactive'
         when 'media' then replace(coalesce(i.payload::jsonb #>> '{content,kind}', 'media'), 'voice', 'audio')
         else i.kind
       end as type,
       nullif(i.payload::jsonb ->> 'message', '') as content,
       i.payload::jsonb as payload,
       'Delivered' as status,
       null::text as error,
       null::timestamptz as "statusUpdatedAt",
       uuid_time(i.id) as "createdAt",
       i.contact as "contactId",
       i.tenant as "userId",
       e.session as "sessionId"
  from inbound i
  left join lateral (select session from session_event e where e.source = i.id and e.kind = 'message' limit 1) e on true
union all
select o.id,
       o.provider_id,
       'outbound',
       case o.body::jsonb ->> 'type'
         when 'buttons' then 'interactive'
         when 'list' then 'interactive'
         when 'form' then 'interactive'
         when 'media' then replace(coalesce(o.body::jsonb ->> 'kind', 'media'), 'voice', 'audio')
         else o.body::jsonb ->> 'type'
       end,
       coalesce(o.body::jsonb ->> 'text', o.body::jsonb ->> 'caption', o.body::jsonb ->> 'name'),
       o.body::jsonb,
       case o.status
         when 'sent' then 'Sent'
         when 'delivered' then 'Delivered'
         when 'read' then 'Read'
         when 'played' then 'Read'
         when 'failed' then 'Failed'
         else 'Pending'
       end,
       o.error,
       greatest(o.accepted_at, o.sent_at, o.delivered_at, o.read_at, o.failed_at),
       uuid_time(o.id),
       o.contact,
       o.tenant,
       o.session
  from outbound o;
