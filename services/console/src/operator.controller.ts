import type { IncomingMessage } from 'node:http';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { taskId } from '@mayfly/domain';
import { Operating } from './operating.js';
import { Operators } from './operators.js';
import { readGrantQuery, readLogQuery, readPolicyBody, readRevocationBody } from './requests.js';

const EVERYONE = ['viewer', 'approver', 'operator', 'admin'] as const;

/** What operators call (public contract, section 4). */
@Controller('v1')
export class OperatorController {
  constructor(
    @Inject(Operating) private readonly operating: Operating,
    @Inject(Operators) private readonly operators: Operators,
  ) {}

  @Get('grants')
  async grants(@Req() request: IncomingMessage, @Query() query: unknown) {
    await this.operators.require(request, ...EVERYONE);
    return this.operating.grants(readGrantQuery(query));
  }

  @Get('tasks/:taskId/timeline')
  async timeline(@Req() request: IncomingMessage, @Param('taskId') id: string) {
    await this.operators.require(request, ...EVERYONE);
    return this.operating.timeline(taskId(id));
  }

  @Get('tasks/:taskId/evidence')
  async evidence(@Req() request: IncomingMessage, @Param('taskId') id: string) {
    await this.operators.require(request, ...EVERYONE);
    return this.operating.evidence(taskId(id));
  }

  @Get('evidence')
  async log(@Req() request: IncomingMessage, @Query() query: unknown) {
    await this.operators.require(request, ...EVERYONE);
    const { from, limit } = readLogQuery(query);
    return this.operating.log(from, limit);
  }

  @Get('checkpoint')
  async checkpoint(@Req() request: IncomingMessage) {
    await this.operators.require(request, ...EVERYONE);
    return this.operating.checkpoint();
  }

  @Post('policies')
  @HttpCode(200)
  async applyPolicies(@Req() request: IncomingMessage, @Body() body: unknown) {
    const operator = await this.operators.require(request, 'admin');
    return this.operating.applyPolicies(readPolicyBody(body), operator);
  }

  @Post('revocations')
  @HttpCode(202)
  async revoke(@Req() request: IncomingMessage, @Body() body: unknown) {
    const operator = await this.operators.require(request, 'operator', 'admin');
    const { selector, reason, dryRun } = readRevocationBody(body);
    return this.operating.revoke(selector, reason, dryRun, operator);
  }
}
