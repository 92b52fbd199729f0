import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { append, hashOf, type EvidenceRecord } from '@mayfly/evidence-log';
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
      out: expect.stringContaining('consistent: 401 records of task etl-1'),
    });
  });

  it('of a task without evidence is refused, and nothing is written', async () => {
    await setup(LOG.filter(({ taskId }) => taskId !== 'etl-1'));
    const { code, err } = await world.run(['evidence', 'export', 'etl-1', '--out', 'pack.json']);
    expect([code, err]).toEqual([1, expect.stringMatching(/npx mayfly.*\(task-not-found\)/)]);
    expect(existsSync(join(world.home, 'pack.json'))).toBe(false);
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

describe('an exported file', () => {
  interface Pack {
    taskId: string;
    records: EvidenceRecord[];
    checkpoint: { size: number; hash?: string | undefined };
  }
  const HEAD = `${COUNT}:${headAt(COUNT).hash}`;
  const changed = async (change: (pack: Pack) => void) => {
    await setup(LOG);
    await world.run(['evidence', 'export', 'etl-1', '--out', 'pack.json']);
    const pack = JSON.parse(readFileSync(join(world.home, 'pack.json'), 'utf8')) as Pack;
    change(pack);
    writeFileSync(join(world.home, 'pack.json'), JSON.stringify(pack));
  };
  const verify = (...more: readonly string[]) => world.run(['evidence', 'verify', 'pack.json', ...more]);
  const rehashed = ({ hash, ...content }: EvidenceRecord): EvidenceRecord => {
    const forged = { ...content, data: { at: 'forged' } };
    return { ...forged, hash: hashOf(forged) };
  };

  it('alone is not called complete, nor intact', async () => {
    await changed(({ records }) => records.splice(200, 1));
    const { code, out } = await verify();
    expect(code).toBe(0);
    expect(out).toContain('the file alone cannot tell');
    expect(out).not.toMatch(/intact|unaltered/i);
    expect(JSON.parse((await verify('--json')).out)).toEqual({
      consistent: true,
      complete: null,
      taskId: 'etl-1',
      records: 400,
      checkpoint: headAt(COUNT),
    });
  });

  const NONSENSE: readonly [string, (pack: Pack) => void][] = [
    ['no records', (pack) => (pack.records = [])],
    ['a checkpoint that is no hash', (pack) => (pack.checkpoint.hash = 'nonsense')],
    ['a checkpoint of no size', (pack) => (pack.checkpoint.size = -1)],
    ['no checkpoint', (pack) => delete (pack as Partial<Pack>).checkpoint],
    ['a record that is none', (pack) => (pack.records[3] = null as never)],
  ];
  it.each(NONSENSE)('with %s fails', async (_, change) => {
    await changed(change);
    expect(await verify()).toMatchObject({ code: 1, err: expect.stringMatching(/no evidence file.*evidence export/) });
  });

  it('with a head is complete when it has exactly what the log has', async () => {
    await changed(() => undefined);
    expect(await verify('--head', HEAD)).toMatchObject({ code: 0, out: expect.stringContaining('complete: 401 records of task etl-1') });
    expect(JSON.parse((await verify('--head', HEAD, '--json')).out)).toMatchObject({ complete: true, records: 401 });
  });

  const DIFFERENT: readonly [string, (pack: Pack) => unknown, object[]][] = [
    ['the first is missing', ({ records }) => records.shift(), [{ index: 0, problem: 'missing' }]],
    ['one in the middle is missing', ({ records }) => records.splice(200, 1), [{ index: 600, problem: 'missing' }]],
    ['the last is missing', ({ records }) => records.pop(), [{ index: 1200, problem: 'missing' }]],
    ['one was made anew with its hash', ({ records }) => (records[5] = rehashed(records[5]!)), [{ index: 15, problem: 'differs' }]],
    [
      'one was invented',
      ({ records }) => records.splice(1, 0, rehashed({ ...records[0]!, index: 1, previousHash: LOG[0]!.hash })),
      [{ index: 1, problem: 'not-in-log' }],
    ],
    [
      'the end is cut off, and the checkpoint moved before it',
      (pack) => {
        pack.records.splice(399);
        pack.checkpoint = headAt(1197);
      },
      [
        { index: 1197, problem: 'missing' },
        { index: 1200, problem: 'missing' },
      ],
    ],
    ['the checkpoint is another', ({ checkpoint }) => (checkpoint.size += 7), [{ index: COUNT + 7, problem: 'checkpoint-differs' }]],
  ];
  it.each(DIFFERENT)('with a head is compared with the log: %s', async (_, change, differences) => {
    await changed(change);
    expect((await verify()).code).toBe(0);
    const { code, out } = await verify('--head', HEAD, '--json');
    expect([code, JSON.parse(out)]).toEqual([1, expect.objectContaining({ complete: false, differences })]);
    const [first] = differences as { index: number }[];
    expect((await verify('--head', HEAD)).out).toContain(`NOT THE LOG at record ${first?.index}: `);
  });

  it('is not vouched for beyond the head, nor by a log that is not the one of the head', async () => {
    await changed(({ records }) => records.splice(3));
    expect(await verify('--head', `4:${headAt(4).hash}`)).toMatchObject({
      code: 1,
      out: 'NOT THE LOG at record 6: it is newer than the head that was given\n',
    });
    expect(await verify('--head', `8:${headAt(4).hash}`)).toMatchObject({
      code: 1,
      out: 'the log is NOT INTACT at record 7: the log was another one when this head was noted\n',
    });
  });
});
