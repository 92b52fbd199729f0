import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { append, type EvidenceRecord } from '@mayfly/evidence-log';
import { startWorld } from './world.js';

const COUNT = 1201;
const LOG: readonly EvidenceRecord[] = Array.from({ length: COUNT }).reduce<EvidenceRecord[]>((log, _, at) => {
  log.push(
    append(log.at(-1), { kind: 'k', at: '2026-01-01T00:00:00.000Z', taskId: at % 3 ? 'other' : 'etl-1', by: 'issuer', data: { at } }),
  );
  return log;
}, []);
const headAt = (size: number) => ({ size, hash: LOG[size - 1]?.hash });

let world: Awaited<ReturnType<typeof startWorld>>;
afterEach(() => world.close());
const setup = async (log: readonly EvidenceRecord[], checkpoint: object = headAt(COUNT)) => {
  world = await startWorld({
    'GET /v1/evidence': ({ query }) => {
      const from = Number(query.get('from'));
      return { records: log.slice(from, from + Number(query.get('limit'))), checkpoint };
    },
    'GET /v1/tasks/etl-1/evidence': () => ({ taskId: 'etl-1', records: log.filter(({ taskId }) => taskId === 'etl-1'), checkpoint }),
  });
};
const edited = LOG.map((record) => (record.index === 900 ? { ...record, data: { at: 'edited' } } : record));

describe('evidence verify', () => {
  it('reads the whole log page by page and gives its head', async () => {
    await setup(LOG);
    expect(await world.run(['evidence', 'verify'])).toMatchObject({
      code: 0,
      out: `intact: ${COUNT} records, head ${COUNT}:${headAt(COUNT).hash}\n`,
    });
  });

  it('finds an edited record', async () => {
    await setup(edited);
    expect(await world.run(['evidence', 'verify'])).toMatchObject({
      code: 1,
      out: 'NOT INTACT at record 900: its content is not what its hash covers\n',
    });
    const { out } = await world.run(['evidence', 'verify', '--json']);
    expect(JSON.parse(out)).toMatchObject({ intact: false, flaw: { index: 900, problem: 'content-changed' } });
  });

  it('finds a removed record, and an end that is hidden', async () => {
    await setup(LOG.filter(({ index }) => index !== 700));
    expect((await world.run(['evidence', 'verify'])).out).toContain('NOT INTACT at record 700: a record is missing');
    await world.close();
    await setup(LOG.slice(0, 800));
    expect((await world.run(['evidence', 'verify'])).out).toContain('NOT INTACT at record 800: the log ends here');
  });

  it('finds a log that was made again, by a head that was noted earlier', async () => {
    const other = LOG.reduce<EvidenceRecord[]>(
      (log, { index, previousHash, hash, ...fact }) => [...log, append(log.at(-1), { ...fact, by: 'eve' })].slice(0, 20),
      [],
    );
    await setup(other, { size: 20, hash: other[19]?.hash });
    expect(await world.run(['evidence', 'verify'])).toMatchObject({ code: 0 });
    expect(await world.run(['evidence', 'verify', '--head', `10:${headAt(10).hash}`])).toMatchObject({
      code: 1,
      out: expect.stringContaining('NOT INTACT at record 9'),
    });
    expect(await world.run(['evidence', 'verify', '--head', `30:${headAt(30).hash}`])).toMatchObject({
      code: 1,
      out: expect.stringContaining('NOT INTACT at record 20'),
    });
  });
});

describe('evidence export', () => {
  it("writes a task's records, which can be checked without the stack", async () => {
    await setup(LOG);
    expect(await world.run(['evidence', 'export', 'etl-1', '--out', 'pack.json'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('401 records'),
    });
    expect(await world.run(['evidence', 'verify', 'pack.json'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('intact: 401 records of task etl-1'),
    });
  });

  it('finds an edited, foreign or doubled record in the file', async () => {
    await setup(LOG);
    await world.run(['evidence', 'export', 'etl-1', '--out', 'pack.json']);
    const pack = JSON.parse(readFileSync(join(world.home, 'pack.json'), 'utf8')) as { records: EvidenceRecord[] };
    const verify = async (records: readonly (EvidenceRecord | undefined)[]) => {
      writeFileSync(join(world.home, 'bad.json'), JSON.stringify({ ...pack, records }));
      const { code, out } = await world.run(['evidence', 'verify', 'bad.json']);
      return [code, out];
    };
    expect(await verify(edited.filter(({ taskId }) => taskId === 'etl-1'))).toEqual([
      1,
      expect.stringContaining('record 900: its content'),
    ]);
    expect(await verify([LOG[1]])).toEqual([1, expect.stringContaining('record 1: it is about another task')]);
    expect(await verify([LOG[3], LOG[3]])).toEqual([1, expect.stringContaining('record 3: the records are not in order')]);
  });

  it('says so when the file is no evidence', async () => {
    await setup(LOG);
    expect(await world.run(['evidence', 'verify', 'dev.json'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('is no evidence file'),
    });
  });
});
