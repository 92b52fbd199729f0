import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { InvalidRequest, taskId } from '@mayfly/domain';
import { Evaluating } from './access/evaluating.js';
import { Delivering } from './delivering.js';
import { credentialName, namesOf, nothing, usageOf, waitOf } from './requests.js';
import { WorkloadProof, type Asking } from './workload-proof.js';

/** What agents call (public contract, section 3). */
@Controller('v1/tasks/:taskId')
export class TasksController {
  constructor(
    @Inject(Delivering) private readonly delivering: Delivering,
    @Inject(Evaluating) private readonly evaluating: Evaluating,
    @Inject(WorkloadProof) private readonly proof: WorkloadProof,
  ) {}

  @Get()
  view(@Req() request: Asking, @Param('taskId') id: string, @Query() query: unknown) {
    return this.proof.of(request, id, (agent) => {
      nothing(query);
      return this.delivering.view(taskId(id), agent);
    });
  }

  @Get('secrets/:name')
  fetch(@Req() request: Asking, @Param('taskId') id: string, @Param('name') name: string, @Query() query: unknown) {
    // Looking is not taking: a HEAD must not use a fetch up and kill the copy that the agent holds.
    if (request.method === 'HEAD') throw new InvalidRequest('a secret is fetched with GET');
    return this.proof.of(request, id, (agent, seen) =>
      this.delivering.fetch(taskId(id), credentialName(name), agent, waitOf(query), { seen }),
    );
  }

  @Post('heartbeat')
  @HttpCode(204)
  heartbeat(@Req() request: Asking, @Param('taskId') id: string, @Query() query: unknown, @Body() body: unknown) {
    return this.proof.of(request, id, (agent) => {
      nothing(query);
      nothing(body);
      return this.delivering.heartbeat(taskId(id), agent);
    });
  }

  @Post('usage')
  @HttpCode(204)
  usage(@Req() request: Asking, @Param('taskId') id: string, @Query() query: unknown, @Body() body: unknown) {
    return this.proof.of(request, id, (agent) => {
      nothing(query);
      return this.evaluating.report(taskId(id), agent, usageOf(body));
    });
  }

  @Post('release')
  @HttpCode(202)
  release(@Req() request: Asking, @Param('taskId') id: string, @Query() query: unknown, @Body() body: unknown) {
    return this.proof.of(request, id, (agent) => {
      nothing(query);
      return this.delivering.release(taskId(id), agent, namesOf(body));
    });
  }
}
