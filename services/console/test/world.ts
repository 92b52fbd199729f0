/** A console over real HTTP on a real ledger. */
import { InvalidToken, ManualClock, type Clock } from '@mayfly/domain';
import { ROLES, type Role } from '@mayfly/identity';
import { readPolicy } from '@mayfly/policy';
import { CurrentPolicy } from '@mayfly/store';
import { serve } from '../../../libs/http/test/serve.js';
import { anybodys } from '../../../libs/store/test/example.js';
import { AT, startLedger } from '../../../libs/store/test/ledger.js';
import { Capabilities } from '../src/capabilities.js';
import { CapabilitiesController } from '../src/capabilities.controller.js';
import { KillSwitch } from '../src/kill-switch.js';
import { Operating } from '../src/operating.js';
import { OperatorController } from '../src/operator.controller.js';
import { Operators } from '../src/operators.js';
import { Planning } from '../src/planning.js';
import { PoliciesController } from '../src/policies.controller.js';
import { Policies, type PolicyDependencies } from '../src/policies.js';
import { ReinstatementsController } from '../src/reinstatements.controller.js';
import { Reinstating } from '../src/reinstating.js';
import { RevocationsController } from '../src/revocations.controller.js';
import { RevokedSerialsController } from '../src/revoked-serials.controller.js';

/** One request. */
export interface Call {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
}

/** Tokens say their roles: `viewer`, `viewer+admin`, `none`. */
const people = {
  verify: async (bearer: string) => {
    const roles = bearer.split('+').filter((role): role is Role => (ROLES as readonly string[]).includes(role));
    if (roles.length === 0 && bearer !== 'none') throw new InvalidToken();
    return { id: `person-${bearer}`, roles };
  },
};
const workloads = {
  verify: async (bearer: string) => {
    if (bearer !== 'agent') throw new InvalidToken();
    return { id: 'spiffe://example.org/agent/etl', kind: 'spiffe', trustDomain: 'example.org', audience: 'mayfly', expiresAt: AT } as const;
  },
  ready: async () => undefined,
};

/** Starts one with a ledger of its own; close it when done. */
export async function startConsole({
  clock = new ManualClock(AT),
  profile = 'dev',
  vouch = async () => undefined,
}: { clock?: Clock } & Partial<Pick<PolicyDependencies, 'profile' | 'vouch'>> = {}) {
  const ledger = await startLedger();
  const { database } = ledger;
  const policies = new CurrentPolicy((files) => readPolicy(files), anybodys);
  const killSwitch = new KillSwitch({ database, clock });
  const served = await serve({
    controllers: [
      CapabilitiesController,
      OperatorController,
      PoliciesController,
      RevocationsController,
      ReinstatementsController,
      RevokedSerialsController,
    ],
    providers: [
      { provide: Capabilities, useValue: new Capabilities({ database, policies }) },
      { provide: Operating, useValue: new Operating({ database, clock }) },
      { provide: Policies, useValue: new Policies({ database, clock, profile, vouch, read: (files) => readPolicy(files) }) },
      { provide: Planning, useValue: new Planning({ database, clock, policies }) },
      { provide: KillSwitch, useValue: killSwitch },
      { provide: Reinstating, useValue: new Reinstating({ database, clock }) },
      { provide: Operators, useValue: new Operators(people, workloads) },
    ],
  });
  const ask = ({ method = 'GET', path, body }: Call, token = 'admin', headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${served.url}/v1/${path}`, {
      method,
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  return {
    ledger,
    database,
    killSwitch,
    url: served.url,
    lines: served.lines,
    /** The raw answer. */
    ask,
    /** The answer as JSON. */
    call: async (one: Call, token?: string) => {
      const response = await ask(one, token);
      const text = await response.text();
      return { status: response.status, type: response.headers.get('content-type'), body: JSON.parse(text) as Record<string, any> };
    },
    close: async () => {
      await served.close();
      await ledger.stop();
    },
  };
}
/** A running console of a test. */
export type Console = Awaited<ReturnType<typeof startConsole>>;

/** A kill switch; only counted unless told otherwise. */
export const revoke = (selector: object, rest: object = {}): Call => ({
  method: 'POST',
  path: 'revocations',
  body: { selector, reason: 'test', dryRun: true, ...rest },
});

/** Makes many, a few side by side: a busy machine's ledger has only so many connections. */
export async function many<T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  for (let from = 0; from < count; from += 8)
    made.push(...(await Promise.all(Array.from({ length: Math.min(8, count - from) }, (_, index) => make(from + index)))));
  return made;
}
