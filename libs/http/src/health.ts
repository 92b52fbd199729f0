/**
 * The three answers that every service gives about itself: alive, ready, metrics.
 * @module
 */
import { Controller, Get, Inject, Res } from '@nestjs/common';
import { metricsText } from '@mayfly/telemetry';
import { errorType } from '@mayfly/telemetry';
import type { Response } from 'express';

/** What a service says of itself. */
export interface Health {
  /** Each part that has to make progress; false means that only a restart helps. */
  readonly liveness: Readonly<Record<string, () => boolean>>;
  /** Each dependency without which the service cannot do its work; rejects while it is away. */
  readonly readiness: Readonly<Record<string, () => Promise<unknown>>>;
}

/** Injection token of {@link Health}. */
export const HEALTH = Symbol('health');
const PATIENCE_MILLISECONDS = 2_000;

/** `/healthz`, `/readyz`, `/metrics`. */
@Controller()
export class HealthController {
  constructor(@Inject(HEALTH) private readonly health: Health) {}

  /** 200 while everything makes progress. */
  @Get('healthz')
  alive(@Res() response: Response): void {
    const parts = Object.entries(this.health.liveness).map(([name, alive]) => [name, alive() ? 'ok' : 'hangs'] as const);
    answer(response, parts);
  }

  /** 200 while every dependency can be used. */
  @Get('readyz')
  async ready(@Res() response: Response): Promise<void> {
    const parts = await Promise.all(
      Object.entries(this.health.readiness).map(async ([name, check]) => [name, await stateOf(check)] as const),
    );
    answer(response, parts);
  }

  /** Prometheus text. */
  @Get('metrics')
  async metrics(@Res() response: Response): Promise<void> {
    const { contentType, body } = await metricsText();
    response.setHeader('Content-Type', contentType).end(body);
  }
}

function answer(response: Response, parts: readonly (readonly [string, string])[]): void {
  const ok = parts.every(([, state]) => state === 'ok');
  response.status(ok ? 200 : 503).json({ status: ok ? 'ok' : 'not-ok', parts: Object.fromEntries(parts) });
}

async function stateOf(check: () => Promise<unknown>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const slow = new Promise<string>((resolve) => (timer = setTimeout(() => resolve('slow'), PATIENCE_MILLISECONDS)));
  try {
    return await Promise.race([check().then(() => 'ok'), slow]);
  } catch (error) {
    return errorType(error);
  } finally {
    clearTimeout(timer);
  }
}
