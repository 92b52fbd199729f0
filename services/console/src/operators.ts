import type { IncomingMessage } from 'node:http';
import { Forbidden } from '@mayfly/domain';
import { bearerToken } from '@mayfly/http';
import type { OperatorVerifier, Role } from '@mayfly/identity';

/** Who operators are and what each may do. */
export class Operators {
  constructor(private readonly verifier: OperatorVerifier) {}

  /** The id of the person who asks. @throws InvalidToken; Forbidden when none of the roles is theirs */
  async require(request: IncomingMessage, ...roles: readonly Role[]): Promise<string> {
    const { id, roles: theirs } = await this.verifier.verify(bearerToken(request));
    if (!roles.some((role) => theirs.includes(role))) throw new Forbidden(`this needs one of the roles ${roles.join(', ')}`);
    return id;
  }
}
