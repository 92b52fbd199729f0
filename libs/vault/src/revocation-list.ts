/**
 * Reading a certificate revocation list (RFC 5280, section 5.1) far enough to know whether a serial number stands on it.
 * @module
 */

interface Part {
  readonly tag: number;
  readonly content: Buffer;
}

/** The parts of a constructed DER value. @throws RangeError for bytes that are none */
function* partsOf(bytes: Buffer): Generator<Part> {
  for (let at = 0; at < bytes.length;) {
    const tag = bytes.readUInt8(at);
    let length = bytes.readUInt8(at + 1);
    at += 2;
    if (length & 0x80) {
      const count = length & 0x7f;
      length = bytes.readUIntBE(at, count);
      at += count;
    }
    yield { tag, content: bytes.subarray(at, at + length) };
    at += length;
  }
}

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const TIMES = [0x17, 0x18];

/** True when the list, in PEM, holds the serial number (`aa:bb:…`). @throws RangeError for a text that is no such list */
export function isOnList(pem: string, serialNumber: string): boolean {
  const bytes = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
  const [list] = [...partsOf(bytes)];
  const [signed] = list ? [...partsOf(list.content)] : [];
  if (!signed) throw new RangeError('no revocation list');
  const parts = [...partsOf(signed.content)];
  // Version, algorithm and issuer come first; then one or two times; then the revoked certificates, if there are any.
  const lastTime = parts.findLastIndex(({ tag }) => TIMES.includes(tag));
  const revoked = parts[lastTime + 1];
  if (lastTime < 0) throw new RangeError('no revocation list');
  if (revoked?.tag !== SEQUENCE) return false;
  const wanted = canonical(Buffer.from(serialNumber.replaceAll(':', ''), 'hex'));
  for (const entry of partsOf(revoked.content)) {
    const [serial] = partsOf(entry.content);
    if (serial?.tag === INTEGER && canonical(serial.content) === wanted) return true;
  }
  return false;
}

/** DER puts a zero in front of a number whose first bit is set; serial numbers are compared without. */
const canonical = (serial: Buffer): string => serial.toString('hex').replace(/^(00)+/, '');
