/** Nothing that lets its reader act is in a span or an error. Runs last, over the spans of all tests of the file. */
import { inspect } from 'node:util';
import { expect, it } from '@jest/globals';
import { newLeaseRef, Secret } from '@mayfly/domain';
import type { RecordedSpan } from '@mayfly/telemetry';
import { CATALOGUE } from '../catalogue.js';
import { mint, tokenFor, type Ports } from '../conformance.js';
import type { Servers } from '../servers.js';
import { readFileSync } from 'node:fs';

export function canaries(ports: () => Ports, servers: () => Servers, spans: () => RecordedSpan[]): void {
  it('shows no token, accessor, lease id, serial number or secret in any span, error or audit line', async () => {
    const { token, accessor, sealed } = await tokenFor(ports(), [CATALOGUE.read, CATALOGUE.certificate]);
    const login = await mint(ports(), { token }, CATALOGUE.read);
    const certificate = await mint(ports(), { token }, CATALOGUE.certificate);
    const leaseRef = newLeaseRef();
    await ports().vault.keep(token, leaseRef, login.material);
    await ports().vault.take(token, leaseRef);
    await ports().revoker.isCertificateRevoked('pki', certificate.principal!);
    await ports().revoker.revokeLease(login.vaultLeaseId!);
    await ports().revoker.isLeaseGone(login.vaultLeaseId!);
    await ports().revoker.revokeToken(accessor);
    await ports().revoker.isTokenGone(accessor);
    const errors = await Promise.all(
      [
        () => mint(ports(), { token }, CATALOGUE.read),
        () => mint(ports(), { token: new Secret(`${token.reveal()}\n`) }, CATALOGUE.read),
        () => ports().vault.keep(token, leaseRef, login.material),
        () => ports().vault.open(sealed, 'other' as never),
      ].map((fails) =>
        fails().then(
          () => undefined,
          (error: unknown) => error,
        ),
      ),
    );
    expect(errors.every((error) => error instanceof Error)).toBe(true);

    const { password } = login.material.reveal() as { password: string };
    const { privateKey } = certificate.material.reveal() as { privateKey: string };
    const acting = [token.reveal(), accessor, login.vaultLeaseId!, certificate.vaultLeaseId!, password, privateKey, sealed];
    const seen = `${JSON.stringify(spans())}${inspect(errors, { depth: 10, showHidden: true })}`;
    for (const secret of [...acting, certificate.principal!, leaseRef]) expect(seen.includes(secret)).toBe(false);
    const audit = readFileSync(servers().auditFile, 'utf8');
    for (const secret of [token.reveal(), accessor, password, privateKey]) expect(audit.includes(secret)).toBe(false);
    expect(audit).toContain('"grantId"');
    expect(spans().some(({ name }) => name === 'vault database/creds/{role}')).toBe(true);
  });
}
