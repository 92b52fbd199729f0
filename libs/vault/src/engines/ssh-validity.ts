/**
 * When an SSH certificate ends, from its own bytes (OpenSSH PROTOCOL.certkeys).
 * @module
 */

const TYPE = 'ssh-ed25519-cert-v01@openssh.com';
/** The largest time that a Date can hold, in seconds. A certificate "for ever" is beyond it. */
const LAST_SECOND = 8_640_000_000_000n;

/** The end of an Ed25519 certificate's validity; undefined when the text is no such certificate, or one without an end. */
export function sshValidBefore(certificate: string): Date | undefined {
  const bytes = Buffer.from(certificate.trim().split(/\s+/)[1] ?? '', 'base64');
  let at = 0;
  const skip = (count: number): void => void (at += count);
  const field = (): Buffer => {
    const length = bytes.readUInt32BE(at);
    skip(4 + length);
    return bytes.subarray(at - length, at);
  };
  try {
    if (field().toString() !== TYPE) return undefined;
    field(); // nonce
    field(); // public key
    skip(8 + 4); // serial number, kind
    field(); // key id
    field(); // principals
    skip(8); // valid after
    const validBefore = bytes.readBigUInt64BE(at);
    return validBefore <= LAST_SECOND ? new Date(Number(validBefore) * 1000) : undefined;
  } catch {
    return undefined; // a length leads beyond the end
  }
}
