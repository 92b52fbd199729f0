import type { IncomingMessage } from 'node:http';
import { Forbidden, InvalidToken } from '@mayfly/domain';
import { bearerToken } from '@mayfly/http';
import type { OperatorVerifier, Role, WorkloadVerifier } from '@mayfly/identity';

/** Everybody with a role. */
export const EVERYONE = ['viewer', 'approver', 'operator', 'admin'] as const satisfies readonly Role[];

/** Who operators are and what each may do. */
export class Operators {
  constructor(
    private readonly people: OperatorVerifier,
    private readonly workloads: WorkloadVerifier,
  ) {}

  /** The id of the person who asks. @throws InvalidToken; Forbidden when none of the roles is theirs, or it is a workload that asks */
  async require(request: IncomingMessage, ...roles: readonly Role[]): Promise<string> {
    const token = bearerToken(request);
    const { id, roles: theirs } = await this.people.verify(token).catch((error: unknown) => this.#refuse(token, error));
    if (!roles.some((role) => theirs.includes(role))) throw new Forbidden(`this needs one of the roles ${roles.join(', ')}`);
    return id;
  }

  /** An agent is known, and has no business here: to be told so is worth more than to be taken for a stranger. */
  async #refuse(token: string, error: unknown): Promise<never> {
    if (!(error instanceof InvalidToken)) throw error;
    await this.workloads.verify(token).catch(() => Promise.reject(error as Error));
    throw new Forbidden('this is for people; a workload has no role here');
  }
}
