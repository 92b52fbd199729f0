/** A part of the world of a test file's own: what is changed about it is no other test's business. */
import type { PolicyFiles } from '@mayfly/policy';
import { exportJWK, generateKeyPair, importJWK, SignJWT, type JWK } from 'jose';
import { VaultEyes } from '../../world/vault-eyes.js';
import type { PolicyHold } from '../../world/policy-hold.js';
import { until, type World } from '../../world/world.js';

export const DRIFT_SOURCE = 'urn:test:drift';
export const ISSUER = 'https://idp.drift.example';
const AUDIENCE = 'https://mayfly.drift.example';

/** Which parts there are: each has a workflow, an agent, an owner, an initiator and a database capability of its own. */
export class Drifting {
  readonly #key: JWK;

  private constructor(
    private readonly world: World,
    private readonly hold: PolicyHold,
    private readonly parts: readonly string[],
    key: JWK,
  ) {
    this.#key = key;
  }

  static async prepare(world: World, hold: PolicyHold, parts: readonly string[]): Promise<Drifting> {
    const vault = new VaultEyes(world.dev);
    for (const part of parts)
      await vault.writePolicy(`cap-${part}-db`, 'path "database/creds/orders-read" {\n  capabilities = ["read"]\n}\n');
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const drifting = new Drifting(world, hold, parts, { ...(await exportJWK(privateKey)), alg: 'ES256', kid: 'idp' });
    await hold.apply(drifting.files());
    return drifting;
  }

  readonly agentOf = (part: string): string => `spiffe://example.org/agent/drift-${part}`;
  readonly initiatorOf = (part: string): string => `${part}@drift.example`;

  /** The example with all parts in it, changed where asked. */
  files(change: (files: PolicyFiles) => PolicyFiles = (files) => files): PolicyFiles {
    const { example } = this.hold;
    const { d: _d, ...pub } = this.#key;
    const workflows = this.parts.map(
      (part) => `      - name: ${part}-work\n        agents: [${this.agentOf(part)}]\n        maxDurationSeconds: 600\n`,
    );
    const agents = this.parts.map(
      (part) => `  ${this.agentOf(part)}:\n    tenant: default\n    status: active\n    owner: owner-of-${part}\n`,
    );
    const capabilities = this.parts.map(
      (part) => `  ${part}-db:
    engine: database
    shape: revocable
    mint: on-start
    mount: database
    role: orders-read
    vaultPolicy: cap-${part}-db
    dataClass: internal
    maxTtlSeconds: 900
    maxFetches: 10
    target: orders
    probe: true
`,
    );
    return change({
      ...example,
      'catalogue.yaml': example['catalogue.yaml']!.replace(/^capabilities:\n/m, (line) => line + capabilities.join('')),
      'registrations.yaml': `${example['registrations.yaml']!.replace(
        /^orchestrators:\n/m,
        (line) => `${line}  ${DRIFT_SOURCE}:\n    tenant: default\n    signatures: accepted\n    workflows:\n${workflows.join('')}`,
      ).replace(/^agents:\n/m, (line) => line + agents.join(''))}
transmitters:
  ${ISSUER}: { tenant: default, audience: "${AUDIENCE}", keys: [${JSON.stringify(pub)}] }
`,
      'policies/drifting.cedar': `@id("drifting")
permit (principal, action in [Mayfly::Action::"mint", Mayfly::Action::"fetch"], resource)
when { context.source == "${DRIFT_SOURCE}" && context.risk < 80 };
@id("drifting-hands-on")
permit (principal, action == Mayfly::Action::"delegate", resource) when { context.source == "${DRIFT_SOURCE}" };
`,
    });
  }

  apply(change: (files: PolicyFiles) => PolicyFiles): Promise<string> {
    return this.hold.apply(this.files(change));
  }

  /** A task of a part with two database logins: `own` (the part's capability) and `orders-db`, both in use. */
  async task(part: string, data: object = {}, capability = `${part}-db`): Promise<Running> {
    const taskId = await this.world.start([{ name: 'own', capability }, 'orders-db.read'], {
      source: DRIFT_SOURCE,
      data: {
        workflow: { name: `${part}-work` },
        agent: { id: this.agentOf(part) },
        initiator: { id: this.initiatorOf(part), kind: 'human' },
        ...data,
      },
    });
    const [own, orders] = await Promise.all(
      ['own', 'orders-db'].map((name) => this.world.agent(this.agentOf(part)).secret(taskId, name, { waitSeconds: 30 })),
    );
    const session = this.world.login(own!.data);
    await session.run('', 'select 1');
    return { taskId, own: own!.data, orders: orders!.data, session };
  }

  /** Seconds until the database refuses a login, and its open session is broken. */
  async dead(running: Running, since: number, which: 'own' | 'orders' = 'own'): Promise<number> {
    const seconds = await until(`${which} of ${running.taskId} is refused`, async () =>
      (await this.world.isRefused(running[which])) ? (performance.now() - since) / 1_000 : undefined,
    );
    if (which === 'own')
      await running.session.run('', 'select 1').then(
        () => Promise.reject(new Error('the session lives')),
        () => undefined,
      );
    return Math.round(seconds * 10) / 10;
  }

  /** Sends a security event token; returns the record's key. */
  async tell(type: string, subject: object, event: object = {}, header: object = {}): Promise<string> {
    const id = this.world.newTaskId('jti');
    const token = await new SignJWT({ sub_id: subject, events: { [type]: event }, jti: id, iss: ISSUER, aud: AUDIENCE })
      .setIssuedAt()
      .setProtectedHeader({ alg: 'ES256', kid: 'idp', typ: 'secevent+jwt', ...header })
      .sign(await importJWK(this.#key));
    await this.world.produce({ key: id, value: token, headers: { 'content-type': 'application/secevent+jwt' } }, 'mayfly.signals');
    return id;
  }
}

/** A task at work. */
export interface Running {
  readonly taskId: string;
  readonly own: Readonly<Record<string, unknown>>;
  readonly orders: Readonly<Record<string, unknown>>;
  readonly session: ReturnType<World['login']>;
}
