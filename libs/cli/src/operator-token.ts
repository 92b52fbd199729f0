/**
 * Proof of the person at the command line.
 * @module
 */
import { MayflyError } from '@mayfly/domain';
import type { Cli } from './cli.js';
import { known, type Endpoints } from './endpoints.js';

/**
 * A token for the console: `MAYFLY_OPERATOR_TOKEN`, else the dev profile's issuer gives one (an example operator's name is the password).
 * @param given the name of `--as`, if one was given; it goes before the environment
 * @param least the example operator that may just do it
 */
export async function operatorToken(cli: Pick<Cli, 'env'>, endpoints: Endpoints, least: string, given?: string): Promise<string> {
  const token = cli.env['MAYFLY_OPERATOR_TOKEN'];
  if (token !== undefined && given === undefined) return token.trim();
  const name = given ?? least;
  const response = await fetch(`${known(endpoints, 'issuer')}/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'password', username: name, password: name }),
    signal: AbortSignal.timeout(5_000),
  }).catch((error: unknown) => {
    throw new MayflyError(
      'issuer-unreachable',
      'the dev identity provider does not answer; see npx mayfly doctor',
      503,
      true,
      {},
      { cause: error },
    );
  });
  if (!response.ok)
    throw new MayflyError(
      'unknown-operator',
      `there is no example operator \`${name}\`; use viewer, approver1, approver2, operator or admin`,
      403,
      false,
    );
  const { access_token: given_ } = (await response.json()) as { access_token: string };
  return given_;
}
