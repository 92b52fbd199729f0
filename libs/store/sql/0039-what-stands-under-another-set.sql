-- A change of the policy set writes the grants that it can touch, and no others: those keep the digest of the set by which they were decided.
-- Here stands, for one turn of the current set (xmin of its row), which earlier sets were gone through: what rests on them still, stands.
create table policy.settled (
  version text not null,
  digest  text not null,
  constraint settled_pk primary key (version, digest)
);
grant select, insert, delete on policy.settled to mayfly_drift;
