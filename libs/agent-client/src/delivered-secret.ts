/**
 * A secret in the agent's hands.
 * @module
 */

/** What the delivery service answers. */
export interface SecretDocument {
  readonly taskId: string;
  readonly name: string;
  readonly capability: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly expiresAt?: string;
  readonly leaseRef: string;
}

/** A delivered secret. Printing it or making JSON of it shows what it is, never its {@link data}. */
export class DeliveredSecret {
  readonly taskId: string;
  readonly name: string;
  readonly capability: string;
  /** When it ends by itself, RFC 3339; absent for what never does. */
  readonly expiresAt?: string;
  /** Names the lease to operators; of no use to an attacker. */
  readonly leaseRef: string;
  // Private, and read by a getter of the prototype: neither console.log nor JSON.stringify finds it.
  readonly #data: Readonly<Record<string, unknown>>;

  constructor({ data, ...known }: SecretDocument) {
    this.taskId = known.taskId;
    this.name = known.name;
    this.capability = known.capability;
    this.leaseRef = known.leaseRef;
    if (known.expiresAt !== undefined) this.expiresAt = known.expiresAt;
    this.#data = data;
  }

  /** The secret itself, for example `{ host, port, database, username, password }`. */
  get data(): Readonly<Record<string, unknown>> {
    return this.#data;
  }
}
