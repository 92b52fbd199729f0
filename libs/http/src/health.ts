/**
 * The three answers that every service gives about itself: alive, ready, metrics.
 * @module
 */
import { Controller, Get, Inject, Res } from '@nestjs/common';
import { metricsText } from '@mayfly/telemetry';
import type { Response } from 'express';
import { PartWatch, type PartState } from './part-watch.js';

/** A part that has to make progress. */
export interface Liveness {
  /** False: it makes none although it should, and only a restart helps. */
  readonly alive: boolean;
  readonly progressMillisecondsAgo: number;
  /** Code of what stands in its way now. It tries on, so this alone is no reason to restart. */
  readonly problem?: string | undefined;
}

/** What a service says of itself. */
export interface Health {
  /** Each part that has to make progress. */
  readonly liveness: Readonly<Record<string, () => Liveness>>;
  /** Each dependency without which the service cannot do its work; rejects while it is away. */
  readonly readiness: Readonly<Record<string, () => Promise<unknown>>>;
}

/** Injection token of {@link Health}. */
export const HEALTH = Symbol('health');

/** `/healthz`, `/readyz`, `/metrics`. */
@Controller()
export class HealthController {
  readonly #parts = new PartWatch();
  readonly #dependencies = new PartWatch();

  constructor(@Inject(HEALTH) private readonly health: Health) {}

  /** 200 while everything makes progress. No dependency can make it fail: a restart would not bring it back. */
  @Get('healthz')
  alive(@Res() response: Response): void {
    const parts = Object.entries(this.health.liveness).map(([name, look]) => {
      const { alive, progressMillisecondsAgo, problem } = look();
      const state = this.#parts.seen(name, alive ? 'ok' : 'hangs');
      const seconds = Math.round(progressMillisecondsAgo / 100) / 10;
      return [name, { ...state, progressSecondsAgo: Number.isFinite(seconds) ? seconds : null, ...(problem && { problem }) }] as const;
    });
    answer(response, parts);
  }

  /** 200 while every dependency can be used. Answers within two seconds, however long a dependency hangs. */
  @Get('readyz')
  async ready(@Res() response: Response): Promise<void> {
    const checks = Object.entries(this.health.readiness);
    const parts = checks.map(async ([name, check]) => [name, await this.#dependencies.ask(name, check)] as const);
    answer(response, await Promise.all(parts));
  }

  /** Prometheus text. */
  @Get('metrics')
  async metrics(@Res() response: Response): Promise<void> {
    const { contentType, body } = await metricsText();
    response.setHeader('Content-Type', contentType).end(body);
  }
}

function answer(response: Response, parts: readonly (readonly [string, PartState])[]): void {
  const ok = parts.every(([, { status }]) => status === 'ok');
  response.status(ok ? 200 : 503).json({ status: ok ? 'ok' : 'not-ok', parts: Object.fromEntries(parts) });
}
