import { Body, Controller, Get, Header, HttpCode, Inject, Post, Query, Req } from '@nestjs/common';
import { nothing } from '../requests.js';
import { WorkloadProof, type Asking } from '../workload-proof.js';
import { Evaluating } from './evaluating.js';
import { manyQuestions, oneQuestion } from './read-questions.js';

/** Tool-call questions (public contract, section 3; AuthZEN Authorization API 1.0). */
@Controller()
export class AccessController {
  constructor(
    @Inject(Evaluating) private readonly evaluating: Evaluating,
    @Inject(WorkloadProof) private readonly proof: WorkloadProof,
  ) {}

  @Post('access/v1/evaluation')
  @HttpCode(200)
  async evaluation(@Req() request: Asking, @Query() query: unknown, @Body() body: unknown) {
    const agent = await this.proof.prove(request);
    nothing(query);
    return (await this.evaluating.evaluate(agent, oneQuestion(body)))[0];
  }

  @Post('access/v1/evaluations')
  @HttpCode(200)
  async evaluations(@Req() request: Asking, @Query() query: unknown, @Body() body: unknown) {
    const agent = await this.proof.prove(request);
    nothing(query);
    const questions = manyQuestions(body);
    if (questions) return { evaluations: await this.evaluating.evaluate(agent, questions) };
    return (await this.evaluating.evaluate(agent, oneQuestion(body)))[0];
  }

  /** What this decision point is and has; open to everybody, as metadata is. */
  @Get('.well-known/authzen-configuration')
  @Header('Cache-Control', 'public, max-age=300')
  metadata(@Query() query: unknown) {
    nothing(query);
    const base = this.proof.publicUrl;
    return {
      policy_decision_point: base,
      access_evaluation_endpoint: `${base}/access/v1/evaluation`,
      access_evaluations_endpoint: `${base}/access/v1/evaluations`,
    };
  }
}
