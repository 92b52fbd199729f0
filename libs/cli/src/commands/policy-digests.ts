/**
 * `mayfly policy digests`
 * @module
 */
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { connectConsole } from '../console-client.js';
import { plain, table } from '../show.js';
import { answers, verb } from '../verb.js';

interface Listed {
  readonly policyDigest: string;
  readonly capabilities: readonly {
    readonly name: string;
    readonly state: 'as-declared' | 'differs' | 'not-declared' | 'not-read';
    readonly declared?: string;
    readonly found?: string | null;
    readonly differsSince?: string;
  }[];
}

/** Shows what each capability is in Vault, as the digest that the catalogue may declare. Fails while anything differs. */
export function addPolicyDigests(policy: Command, cli: Cli): void {
  verb(policy, 'digests', 'show what each capability is in Vault, as the `vaultDigest` to declare in the catalogue', [
    'policy digests',
    'policy digests --json',
  ])
    .option('--as <operator>', 'example operator to ask as')
    .action(
      answers(cli, async ({ as }: { readonly as?: string }) => {
        const listed = await (await connectConsole(cli, 'viewer', as)).get<Listed>('/v1/capabilities');
        return { data: listed, text: textOf(listed), failed: listed.capabilities.some(({ state }) => state === 'differs') };
      }),
    );
}

const WORDS = {
  'as-declared': 'as declared',
  differs: 'DIFFERS',
  'not-declared': 'not declared',
  'not-read': 'not read yet',
} as const;

function textOf({ capabilities }: Listed): string {
  const rows = capabilities.map(({ name, state, found, differsSince }) => [
    name,
    differsSince ? `${WORDS[state]} since ${differsSince.slice(0, 19).replace('T', ' ')}` : WORDS[state],
    found === undefined ? '-' : (found ?? 'its policy or role is not in Vault'),
  ]);
  const differing = capabilities.filter(({ state }) => state === 'differs').map(({ name, declared }) => `${name}: ${declared}`);
  const list = table(
    ['capability', 'Vault is', 'vaultDigest in Vault now'],
    rows.map((row) => row.map(plain)),
  );
  if (differing.length === 0) return list;
  return `${list}\n\nnothing is minted for what differs. Change Vault back, or declare what is there now; the catalogue declares\n  ${differing.join('\n  ')}`;
}
