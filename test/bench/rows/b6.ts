/** A policy change that touches one live grant in a hundred, against deciding all of them again. */
import { setTimeout as pause } from 'node:timers/promises';
import { readPolicySet, type PolicyFiles } from '@mayfly/policy';
import { unsettledSets } from '@mayfly/store';
import { fillLedger, vacuum } from '../../world/fill-ledger.ts';
import type { Tenant } from '../../world/tenants.ts';
import type { BenchStack } from '../bench-stack.ts';
import type { Row } from '../row.ts';
import { sideBySide } from '../side-by-side.ts';
import { taskIds } from '../starts.ts';

const SIZES = { full: { filled: 100_000, sample: 4_000, logins: 20 }, quick: { filled: 10_000, sample: 500, logins: 8 } } as const;
const PART = 100;
const POLL_MS = 20;
const PATIENCE_MS = 240_000;
const LOGIN = 'orders-db.read';
const OTHER = 'reports.kv';

const row: Row = {
  id: 'B6',
  what: 'a policy change that touches 1 % of 100,000 live grants',
  whatQuick: 'a policy change that touches 1 % of 10,000 live grants and those of the rows before',
  against: 're-deciding all',
  reach: '≤ 1/20 of the time; first revocation < 1 s',
  async measure({ quick, rounds, seed, say, ownStack }) {
    const { filled, sample, logins } = SIZES[quick ? 'quick' : 'full'];
    // One tenant has nearly all; each of the others is the one in a hundred of one round.
    const stack = await ownStack({ tenants: rounds + 1, capabilities: [LOGIN, OTHER] });
    const [most, ...each] = stack.tenants.slice(0, rounds + 1) as [Tenant, ...Tenant[]];
    // Quick, rows before have left some.
    const live = filled + (await stack.live());
    const touched = Math.round(live / PART);
    const change = new Changes(stack);
    const ids = each.map((_, at) => taskIds(`b6-${seed}-${at}`, logins));
    for (const [at, tenant] of each.entries()) await startLogins(stack, tenant, ids[at]!);
    const fill = (tenant: Tenant, count: number): Promise<void> =>
      fillLedger(stack.ledger, {
        ...tenant,
        tenant: tenant.name,
        workflow: 'storm',
        prefix: `b6-${seed}-${tenant.name}-filled`,
        count,
        state: 'granted',
        capability: readPolicySet(change.files).capability(OTHER)!,
        policyDigest: change.digest,
      });
    for (const tenant of each) await fill(tenant, touched - logins);
    await fill(most, filled - touched * rounds);
    await vacuum(stack.ledger);
    say(`${live} grants live`);

    const first: number[] = [];
    const measured = await sideBySide(
      rounds,
      async (round) => {
        const since = await change.forbid(each[round]!);
        const seconds = (await until(() => change.isThrough())) - since;
        first.push((await firstDeath(stack, ids[round]!)) - since);
        await until(async () => (await leasesOf(stack, ids[round]!)) === 0);
        return seconds;
      },
      async () => {
        const since = await change.everybody();
        let decided = 0;
        const at = await until(async () => (decided = await change.decided()) >= sample);
        await change.skip();
        return ((at - since) * live) / decided;
      },
    );
    say(`one in ${PART}: ${shown(measured.ours)} s; all: ${shown(measured.theirs)} s; first revocation: ${shown(first)} s`);
    return {
      figures: [
        { name: 'the affected decided again, the others noted', unit: 's', rounds: measured.ours },
        { name: 'all decided again', unit: 's', rounds: measured.theirs },
        { name: 'first credential proven dead', unit: 's', rounds: first },
      ],
      ratios: [
        {
          name: 'time, against re-deciding all',
          rounds: measured.ours.map((ours, round) => ours / measured.theirs[round]!),
          goal: { atMost: 1 / 20 },
        },
        { name: 'seconds from the change to the first credential proven dead', rounds: first, goal: { atMost: 1 } },
      ],
      notes: [
        `${live} live grants, ${filled - logins * rounds} of them written into the ledger directly; ${touched} lose what they have by each change, ${logins} of these a database login. The clock runs from the moment at which the set is current until of every earlier one it is noted that what still rests on it stands.`,
        `All: a set that differs in its schema only touches everybody. The first ${sample} or more are timed, the rest would take as long each; they are then set aside.`,
      ],
    };
  },
};
export default row;

const shown = (values: readonly number[]): string => values.map((value) => value.toFixed(2)).join(' ');

/** Waits until it is so; when it was, in seconds. */
async function until(isSo: () => Promise<boolean>): Promise<number> {
  const end = Date.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`the policy change was not through within ${PATIENCE_MS / 1_000} s`);
    await pause(POLL_MS);
  }
  return Date.now() / 1_000;
}

/** One policy set after the other. */
class Changes {
  digest: string;
  readonly #stack: BenchStack;
  readonly #forbidden: Tenant[] = [];
  #schemas = 0;

  constructor(stack: BenchStack) {
    this.#stack = stack;
    this.digest = readPolicySet(stack.files).digest;
  }

  get files(): PolicyFiles {
    const forbids = this.#forbidden.map(
      ({ name, agent }) => `@id("no-more-${name}") forbid (principal == Mayfly::Agent::"${agent}", action, resource);`,
    );
    const { files } = this.#stack;
    return {
      ...files,
      'schema.cedarschema': `${files['schema.cedarschema']}${'\n'.repeat(this.#schemas)}`,
      ...(forbids.length > 0 && { 'policies/forbidden.cedar': forbids.join('\n') }),
    };
  }

  /** @returns when it became current, in seconds */
  async apply(): Promise<number> {
    await this.#stack.apply(this.files);
    this.digest = readPolicySet(this.files).digest;
    const [current] = await this.#stack.ledger.run<{ since: Date }>('', 'select since from policy.current where digest = $1', [
      this.digest,
    ]);
    if (!current) throw new Error('another policy set is current');
    return current.since.getTime() / 1_000;
  }

  forbid(tenant: Tenant): Promise<number> {
    this.#forbidden.push(tenant);
    return this.apply();
  }

  everybody(): Promise<number> {
    this.#schemas += 1;
    return this.apply();
  }

  /** Live grants that were decided by it. */
  async decided(): Promise<number> {
    const [row] = await this.#stack.ledger.run<{ count: number }>(
      '',
      `select count(*)::int as count from ledger.task_grant where state = 'granted' and policy_digest = $1`,
      [this.digest],
    );
    return row?.count ?? 0;
  }

  /** Whether nothing is left that rests on another set and was not looked at. */
  async isThrough(): Promise<boolean> {
    const { digest, sets } = (await unsettledSets(this.#stack.ledger))!;
    return digest === this.digest && sets.length === 0;
  }

  /** As if all were decided by it. */
  async skip(): Promise<void> {
    while (!(await this.isThrough()))
      await this.#stack.ledger.run(
        '',
        `update ledger.task_grant set policy_digest = $1 where id = any(array(
           select id from ledger.task_grant where state = 'granted' and policy_digest <> $1 limit 10000 for update skip locked))`,
        [this.digest],
      );
    await vacuum(this.#stack.ledger);
  }
}

async function startLogins(stack: BenchStack, tenant: Tenant, ids: readonly string[]): Promise<void> {
  await stack.orchestrator.start(
    ids.map((id) => ({ id, tenant })),
    LOGIN,
  );
  await until(async () => (await leasesOf(stack, ids)) === ids.length);
}

const LEASES = 'ledger.lease l join ledger.task_grant g on g.id = l.grant_id where g.task_id = any($1)';

async function leasesOf(stack: BenchStack, ids: readonly string[]): Promise<number> {
  const [row] = await stack.ledger.run<{ count: number }>(
    '',
    `select count(*)::int as count from ${LEASES} and l.state in ('active', 'revoking', 'stuck')`,
    [ids],
  );
  return row?.count ?? 0;
}

/** When the first of their credentials was proven dead, in seconds. */
async function firstDeath(stack: BenchStack, ids: readonly string[]): Promise<number> {
  const dead = async (): Promise<Date | null | undefined> =>
    (await stack.ledger.run<{ at: Date | null }>('', `select min(l.confirmed_at) as at from ${LEASES}`, [ids]))[0]?.at;
  await until(async () => Boolean(await dead()));
  return (await dead())!.getTime() / 1_000;
}
