/** How far Vault's log is, as the reconcilers ask for it: by servers that say less than they should. */
import { afterEach, expect, test } from '@jest/globals';
import { VaultClient } from '../src/client.js';
import { storedMark } from '../src/stored-mark.js';
import { stubServer, type Reply, type StubServer } from './stub-server.js';

const LEADER = { ha_enabled: true, is_self: true, active_time: 'since', leader_cluster_address: 'here', raft_applied_index: 7 };
let stub: StubServer | undefined;
afterEach(() => stub?.stop());

async function markOf(reply: Reply): Promise<string | undefined> {
  stub = await stubServer(() => reply);
  return storedMark(new VaultClient(stub.address, 300));
}

test('is its place in the log of the active server, and asked without a token', async () => {
  expect(await markOf({ status: 200, body: LEADER })).toBe('here since 7');
  expect(stub?.asked).toMatchObject([{ method: 'GET', path: '/v1/sys/leader' }]);
  expect(stub?.asked[0]?.headers).not.toHaveProperty('x-vault-token');
});

test.each([
  ['a standby, which may have stayed behind', { status: 200, body: { ...LEADER, is_self: false } }],
  ['another storage, which has no such log', { status: 200, body: { ...LEADER, raft_applied_index: undefined } }],
  ['a log at its very beginning', { status: 200, body: { ...LEADER, raft_applied_index: 0 } }],
  ['nobody since when', { status: 200, body: { ...LEADER, active_time: '' } }],
  ['a server that is sealed', { status: 503, body: { errors: ['Vault is sealed'] } }],
  ['a server that refuses', { status: 403, body: { errors: ['permission denied'] } }],
  ['a server that breaks off', 'break'],
] satisfies [string, Reply][])('cannot be told by %s', async (_, reply) => expect(await markOf(reply)).toBeUndefined());
