import type { IncomingMessage } from 'node:http';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { KillSwitch } from './kill-switch.js';
import { EVERYONE, Operators } from './operators.js';
import { orderId, readListQuery, readRevocationBody } from './requests.js';

/** The kill switch (public contract, section 4). */
@Controller('v1')
export class RevocationsController {
  constructor(
    @Inject(KillSwitch) private readonly killSwitch: KillSwitch,
    @Inject(Operators) private readonly operators: Operators,
  ) {}

  @Post('revocations')
  @HttpCode(202)
  async revoke(@Req() request: IncomingMessage, @Body() body: unknown) {
    const operator = await this.operators.require(request, 'operator', 'admin');
    const { selector, reason, dryRun } = readRevocationBody(body);
    return dryRun ? this.killSwitch.count(selector) : this.killSwitch.order(selector, reason, operator);
  }

  @Get('revocations')
  async list(@Req() request: IncomingMessage, @Query() query: unknown) {
    await this.operators.require(request, ...EVERYONE);
    return this.killSwitch.list(readListQuery(query));
  }

  @Get('revocations/:orderId')
  async view(@Req() request: IncomingMessage, @Param('orderId') id: string) {
    await this.operators.require(request, ...EVERYONE);
    return this.killSwitch.view(orderId(id));
  }
}
