/**
 * `mayfly policy list`
 * @module
 */
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { connectConsole, type ConsoleClient } from '../console-client.js';
import { wholeNumber } from '../durations.js';
import { plain, table } from '../show.js';
import { answers, verb } from '../verb.js';

/** One change of the policy set in force, as the operators' API gives it. */
export interface PolicySwitch {
  readonly policyDigest: string;
  readonly current: boolean;
  readonly kind: string;
  readonly previous?: string;
  readonly operator: string;
  readonly reason?: string;
  readonly signer?: string;
  readonly at: string;
}

interface Listed {
  /** The set in force; null for none. */
  readonly current: string | null;
  readonly policies: readonly PolicySwitch[];
}

const listed = (operators: ConsoleClient, limit: number): Promise<Listed> => operators.get<Listed>('/v1/policies', { limit });

/** The newest changes of the policy set in force. */
export const policySwitches = async (operators: ConsoleClient, limit: number): Promise<readonly PolicySwitch[]> =>
  (await listed(operators, limit)).policies;

/** Lists which policy sets were in force. */
export function addPolicyList(policy: Command, cli: Cli): void {
  verb(policy, 'list', 'list which policy sets were in force, newest first', ['policy list', 'policy list --limit 5 --json'])
    .option('--limit <count>', 'so many at most', wholeNumber, 20)
    .option('--as <operator>', 'example operator to ask as')
    .action(
      answers(cli, async ({ limit, as }: { readonly limit: number; readonly as?: string }) => {
        const found = await listed(await connectConsole(cli, 'viewer', as), limit);
        return { data: found, text: textOf(found) };
      }),
    );
}

function textOf({ current, policies }: Listed): string {
  if (policies.length === 0 && !current) return 'no policy set was applied yet; apply one with npx mayfly policy apply DIR';
  const rows = policies.map(({ policyDigest, current, kind, operator, reason, signer, at }) =>
    [
      current ? '*' : '',
      at.slice(0, 19).replace('T', ' '),
      policyDigest,
      kind.replace('_', ' '),
      operator,
      signer ?? '-',
      reason ?? '',
    ].map(plain),
  );
  const past =
    current && !policies.some((one) => one.current)
      ? [`in force: ${plain(current)}, which came to be in another way than by the console`]
      : [];
  return [...past, table(['', 'since (UTC)', 'policy set', 'how', 'by', 'signed by', 'why'], rows)].join('\n');
}
