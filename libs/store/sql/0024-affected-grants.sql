-- Who left, as transmitters of security events say (RISC account-disabled, -purged, -enabled); the registrations have a list of their own.
create table ledger.offboarding (
  tenant       text not null,
  initiator_id text not null,
  -- False: he is back.
  gone         boolean not null,
  -- When it happened, as the transmitter says: what comes late does not undo what is newer.
  changed_at   timestamptz not null,
  issuer       text not null,
  event_id     text not null,
  constraint offboarding_pk primary key (tenant, initiator_id)
);
grant select on ledger.offboarding to mayfly_issuer;
grant select, insert, update on ledger.offboarding to mayfly_drift;

alter table ledger.task_grant add column initiator_offboarded boolean not null default false;
-- Signals name initiators.
create index task_grant_live_initiator on ledger.task_grant (tenant, initiator_id)
  where state in ('requested', 'pending', 'granted') and initiator_id is not null;
