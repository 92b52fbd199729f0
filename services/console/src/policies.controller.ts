import type { IncomingMessage, ServerResponse } from 'node:http';
import { Body, Controller, Get, HttpCode, Inject, Post, Query, Req, Res } from '@nestjs/common';
import { answerPlan } from './answer-plan.js';
import { EVERYONE, Operators } from './operators.js';
import { Planning } from './planning.js';
import { Policies } from './policies.js';
import { readListQuery, readPlanBody, readPolicyBody, readRollbackBody } from './requests.js';

/** How policy sets change (public contract, section 4). */
@Controller('v1')
export class PoliciesController {
  constructor(
    @Inject(Policies) private readonly policies: Policies,
    @Inject(Planning) private readonly planning: Planning,
    @Inject(Operators) private readonly operators: Operators,
  ) {}

  @Get('policies')
  async list(@Req() request: IncomingMessage, @Query() query: unknown) {
    await this.operators.require(request, ...EVERYONE);
    return this.policies.list(readListQuery(query));
  }

  @Post('policies')
  @HttpCode(200)
  async apply(@Req() request: IncomingMessage, @Body() body: unknown) {
    const operator = await this.operators.require(request, 'admin');
    return this.policies.apply(readPolicyBody(body), operator);
  }

  @Post('policies/plan')
  @HttpCode(200)
  async plan(@Req() request: IncomingMessage, @Body() body: unknown, @Res() response: ServerResponse) {
    await this.operators.require(request, 'approver', 'operator', 'admin');
    const { days, files, policyDigest } = readPlanBody(body);
    const policy = await this.policies.toPlan(files, policyDigest);
    await answerPlan(request, response, (tools) => this.planning.plan({ policy, days, ...tools }));
  }

  @Post('policies/rollback')
  @HttpCode(200)
  async rollBack(@Req() request: IncomingMessage, @Body() body: unknown) {
    const operator = await this.operators.require(request, 'admin');
    const { policyDigest, reason } = readRollbackBody(body);
    return this.policies.rollBack(policyDigest, reason, operator);
  }
}
