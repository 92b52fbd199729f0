/**
 * docker-compose.yml as the tests read it: strict about form, with every key that the file uses and no other.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

const root = new URL('../../', import.meta.url);

/** A file of the repository. */
export const repoFile = (path: string): string => readFileSync(new URL(path, root), 'utf8');

const duration = z.string().regex(/^\d+(ms|s|m)$/);
const use = z.union([z.string(), z.strictObject({ source: z.string(), target: z.string() })]);
const healthcheck = z.union([
  z.strictObject({ disable: z.literal(true) }),
  z.strictObject({
    test: z.tuple([z.literal('CMD')]).rest(z.string()),
    interval: duration,
    timeout: duration,
    retries: z.int().positive(),
    start_period: duration,
  }),
]);

const service = z.strictObject({
  image: z.string(),
  build: z.strictObject({ context: z.literal('.'), target: z.string() }).optional(),
  user: z.string(),
  read_only: z.literal(true),
  cap_drop: z.tuple([z.literal('ALL')]),
  security_opt: z.tuple([z.literal('no-new-privileges:true')]),
  pids_limit: z.int().positive(),
  restart: z.enum(['no', 'unless-stopped']),
  logging: z.strictObject({ driver: z.literal('local') }),
  entrypoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  init: z.boolean().optional(),
  shm_size: z.string().optional(),
  stop_grace_period: duration.optional(),
  environment: z.record(z.string().regex(/^[A-Z][A-Z0-9_]*$/), z.string()).default({}),
  ports: z.array(z.string().regex(/^127\.0\.0\.1:\d+:\d+$/)).default([]),
  tmpfs: z.array(z.string().startsWith('/')).default([]),
  volumes: z.array(z.string().regex(/^\.\/\.mayfly\/compose\/[\w/]+:\/[\w/]+(:ro)?$/)).default([]),
  configs: z.array(z.strictObject({ source: z.string(), target: z.string().startsWith('/etc/mayfly/') })).default([]),
  secrets: z.array(use).default([]),
  depends_on: z
    .record(z.string(), z.strictObject({ condition: z.enum(['service_healthy', 'service_completed_successfully']) }))
    .default({}),
  healthcheck,
});

const files = z.record(z.string(), z.strictObject({ file: z.string() }));
const form = z.strictObject({ name: z.string(), services: z.record(z.string(), service), configs: files, secrets: files });

/** One container of the file. */
export type ComposeService = z.infer<typeof service>;

/** The file with its merges done. `x-…` keys are only for them. */
export function readCompose(): z.infer<typeof form> {
  const raw = parse(repoFile('docker-compose.yml'), { merge: true }) as Record<string, unknown>;
  return form.parse(Object.fromEntries(Object.entries(raw).filter(([key]) => !key.startsWith('x-'))));
}

/** Where a container finds what it was given, by path. */
export const mountedPaths = ({ volumes, configs, secrets, tmpfs }: ComposeService): string[] => [
  ...volumes.map((volume) => volume.split(':')[1] as string),
  ...configs.map(({ target }) => target),
  ...secrets.map((given) => `/run/secrets/${typeof given === 'string' ? given : given.target}`),
  ...tmpfs,
];

/** A container that ends by itself. */
export const isJob = (given: ComposeService): boolean => given.restart === 'no';
