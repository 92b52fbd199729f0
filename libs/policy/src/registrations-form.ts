/**
 * The form of `registrations.yaml`.
 * @module
 */
import { publicKeyForm } from '@mayfly/identity';
import { z } from 'zod';
import { quotasForm } from './quotas.js';

/** Names of people's making: no spaces or control characters, so that they can be shown and logged as they are. */
const word = z
  .string()
  .max(256)
  .regex(/^[\x21-\x7e]+$/, 'is visible ASCII without spaces');
/** As words, but an OIDC subject may have spaces inside. */
const identity = z
  .string()
  .max(2048)
  .regex(/^[\x21-\x7e]+( [\x21-\x7e]+)*$/, 'is visible ASCII, without spaces around it');
/** What an orchestrator may call an initiator: one line. */
const person = z
  .string()
  .min(1)
  .max(2048)
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'is one line of visible characters');
const seconds = z.int().positive().max(31_536_000);
const keys = z.array(publicKeyForm).max(16);

const amount = z.int().positive();
const times = z.int().positive().max(1_000_000);

/** The ladder only goes down: who is narrowed was warned, or could have been. */
const behaviour = z
  .strictObject({ warn: times.optional(), narrow: times.optional(), suspend: times.optional(), revoke: times.optional() })
  .refine(
    ({ warn, narrow, suspend, revoke }) => {
      const said = [warn, narrow, suspend, revoke].filter((threshold) => threshold !== undefined);
      return said.every((threshold, i) => i === 0 || threshold > said[i - 1]!);
    },
    { message: 'each threshold is higher than the one before: warn, narrow, suspend, revoke' },
  );

const workflow = z.strictObject({
  name: word,
  agents: z.array(identity).min(1),
  maxDurationSeconds: seconds,
  heartbeatTimeoutSeconds: seconds.optional(),
  breaker: z.strictObject({ failures: z.int().positive().max(1_000), withinSeconds: seconds, openForSeconds: seconds }).optional(),
  environment: word.optional(),
  autonomyTier: z.int().min(0).max(5).optional(),
  budgets: z
    .strictObject({ calls: amount.optional(), rows: amount.optional(), bytes: amount.optional(), mints: amount.optional() })
    .optional(),
  behaviour: behaviour.optional(),
});
const orchestrator = z
  .strictObject({
    tenant: word,
    signatures: z.enum(['required', 'accepted']).default('required'),
    keys: keys.default([]),
    workflows: z.array(workflow),
    quotas: quotasForm.optional(),
  })
  .refine(({ signatures, keys: own }) => signatures === 'accepted' || own.length > 0, {
    path: ['keys'],
    message: 'signatures are required, so at least one public key is; or say `signatures: accepted`',
  });

/** The whole file. Unknown keys are refused. */
export const registrationsForm = z.strictObject({
  orchestrators: z.record(word, orchestrator),
  agents: z.record(
    identity,
    z.strictObject({ tenant: word, status: z.enum(['active', 'suspended']), owner: word, quotas: quotasForm.optional() }),
  ),
  tenants: z.record(word, z.strictObject({ quotas: quotasForm })).default({}),
  offboarded: z.array(person).max(100_000).default([]),
  transmitters: z.record(word, z.strictObject({ tenant: word, audience: word.optional(), keys: keys.min(1) })).default({}),
});
/** What it says, form only. */
export type RegistrationsText = z.infer<typeof registrationsForm>;
/** One workflow as it is written. */
export type WorkflowText = z.infer<typeof workflow>;
