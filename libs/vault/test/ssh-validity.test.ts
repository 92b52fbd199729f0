import { describe, expect, it } from '@jest/globals';
import { sshValidBefore } from '../src/engines/ssh-validity.js';

const field = (bytes: string | Buffer): Buffer => {
  const content = Buffer.from(bytes as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
};
const seconds = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
};
/** The fields up to the end of validity, as OpenSSH's PROTOCOL.certkeys orders them. */
function certificate(validBefore: bigint, type = 'ssh-ed25519-cert-v01@openssh.com', cut = 0): string {
  const head = [field(type), field(Buffer.alloc(32)), field(Buffer.alloc(32, 1)), seconds(7n), Buffer.from([0, 0, 0, 1])];
  const bytes = Buffer.concat([...head, field('token-g'), field(field('mayfly')), seconds(1n), seconds(validBefore)]);
  return `${type} ${bytes.subarray(0, bytes.length - cut).toString('base64')} comment\n`;
}

describe('the end of an SSH certificate', () => {
  it('is read from its own bytes', () => {
    expect(sshValidBefore(certificate(1_795_369_080n))).toEqual(new Date(1_795_369_080_000));
  });

  it.each([
    ['one for ever', certificate(0xffff_ffff_ffff_ffffn)],
    ['another kind of key', certificate(1n, 'ssh-rsa-cert-v01@openssh.com')],
    ['one that is cut off', certificate(1n, undefined, 3)],
    ['a plain key', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA=='],
    ['nothing', ''],
    ['lengths beyond the text', `x ${Buffer.alloc(64, 255).toString('base64')}`],
  ])('is unknown for %s', (_, text) => {
    expect(sshValidBefore(text)).toBeUndefined();
  });
});
