/**
 * Settings from the environment, read once, frozen.
 * @module
 */
import { BadConfig } from '@mayfly/domain';
import { LOG_LEVELS } from '@mayfly/telemetry';
import { z } from 'zod';
import { DECIDER } from './policy-reader.js';
import { POLICY } from './policy-signers.js';
import { PROFILES, refusedInProduction } from './profile.js';
import { openFiles } from './secret-files.js';
import { unknownSettings } from './unknown-settings.js';

const list = z
  .string()
  .min(1)
  .transform((text) => text.split(',').map((part) => part.trim()));
/** A password that is there, but empty, was meant to be filled in. */
const databaseUrl = z
  .string()
  .min(1)
  .refine((text) => !/^[a-z]+:\/\/[^/?#]*:@/.test(text));
const port = z.coerce.number().int().min(0).max(65_535);

/** What every service needs; the keys are the environment's. */
export const BASE = {
  HTTP_HOST: z.string().min(1).default('127.0.0.1'),
  HTTP_PORT: port,
  KAFKA_BROKERS: list,
  KAFKA_TOPIC_PREFIX: z
    .string()
    .regex(/^[a-zA-Z0-9._-]+$/)
    .default('mayfly'),
  DATABASE_URL: databaseUrl,
  LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
  /** See {@link PROFILES}. */
  MAYFLY_PROFILE: z.enum(PROFILES).default('production'),
  /** Folder of armed failpoints, for crash tests only. */
  MAYFLY_FAILPOINTS: z.string().min(1).optional(),
};

/** What a service that reads what orchestrators send needs besides. */
export const EVENTS = {
  EVENT_AUDIENCE: z.string().min(1).max(256).optional(),
};

/** What this installation is called in signatures: an event that was signed for another one is refused. */
export const audienceOf = (settings: { readonly EVENT_AUDIENCE?: string | undefined; readonly KAFKA_TOPIC_PREFIX: string }): string =>
  settings.EVENT_AUDIENCE ?? settings.KAFKA_TOPIC_PREFIX;

/** What a service that talks to Vault needs besides. */
export const VAULT = {
  VAULT_ADDR: z.url({ protocol: /^https?$/ }),
  VAULT_JWT_FILE: z.string().min(1),
  VAULT_AUTH_MOUNT: z.string().min(1).default('jwt'),
  VAULT_ROLE: z.string().min(1),
  /** Most calls of Vault that this process has under way. */
  VAULT_MAX_IN_FLIGHT: z.coerce.number().int().min(1).max(1_000).default(32),
};

/** Files that settings name, by what would be lost. The targets file is looked at where it is read: it need not hold a secret. */
const FILES = {
  secret: ['VAULT_JWT_FILE', 'MAYFLY_PDP_TOKEN_FILE'],
  trusted: ['MAYFLY_TRUST_FILE', 'MAYFLY_TARGETS_FILE', 'MAYFLY_POLICY_KEYS_FILE'],
};

/**
 * Reads settings and refuses what would be unsafe or without effect: names meant for Mayfly that it does not have, secrets that are empty
 * or open to everybody, and what only the dev profile takes.
 * @throws BadConfig naming the keys that are missing or wrong, never their values
 */
export function readSettings<Shape extends z.ZodRawShape>(shape: Shape, env: NodeJS.ProcessEnv): Readonly<z.infer<z.ZodObject<Shape>>> {
  const unknown = unknownSettings(env, [
    ...Object.keys(BASE),
    ...Object.keys(VAULT),
    ...Object.keys(EVENTS),
    ...Object.keys(POLICY),
    ...Object.keys(DECIDER),
    ...Object.keys(shape),
  ]);
  const parsed = z.object(shape).safeParse(env);
  if (!parsed.success) {
    const keys = [...new Set(parsed.error.issues.map((issue) => issue.path.join('.')))];
    throw new BadConfig([`these settings are missing or wrong in the environment: ${keys.join(', ')}`, ...unknown].join('; '));
  }
  const settings: Readonly<Record<string, unknown>> = parsed.data;
  const refused = settings['MAYFLY_PROFILE'] === 'dev' ? [] : refusedInProduction(settings, Object.keys(shape));
  const faults = [...unknown, ...openFiles(filesOf(settings, FILES.secret), filesOf(settings, FILES.trusted)), ...refused];
  if (faults.length > 0) throw new BadConfig(faults.join('; '));
  return Object.freeze(parsed.data);
}

const filesOf = (settings: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.flatMap((name) => (typeof settings[name] === 'string' ? [[name, settings[name]]] : [])));
