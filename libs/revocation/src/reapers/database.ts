/**
 * Database users. The target can be asked, and ends them without Vault.
 * @module
 */
import type { Killers } from '../ports.js';
import { leased, type AskTarget } from './leased.js';
import type { Reaper } from './reaper.js';

/** Dead: no role that may log in, and no session of it. */
export const database = (killers: Killers): Reaper => {
  const { probe, quarantine } = killers;
  const reaches = (target: string | undefined): target is string => quarantine.targets.some((each) => each === target);

  const ask: AskTarget = async ({ principal, grantId }, spec, { tokenProof, unexplained }) => {
    // While its task lives, its other users carry the same grant's id.
    if (!principal && !tokenProof && reaches(spec.target)) {
      const left = await unexplained(await quarantine.principals(spec.target, grantId));
      return { dead: left.length === 0, checked: `postgres: ${left.length} users of the grant that nothing explains` };
    }
    // Where the whole grant is over one question is enough for all of it: a principal carries the grant's id.
    if (tokenProof && (!principal || principal.includes(grantId))) {
      const { dead, checked } = await probe.probe({ capability: spec, principal: undefined, grantId });
      if (dead) return { dead, checked, searched: true };
      // Something lives there. Whether it is this one decides what becomes of its lease.
      if (!principal) return { dead, checked };
    }
    return probe.probe({ capability: spec, principal, grantId });
  };

  return {
    ...leased(killers, ask),
    quarantine: async ({ lease, credential: { spec } }, { unexplained }, forgotten) => {
      if (!reaches(spec?.target)) return undefined;
      const existing = await quarantine.principals(spec.target, lease.grantId);
      const its = lease.principal ? existing.filter((name) => name === lease.principal) : await unexplained(existing);
      for (const name of its) await quarantine.quarantine(spec.target, name, forgotten);
      return its.length;
    },
  };
};
