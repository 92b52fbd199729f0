import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';

const deploy = (file: string): string => readFileSync(new URL(`../../../deploy/${file}`, import.meta.url), 'utf8');
const lines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

it('gives the provisioner the same rights in HashiCorp Vault as in OpenBao', () => {
  const inTemplate = /<<-EOT\n(.*?)\n\s+EOT/s.exec(deploy('openbao/server.hcl.tmpl'))?.[1];
  expect(lines(deploy('vault/provisioner.hcl'))).toEqual(lines(inTemplate!));
});
