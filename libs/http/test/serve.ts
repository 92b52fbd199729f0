/** One service's controllers over real HTTP on any free port. */
import type { AddressInfo } from 'node:net';
import { startHttp, type HttpOptions } from '@mayfly/http';
import { createLogger } from '@mayfly/telemetry';

export interface Served {
  readonly url: string;
  /** Every log line so far. */
  readonly lines: readonly string[];
  close(): Promise<void>;
}

/** Starts it; whatever is left out is empty. */
export async function serve(options: Partial<HttpOptions>): Promise<Served> {
  const lines: string[] = [];
  const logger = createLogger({ service: 'test', level: 'debug', destination: { write: (line) => void lines.push(line) } });
  const app = await startHttp({
    controllers: [],
    providers: [],
    health: { liveness: {}, readiness: {} },
    host: '127.0.0.1',
    port: 0,
    logger,
    ...options,
  });
  return {
    url: `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`,
    lines,
    close: () => app.close(),
  };
}
