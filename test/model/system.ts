/** The real flows on a real ledger, a fake Vault and a fake target: two replicas of each, every one behind a gate. */
import { ManualClock, plusSeconds } from '@mayfly/domain';
import { readPolicy, readPolicySet } from '@mayfly/policy';
import { OrphanWatch, type Killers, type ProbeSubject } from '@mayfly/revocation';
import { CurrentPolicy, QuotaWatch, type Database, type Sql } from '@mayfly/store';
import type { TaskEndedMessage } from '@mayfly/task-events';
import { createLogger } from '@mayfly/telemetry';
import type { Delivered } from '../../services/delivery/src/fetch.js';
import { Delivering } from '../../services/delivery/src/delivering.js';
import { issuerOn, SOURCE, started } from '../../services/issuer/test/world.js';
import { Revoking } from '../../services/revoker/src/revoking.js';
import { databaseUsers } from '../../services/revoker/src/walks/database-users.js';
import { walk } from '../../services/revoker/src/walks/walk.js';
import { watchTheClock } from '../../services/revoker/src/watches.js';
import { anybodys } from '../../libs/store/test/example.js';
import { AT } from '../../libs/store/test/ledger.js';
import { FakeVault } from '../../libs/vault/test/fake-vault.js';
import { Gate } from './gate.js';

const DEADLINE_SECONDS = 8 * 31;
const AGENT = 'spiffe://example.org/agent/etl';
const CREDENTIAL = 'orders';

/** What the model calls the statements and transactions of each flow; whatever is not named here happens with the step before it. */
const STEPS = {
  issuer: {
    'lease.of_grants': 'read-leases',
    'mint_at.renew': 'hold',
    'lease.note_minted': 'note',
    'keep task token': 'keep-token',
    'replace lost mint': 'replace',
    'activate lease': 'activate',
    'fail lease': 'fail',
    'give up minting': 'give-up',
    'settle minting': 'settle',
  },
  revoker: {
    'grant.whole': 'find-doomed',
    'end straggler': 'find-doomed',
    'note quarantine': 'confirm',
    'conclude leases': 'conclude',
    'close grant': 'close',
  },
  delivery: {
    'fail lease': 'fail-fetch',
    deliver: 'hand',
  },
} as const;
type Kind = keyof typeof STEPS;

/** A copy that was minted, as Vault and the target call it. */
export interface Minted {
  readonly principal: string;
  readonly vaultLeaseId: string;
}

/** One task and everything that works on it. */
export class System {
  readonly clock = new ManualClock(AT);
  readonly vault = new FakeVault(this.clock);
  readonly accessors: string[] = [];
  readonly copies: Minted[] = [];
  /** Principals that an agent was handed. */
  readonly handed = new Set<string>();
  readonly gates = new Map<string, Gate>();
  readonly taskId: string;

  readonly #start: ReturnType<typeof started>;
  readonly #end: TaskEndedMessage;
  readonly #policies = new CurrentPolicy((files) => readPolicy(files), anybodys);
  #watch: OrphanWatch;

  constructor(
    private readonly database: Database,
    permitted: boolean,
  ) {
    this.#start = started({
      deadline: plusSeconds(AT, DEADLINE_SECONDS),
      credentials: [{ name: CREDENTIAL, capability: permitted ? 'orders-db.read' : 'orders-db.owner' }],
    });
    this.taskId = this.#start.task.taskId;
    this.#end = {
      kind: 'ended',
      end: { taskId: this.#start.task.taskId, outcome: 'succeeded' },
      envelope: { id: `end-${this.taskId}`, source: SOURCE, type: 'dev.mayfly.task.ended.v1' },
      digest: 'sha256:end',
    };
    this.#watch = new OrphanWatch(60);
  }

  /** The step before which a worker stands, in the model's words; both holds are one statement. */
  at = (worker: string): string => this.gates.get(worker)?.step ?? 'idle';

  start = (worker: string): Promise<void> => this.#flow(worker, (gate) => this.#issuing(gate).onTaskStarted(this.#start));
  claimMint = (worker: string): Promise<void> => this.#flow(worker, (gate) => this.#issuing(gate).mintDue());
  claimKill = (worker: string): Promise<void> => this.#flow(worker, (gate) => this.#revoking(gate).killDue());
  fetch = (worker: string): Promise<void> =>
    this.#flow(worker, async (gate) => {
      const { data }: Delivered = await this.#delivering(gate).fetch(this.#start.task.taskId, CREDENTIAL, AGENT, 0);
      this.handed.add(String(data.username));
    });
  end = (): Promise<void> => this.#revoking(new Gate(), this.database).onTaskEnded(this.#end);
  watch = (): Promise<unknown> => watchTheClock({ database: this.database, clock: this.clock });
  tick = (): void => this.clock.advance(31_000);
  crash(worker: string): void {
    this.gates.delete(worker);
    if (worker.startsWith('revoker')) this.#watch = new OrphanWatch(60);
  }
  async reconcile(): Promise<void> {
    const { principals } = this.vault;
    const quarantine = {
      target: 'orders',
      endGhosts: async () => 0,
      list: async () => [...principals],
      end: async (name: string) => void principals.delete(name),
    };
    const logger = createLogger({ service: 'test', level: 'silent' as 'fatal' });
    const on = { database: this.database, clock: this.clock, logger };
    await walk(on, databaseUsers(on, quarantine as never, this.#watch));
  }

  async #flow(worker: string, run: (gate: Gate) => Promise<unknown>): Promise<void> {
    const gate = new Gate();
    this.gates.set(worker, gate);
    await gate.start(() => run(gate));
  }

  #issuing(gate: Gate) {
    return issuerOn(this.#ledger(gate, 'issuer'), this.clock, this.#vaultFor(gate, 'issuer')).issuing;
  }

  #revoking(gate: Gate, database: Database = this.#ledger(gate, 'revoker')): Revoking {
    const { vault, clock } = this;
    const of = (grantId: string) => [...vault.principals].filter((name) => name.includes(grantId));
    // The search ends what it finds, in the same step.
    let step: 'confirm' | 'search' = 'confirm';
    const killers: Killers = {
      revoker: {
        revokeLease: (id) => gate.call('strike', () => vault.revokeLease(id)),
        isLeaseGone: (id) => gate.call('confirm', () => vault.isLeaseGone(id)),
        revokeToken: (accessor) => gate.call('end-token', () => vault.revokeToken(accessor)),
        isTokenGone: (accessor) => gate.call('end-token', () => vault.isTokenGone(accessor)),
        revokeCertificate: () => Promise.resolve(),
        isCertificateRevoked: () => Promise.resolve(false),
      },
      probe: {
        // Who asks for a lease says which principal, also when there is none; the search asks for the grant alone.
        probe: (subject: ProbeSubject) => {
          step = 'principal' in subject ? 'confirm' : 'search';
          return gate.call(step, async () => {
            const found = of(subject.grantId).filter((name) => !subject.principal || name === subject.principal);
            return { dead: found.length === 0, checked: `fake: ${found.length}` };
          });
        },
      },
      quarantine: {
        targets: ['orders'],
        principals: (_, grantId) => gate.call(step, async () => of(grantId)),
        quarantine: (_, name) => gate.call(step, async () => void vault.principals.delete(name)),
      },
      settledUntil: () => undefined,
    };
    return new Revoking({ database, clock, killers, policies: new CurrentPolicy(readPolicySet, anybodys), audience: 'mayfly' });
  }

  #delivering(gate: Gate): Delivering {
    const changes = {
      // One look, when its turn has come: patience is over then.
      until: <T>(_: string, __: number, look: () => Promise<T | undefined>) => gate.call('await', look),
    };
    return new Delivering({
      database: this.#ledger(gate, 'delivery'),
      vault: this.#vaultFor(gate, 'delivery'),
      policies: this.#policies,
      quotas: new QuotaWatch(this.clock),
      targets: {},
      changes: changes as never,
      clock: this.clock,
    });
  }

  #ledger(gate: Gate, kind: Kind): Database {
    const { database } = this;
    const steps: Readonly<Record<string, string>> = STEPS[kind];
    const stepOf = (name: string, text = ''): string | undefined =>
      // A compare-and-set outside any transaction: a stuck lease is tried again, a fetch gives its intent up.
      /^update ledger\.lease/.test(text) && name === '' ? (kind === 'revoker' ? 'find-doomed' : 'await') : steps[name];
    const run: Sql['run'] = (name, text, values) => {
      const step = stepOf(name, text);
      return step ? gate.call(step, () => database.run(name, text, values)) : database.run(name, text, values);
    };
    const transaction: Database['transaction'] = (name, work) => {
      const step = stepOf(name);
      return step ? gate.call(step, () => database.transaction(name, work)) : database.transaction(name, work);
    };
    return { ...database, run, transaction };
  }

  /** The fake, with its calls behind the gate. */
  #vaultFor(gate: Gate, kind: Kind): FakeVault {
    const { vault } = this;
    const gated: Partial<FakeVault> = {
      create: (request) =>
        gate.call('create', async () => {
          const made = await vault.create(request);
          this.accessors.push(made.accessor);
          return made;
        }),
      open: (sealed, taskId) => gate.call(kind === 'issuer' ? 'open' : 'open-fetched', () => vault.open(sealed, taskId)),
      mint: (request) =>
        gate.call(
          'mint',
          async () => {
            const minted = await vault.mint(request);
            this.copies.push({ principal: minted.principal!, vaultLeaseId: minted.vaultLeaseId! });
            return minted;
          },
          ({ vaultLeaseId }) => vault.forget(vaultLeaseId!),
        ),
      // These two never reject: what goes wrong is not told.
      discardToken: (token) => gate.call('discard-token', () => vault.discardToken(token)).catch(() => undefined),
      discard: (token, minted) => gate.call('discard', () => vault.discard(token, minted)).catch(() => undefined),
      keep: (token, ref, material) => gate.call('keep', () => vault.keep(token, ref, material)),
      take: (token, ref) => gate.call('take', () => vault.take(token, ref)),
    };
    return gated as FakeVault;
  }
}
