import type { IncomingMessage } from 'node:http';
import { Controller, Get, Inject, Req } from '@nestjs/common';
import { Capabilities } from './capabilities.js';
import { EVERYONE, Operators } from './operators.js';

/** What tasks may ask for, and whether Vault is what the catalogue says of it. */
@Controller('v1')
export class CapabilitiesController {
  constructor(
    @Inject(Capabilities) private readonly capabilities: Capabilities,
    @Inject(Operators) private readonly operators: Operators,
  ) {}

  @Get('capabilities')
  async list(@Req() request: IncomingMessage) {
    await this.operators.require(request, ...EVERYONE);
    return this.capabilities.list();
  }
}
