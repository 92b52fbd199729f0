import { expect, test } from '@jest/globals';
import { CAUSES, type Capability, type Cause } from '@mayfly/domain';
import type { Lease } from '@mayfly/grant';
import { taints } from '@mayfly/revocation';
import { doomed, NOW } from './world.js';

const { lease } = doomed('static');
const read: Lease = { ...lease, deliveredAt: NOW, principal: 'secret/report#3', cause: 'operator' };
const without = (field: keyof Lease): Lease => ({ ...read, [field]: undefined });
const tainting = { compensation: 'taint' } as const;

test.each(CAUSES.map((cause): [Cause, boolean] => [cause, ['behaviour_drift', 'risk_signal', 'operator'].includes(cause)]))(
  'an end for %s, of what was read, taints it: %s',
  (cause, does) => expect(taints(tainting, { ...read, cause })).toBe(does),
);

test.each<[string, Pick<Capability, 'compensation'>, Lease]>([
  ['whose capability asks for no taint', {}, read],
  ['that was never handed out', tainting, without('deliveredAt')],
  ['of which nobody knows what it was', tainting, without('principal')],
  ['that has no cause yet', tainting, without('cause')],
])('a lease %s taints nothing', (_, capability, ended) => expect(taints(capability, ended)).toBe(false));
