/**
 * Settings from the environment, read once, frozen.
 * @module
 */
import { BadConfig } from '@mayfly/domain';
import { LOG_LEVELS } from '@mayfly/telemetry';
import { z } from 'zod';

const list = z
  .string()
  .min(1)
  .transform((text) => text.split(',').map((part) => part.trim()));
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
  DATABASE_URL: z.string().min(1),
  LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
  /** Folder of armed failpoints, for crash tests only. */
  MAYFLY_FAILPOINTS: z.string().min(1).optional(),
};

/** What a service that talks to Vault needs besides. */
export const VAULT = {
  VAULT_ADDR: z.url({ protocol: /^https?$/ }),
  VAULT_JWT_FILE: z.string().min(1),
  VAULT_AUTH_MOUNT: z.string().min(1).default('jwt'),
  VAULT_ROLE: z.string().min(1),
};

/**
 * Reads settings; keys that the service does not know are none of its business.
 * @throws BadConfig naming the keys that are missing or wrong, never their values
 */
export function readSettings<Shape extends z.ZodRawShape>(shape: Shape, env: NodeJS.ProcessEnv): Readonly<z.infer<z.ZodObject<Shape>>> {
  const parsed = z.object(shape).safeParse(env);
  if (parsed.success) return Object.freeze(parsed.data);
  const keys = [...new Set(parsed.error.issues.map((issue) => issue.path.join('.')))];
  throw new BadConfig(`these settings are missing or wrong in the environment: ${keys.join(', ')}`);
}
