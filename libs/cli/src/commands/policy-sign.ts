/**
 * `mayfly policy sign`
 * @module
 */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { describeSet, readFolder } from '../policy-folder.js';
import { signPolicySet } from '../sign-policy-set.js';
import { answers, verb } from '../verb.js';

interface Options {
  readonly key: string;
  readonly out: string;
  readonly jwks?: string;
}

/** Signs a folder's policy set on this machine: the key never leaves it. */
export function addPolicySign(policy: Command, cli: Cli): void {
  verb(policy, 'sign <folder>', "sign a folder's policy set, so that Mayfly may use it; needs no running stack", [
    'policy sign deploy/policies/example --key policy.pem --out set.jws',
    'policy sign deploy/policies/example --key policy.pem --out set.jws --jwks policy-keys.json',
  ])
    .requiredOption('--key <file>', 'the private key (JWK or PEM; EC or Ed25519)')
    .requiredOption('--out <file>', 'where the signature goes')
    .option('--jwks <file>', 'write the public key too, as MAYFLY_POLICY_KEYS_FILE wants it')
    .action(
      answers(cli, async (folder: string, { key, out, jwks }: Options) => {
        const set = await readFolder(cli, folder);
        const { signature, publicKey } = await signPolicySet(set.digest, resolve(cli.cwd, key));
        await writeFile(resolve(cli.cwd, out), `${signature}\n`);
        if (jwks !== undefined) await writeFile(resolve(cli.cwd, jwks), `${JSON.stringify({ keys: [publicKey] }, null, 2)}\n`);
        const data = { policyDigest: set.digest, signer: publicKey['kid'], out, ...(jwks !== undefined && { jwks }) };
        return { data, text: `signed by ${publicKey['kid'] ?? ''}: ${describeSet(set)}` };
      }),
    );
}
