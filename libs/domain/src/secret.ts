/**
 * Secret material that cannot be printed by accident.
 * @module
 */
import { inspect } from 'node:util';

const REDACTED = '[secret]';
const values = new WeakMap<Secret<unknown>, unknown>();

/**
 * Holds a value that lets its reader act. It shows itself as `[secret]` in strings, JSON and
 * node's inspect, so that only a deliberate {@link Secret.reveal} gets it out.
 */
export class Secret<T> {
  // The value lives outside the object, so that no serialiser that walks properties can find it.
  constructor(value: T) {
    values.set(this, value);
  }
  /** The value itself. Call it only where the value leaves for its rightful reader. */
  reveal(): T {
    return values.get(this) as T;
  }
  toString(): string {
    return REDACTED;
  }
  toJSON(): string {
    return REDACTED;
  }
  [inspect.custom](): string {
    return REDACTED;
  }
}

/** What a secrets engine gave for one credential, in the shape its capability promises. */
export type SecretMaterial = Secret<Readonly<Record<string, unknown>>>;
