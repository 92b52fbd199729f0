import type { IncomingMessage } from 'node:http';
import { Body, Controller, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { taskId } from '@mayfly/domain';
import { Operators } from './operators.js';
import { Reinstating } from './reinstating.js';
import { readReinstatementBody } from './requests.js';

/** What operators give back. */
@Controller('v1')
export class ReinstatementsController {
  constructor(
    @Inject(Reinstating) private readonly reinstating: Reinstating,
    @Inject(Operators) private readonly operators: Operators,
  ) {}

  @Post('tasks/:taskId/reinstate')
  @HttpCode(200)
  async reinstate(@Req() request: IncomingMessage, @Param('taskId') id: string, @Body() body: unknown) {
    const operator = await this.operators.require(request, 'operator', 'admin');
    return this.reinstating.reinstate(taskId(id), readReinstatementBody(body).reason, operator);
  }
}
