import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { InvalidRequest, taskId } from '@mayfly/domain';
import { Delivering } from './delivering.js';
import { WorkloadProof, type Asking } from './workload-proof.js';
import { waitMilliseconds } from './wait.js';

const NAME = /^[A-Za-z0-9._-]{1,100}$/;

/** What agents call (public contract, section 3). */
@Controller('v1/tasks/:taskId')
export class TasksController {
  constructor(
    @Inject(Delivering) private readonly delivering: Delivering,
    @Inject(WorkloadProof) private readonly proof: WorkloadProof,
  ) {}

  @Get()
  view(@Req() request: Asking, @Param('taskId') id: string) {
    return this.proof.of(request, id, (agent) => this.delivering.view(taskId(id), agent));
  }

  @Get('secrets/:name')
  fetch(@Req() request: Asking, @Param('taskId') id: string, @Param('name') name: string, @Query('wait') wait: unknown) {
    // Looking is not taking: a HEAD must not use a fetch up and kill the copy that the agent holds.
    if (request.method === 'HEAD') throw new InvalidRequest('a secret is fetched with GET');
    return this.proof.of(request, id, (agent) => this.delivering.fetch(taskId(id), credentialName(name), agent, waitMilliseconds(wait)));
  }

  @Post('heartbeat')
  @HttpCode(204)
  heartbeat(@Req() request: Asking, @Param('taskId') id: string) {
    return this.proof.of(request, id, (agent) => this.delivering.heartbeat(taskId(id), agent));
  }

  @Post('release')
  @HttpCode(202)
  release(@Req() request: Asking, @Param('taskId') id: string, @Body() body: unknown) {
    return this.proof.of(request, id, (agent) => this.delivering.release(taskId(id), agent, namesOf(body)));
  }
}

function credentialName(text: string): string {
  if (!NAME.test(text)) throw new InvalidRequest('a credential name is 1 to 100 characters of A-Z a-z 0-9 . _ -');
  return text;
}

/** `{ "names": [] }`, or nothing at all. */
function namesOf(body: unknown): readonly string[] {
  if (body === undefined || body === null) return [];
  if (typeof body !== 'object' || Array.isArray(body)) throw new InvalidRequest('the body may only be { "names": [ … ] }');
  const names = (body as { names?: unknown }).names;
  const unknown = Object.keys(body).some((key) => key !== 'names');
  if (
    unknown ||
    (names !== undefined &&
      !(Array.isArray(names) && names.length <= 32 && names.every((name) => typeof name === 'string' && NAME.test(name))))
  ) {
    throw new InvalidRequest('the body may only be { "names": [ … ] } with names of this task’s credentials');
  }
  return (names as string[] | undefined) ?? [];
}
