import type { IncomingMessage } from 'node:http';
import { Controller, Get, Inject, Param, Query, Req } from '@nestjs/common';
import { taskId } from '@mayfly/domain';
import { Operating } from './operating.js';
import { EVERYONE, Operators } from './operators.js';
import { readGrantQuery, readLogQuery } from './requests.js';

/** What operators look at (public contract, section 4). */
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
}
