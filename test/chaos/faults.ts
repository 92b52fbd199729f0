/**
 * What may go wrong, and where. A fault is drawn as data first, so that a run can be told, and drawn again from its seed.
 */
import type { Failpoint } from '@mayfly/failpoints';
import type { Random } from '../world/random.ts';

/** Which failpoints lie on whose way. */
const POINTS = {
  issuer: ['C1', 'C2', 'C3', 'C4', 'C5', 'C6', 'C7', 'C8', 'C9', 'C14', 'C15'],
  delivery: ['C4', 'C5', 'C6', 'C8', 'C9', 'C10', 'C14', 'C15'],
  revoker: ['C1', 'C2', 'C3', 'C11', 'C12', 'C13', 'C14', 'C15'],
  evidence: ['C14', 'C15', 'C16'],
} as const satisfies Record<string, readonly Failpoint[]>;

/** A service that passes failpoints. */
export type Victim = keyof typeof POINTS;
/** A server that Mayfly stands on. */
export type Server = 'openbao' | 'postgres' | 'kafka';

export type Fault =
  /** A service kills itself at a failpoint. */
  | { readonly kind: 'failpoint'; readonly service: Victim; readonly point: Failpoint }
  /** A service is killed at any moment. */
  | { readonly kind: 'kill'; readonly service: string; readonly afterMs: number }
  /** A server is killed at any moment. */
  | { readonly kind: 'server'; readonly server: Server; readonly afterMs: number }
  /** A service kills itself at a failpoint, and OpenBao dies within a tenth of a second. */
  | { readonly kind: 'double'; readonly service: Victim; readonly point: Failpoint; readonly afterMs: number }
  /** A service stands still at a failpoint, for longer than anything it holds, and then goes on as if nothing had been. */
  | { readonly kind: 'freeze'; readonly service: Victim; readonly point: Failpoint; readonly seconds: number }
  /** A wire between services and a server breaks for a while. */
  | { readonly kind: 'wire'; readonly wire: string; readonly how: Break; readonly afterMs: number; readonly seconds: number };

/** Between whom a wire may break; see deploy/local/wiring.mjs. */
const WIRES = [
  'vault.issuer',
  'vault.delivery',
  'vault.revoker',
  'vault',
  'postgres.issuer',
  'postgres.revoker',
  'postgres',
  'kafka',
  'target',
  'engine',
];
/** How it may break. `unheard`: what is asked takes effect, and the answer is lost. */
const BREAKS = ['cut', 'slow', 'hang', 'unheard'] as const;
export type Break = (typeof BREAKS)[number];

/** How likely each fault is; see {@link DEFAULT_WEIGHTS}. */
export type Weights = Readonly<Record<'failpoint' | 'kill' | 'double' | 'freeze' | 'wire' | Server, number>>;

/** As many kinds as possible in a short set, and mostly what happens most. */
export const DEFAULT_WEIGHTS: Weights = { failpoint: 50, kill: 8, double: 14, freeze: 4, wire: 10, openbao: 8, postgres: 3, kafka: 3 };

const SERVICES = ['issuer', 'delivery', 'revoker', 'drift', 'evidence', 'console'];

/** Draws one fault. */
export function drawFault(random: Random, weights: Weights): Fault {
  const kind = random.weighted(weights);
  const moment = () => random.between(0, 1_500);
  const victim = () => {
    const service = random.weighted({ issuer: 11, delivery: 8, revoker: 8, evidence: 2 });
    return { service, point: random.pick<Failpoint>(POINTS[service]) };
  };
  if (kind === 'failpoint') return { kind, ...victim() };
  if (kind === 'double') return { kind, ...victim(), afterMs: random.between(0, 60) };
  if (kind === 'freeze') return { kind, ...victim(), seconds: random.between(5, 45) };
  if (kind === 'wire')
    return { kind, wire: random.pick(WIRES), how: random.pick(BREAKS), afterMs: moment(), seconds: random.between(1, 8) };
  if (kind === 'kill') return { kind, service: random.pick(SERVICES), afterMs: moment() };
  return { kind: 'server', server: kind, afterMs: moment() };
}

/** In a few words. */
export function tell(fault: Fault): string {
  switch (fault.kind) {
    case 'failpoint':
      return `${fault.service} dies at ${fault.point}`;
    case 'double':
      return `${fault.service} dies at ${fault.point}, openbao ${fault.afterMs} ms later`;
    case 'freeze':
      return `${fault.service} stands still at ${fault.point} for ${fault.seconds} s`;
    case 'wire':
      return `wire ${fault.wire} ${fault.how} for ${fault.seconds} s after ${fault.afterMs} ms`;
    case 'kill':
      return `${fault.service} is killed after ${fault.afterMs} ms`;
    case 'server':
      return `${fault.server} is killed after ${fault.afterMs} ms`;
  }
}
