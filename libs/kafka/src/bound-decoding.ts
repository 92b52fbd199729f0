/**
 * Bounds what one fetched batch can cost, which kafkajs 2.2.4 does not.
 *
 * It unpacks gzip without a limit (1 MiB becomes 1 GiB), and a codec that it lacks throws: the consumer then crashes at the same offset
 * for ever. And it copies all headers anew for each header of a record: 5,000 of them hold the process for 14 seconds (measured). What
 * cannot be unpacked becomes records that say so, one for each that was there, so that they are parked and the partition moves on.
 * @module
 */
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import kafkajs from 'kafkajs';
import { unreadableRecords } from './unreadable-records.js';

/** A batch may be so large once it is unpacked, in bytes. A topic takes batches of 1 MiB, packed. */
export const MAX_UNPACKED_BYTES = 16 * 1024 * 1024;
/** Headers of a record that are read; what has more is parked for having too many. */
export const MAX_READ_HEADERS = 256;

type Unpack = (packed: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;
interface Decoder {
  readVarInt(): number;
}

/** Replaces the codecs and the reading of headers, for every client of this process. */
export function boundDecoding(): void {
  const { CompressionCodecs: codecs, CompressionTypes: types } = kafkajs;
  const gzip = promisify(zlib.gzip);
  const compress = ({ buffer }: { buffer: Buffer }): Promise<Buffer> => gzip(buffer);
  codecs[types.GZIP] = () => ({ compress, decompress: unpacking(promisify(zlib.unzip)) });
  codecs[types.ZSTD] = () => ({ decompress: unpacking(promisify(zlib.zstdDecompress)) });
  for (const lacking of [types.Snappy, types.LZ4] as const)
    codecs[lacking] = () => ({ decompress: unpacking(() => Promise.reject(new Error())) });
  boundHeaders();
}

const unpacking =
  (unpack: Unpack) =>
  async (packed: Buffer): Promise<Buffer> => {
    try {
      return await unpack(packed, { maxOutputLength: MAX_UNPACKED_BYTES });
    } catch {
      // The number of records stands right before the packed bytes of the batch.
      return unreadableRecords(new DataView(packed.buffer, packed.byteOffset - 4, 4).getInt32(0));
    }
  };

/** Headers are the last part of a record, so the rest of them can be left unread. */
function boundHeaders(): void {
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/protocol/decoder') as { prototype: Decoder & Record<string, unknown> };
  if (typeof prototype['readVarIntArray'] !== 'function') return;
  prototype['readVarIntArray'] = function readVarIntArray<T>(this: Decoder, reader: (decoder: Decoder) => T): T[] {
    return Array.from({ length: Math.min(Math.max(0, this.readVarInt()), MAX_READ_HEADERS) }, () => reader(this));
  };
}
