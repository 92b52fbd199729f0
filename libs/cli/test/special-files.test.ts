import { execFileSync } from 'node:child_process';
import { cpSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startWorld } from './world.js';

const mkfifo = (path: string) => execFileSync('mkfifo', [path]);

let world: Awaited<ReturnType<typeof startWorld>>;
beforeEach(async () => {
  world = await startWorld({});
});
afterEach(() => world.close());

describe('what is no regular file is refused at once', () => {
  it.each([
    ['task start', ['task', 'start', '--file']],
    ['evidence verify', ['evidence', 'verify']],
  ])('%s: a named pipe, a device and a folder', async (_, command) => {
    mkfifo(join(world.home, 'pipe'));
    for (const file of ['pipe', '/dev/zero', '.'])
      expect(await world.run([...command, file])).toMatchObject({ code: 1, out: '', err: expect.stringContaining('is no regular file') });
  });

  describe('policy check', () => {
    const at = (...path: readonly string[]) => join(world.home, 'set', ...path);
    beforeEach(() => cpSync('deploy/policies/example', at(), { recursive: true }));
    const check = () => world.run(['policy', 'check', 'set']);

    it('takes the folder as it is', async () => {
      expect(await check()).toMatchObject({ code: 0 });
    });

    it('a named pipe among the policies', async () => {
      mkfifo(at('policies', 'pipe.cedar'));
      expect(await check()).toMatchObject({ code: 1, err: expect.stringContaining('policies/pipe.cedar: is no regular file') });
    });

    it('a link among the policies, whatever it leads to', async () => {
      symlinkSync(at('schema.cedarschema'), at('policies', 'link.cedar'));
      expect(await check()).toMatchObject({ code: 1, err: expect.stringContaining('policies/link.cedar: is no regular file') });
    });

    it('a link in the place of the catalogue', async () => {
      renameSync(at('catalogue.yaml'), at('elsewhere.txt'));
      symlinkSync('elsewhere.txt', at('catalogue.yaml'));
      expect(await check()).toMatchObject({ code: 1, err: expect.stringContaining('catalogue.yaml: is no regular file') });
    });

    it('a link in the place of the folder of policies', async () => {
      rmSync(at('policies'), { recursive: true });
      symlinkSync(join(process.cwd(), 'deploy/policies/example/policies'), at('policies'));
      expect(await check()).toMatchObject({ code: 1, err: expect.stringContaining('policies: is no folder') });
    });
  });
});
