import { Controller, Get, Header, Inject, Param } from '@nestjs/common';
import { InvalidRequest } from '@mayfly/domain';
import { Operating } from './operating.js';

/**
 * For targets that check certificates by themselves, as a revocation list is: open to everybody. In the form that `ssh-keygen -k` takes to make
 * a key revocation list for sshd's `RevokedKeys` (docs/operations.md).
 */
@Controller('v1')
export class RevokedSerialsController {
  constructor(@Inject(Operating) private readonly operating: Operating) {}

  @Get('revoked-serials/:capability')
  @Header('content-type', 'text/plain; charset=utf-8')
  async list(@Param('capability') capability: string): Promise<string> {
    if (!/^[a-z0-9][a-z0-9.-]{0,63}$/.test(capability)) throw new InvalidRequest('name a capability of the catalogue');
    const serials = await this.operating.revokedSerials(capability);
    return serials.map((serial) => `serial: 0x${serial}\n`).join('');
  }
}
