import type { PolicySet } from './policy-set.js';
import { QUOTA_SCOPES, QUOTAS, type Quota, type Quotas, type QuotaScope } from './quotas.js';

/** One bound that applies to a task. */
export interface QuotaBound {
  readonly scope: QuotaScope;
  readonly quota: Quota;
  readonly limit: number;
}

/** All bounds that apply to a task of this orchestrator and agent, in one fixed order. */
export function quotaBounds(set: PolicySet, source: string, agentId: string): QuotaBound[] {
  const orchestrator = set.orchestrator(source);
  const byScope: Readonly<Record<QuotaScope, Quotas | undefined>> = {
    tenant: orchestrator && set.tenantQuotas(orchestrator.tenant),
    orchestrator: orchestrator?.quotas,
    agent: set.agent(agentId)?.quotas,
  };
  return QUOTA_SCOPES.flatMap((scope) =>
    QUOTAS.flatMap((quota) => {
      const limit = byScope[scope]?.[quota];
      return limit === undefined ? [] : [{ scope, quota, limit }];
    }),
  );
}
