-- One row for each inbound message, with the columns and statuses that workers and people of the queue know.

create view jobs as
select i.id,
       i.payload::jsonb as payload,
       (case
          when o.job is not null then o.status
          when r.job is not null then 'queued'
          else 'completed'
        end)::varchar(20) as status,
       uuid_time(i.id) as created_at,
       greatest(uuid_time(i.id), o.created_at, m.changed_at) as updated_at,
       i.tenant,
       i.contact,
       o.node,
       o.reason
  from inbound i
  left join job_outcome o on o.job = i.id
  left join lateral (select true as found, j.job from job_ready j where j.job = i.id limit 1) r on true
  left join lateral (
         select max(greatest(b.accepted_at, b.sent_at, b.delivered_at, b.read_at, b.failed_at)) as changed_at
           from outbound b
          where b.job = i.id
       ) m on true;
