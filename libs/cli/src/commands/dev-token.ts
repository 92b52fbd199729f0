/**
 * `mayfly dev token`
 * @module
 */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { seconds } from '../durations.js';
import { known, readEndpoints } from '../endpoints.js';
import { WrongUsage } from '../errors.js';
import { answers, verb } from '../verb.js';

/** Life of a token that nobody wished otherwise, in seconds. */
export const TOKEN_SECONDS = 3600;
/** Audience of the delivery service. */
export const AUDIENCE = 'mayfly';

interface Options {
  readonly agent?: string;
  readonly key?: string;
  readonly sub?: string;
  readonly aud: string;
  readonly ttl: number;
  readonly dpop?: string;
}

/** Gives an agent's token of the dev trust domain. */
export function addDevToken(dev: Command, cli: Cli): void {
  verb(dev, 'token', "print a JWT-SVID of the dev trust domain, in place of the workload's own", [
    'dev token --agent spiffe://example.org/agent/etl',
    'dev token --agent spiffe://example.org/agent/etl --ttl -5m   (one that is over)',
    'dev token --agent spiffe://example.org/agent/etl --dpop own.pem   (of use only with proofs by that key)',
    'dev token --agent spiffe://example.org/agent/etl --key other.jwk   (one that nobody trusts)',
  ])
    .option('--agent <id>', "the agent's SPIFFE ID")
    .option('--key <file>', "private key to sign with, JWK or PEM; default: the dev trust domain's")
    .option('--sub <text>', 'another subject than the agent')
    .option('--aud <text>', 'audience', AUDIENCE)
    .option('--dpop <file>', 'bind it to this private key of the agent, JWK or PEM (RFC 9449)')
    .option('--ttl <time>', 'life of the token', seconds, TOKEN_SECONDS)
    .action(
      answers(cli, async ({ agent, key, sub, aud, ttl, dpop }: Options) => {
        const subject = sub ?? agent;
        if (subject === undefined) throw new WrongUsage('whose token? give --agent spiffe://example.org/agent/etl');
        const { signSvid } = await import('../sign-svid.js');
        const keyFile = key === undefined ? known(readEndpoints(cli), 'agentKeyFile') : resolve(cli.cwd, key);
        const { token, expiresAt } = await signSvid(keyFile, {
          subject,
          audience: aud,
          ttlSeconds: ttl,
          boundTo: dpop === undefined ? undefined : resolve(cli.cwd, dpop),
        });
        return { data: { token, subject, audience: aud, expiresAt }, text: token };
      }),
    );
}
