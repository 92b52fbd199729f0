-- Facts are stated in the intake in the same transaction as the change; the evidence service alone moves them into the chained log.
create schema evidence;

create table evidence.intake (
  id        bigint generated always as identity constraint intake_pk primary key,
  fact      jsonb not null,
  -- Where it was stated, so that its record continues that trace; not part of what is hashed.
  traceparent text
);
create index intake_by_task on evidence.intake ((fact ->> 'taskId'));

create table evidence.log (
  index         bigint not null constraint log_pk primary key,
  kind          text not null,
  at            text not null,
  tenant        text,
  task_id       text,
  by            text not null,
  data          jsonb not null,
  previous_hash text not null,
  hash          text not null constraint log_hash_once unique
);
create index log_by_task on evidence.log (task_id, index);
