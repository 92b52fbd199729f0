/**
 * The Nest application of one service: HTTP always, Kafka where it has consumers.
 * @module
 */
import 'reflect-metadata';
import type { Server } from 'node:http';
import { Module, type DynamicModule, type INestApplication, type Provider, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import express from 'express';
import { nestLogger, type Logger } from '@mayfly/telemetry';
import type { NextFunction, Request, Response } from 'express';
import { HEALTH, HealthController, type Health } from './health.js';
import { jsonOnly, withoutPrototype } from './json-only.js';
import { onlyKnownMethods } from './known-methods.js';
import { ProblemFilter } from './problem-filter.js';
import { refuseWhatIsNotHttp } from './refuse-what-is-not-http.js';
import { requestSpans } from './request-spans.js';

/** What a service's application is made of. */
export interface HttpOptions {
  readonly controllers: readonly Type[];
  readonly providers: readonly Provider[];
  readonly health: Health;
  readonly logger: Logger;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** `WWW-Authenticate` of every 401; default `Bearer`. */
  readonly challenge?: string | undefined;
  /** Connects the Kafka side before anything is started. */
  readonly transport?: { connectTo(app: INestApplication): void } | undefined;
}

@Module({})
class ServiceModule {}

const BODY_LIMIT = '256kb';
/** How long a request may take to arrive: its headers, and all of it. How long an answer may wait is the handler's business. */
const PATIENCE = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 1_000 };
/** Requests that are open at the same time wait for secrets; what comes beyond is turned away at once. */
const MOST_CONNECTIONS = 10_000;
/** What is being answered when the service ends may take so long; an agent that waits for its secret asks again. */
const CLOSING_MILLISECONDS = 3_000;

/** Starts to listen; close the application it returns to end. */
export async function startHttp({
  controllers,
  providers,
  health,
  logger,
  host,
  port,
  transport,
  challenge,
}: HttpOptions): Promise<INestApplication> {
  const module: DynamicModule = {
    module: ServiceModule,
    controllers: [HealthController, ...controllers],
    providers: [{ provide: HEALTH, useValue: health }, ...providers],
  };
  const app = await NestFactory.create<NestExpressApplication>(module, new ExpressAdapter(oneSpelling()), {
    logger: nestLogger(logger),
    bodyParser: false,
    abortOnError: false,
  });
  app.disable('x-powered-by');
  // Nobody in front is believed: Host, Forwarded and X-Forwarded-* change nothing.
  app.set('trust proxy', false);
  app.use(requestSpans);
  app.use(sameRequestId);
  app.use(neverCached);
  app.use(onlyKnownMethods);
  app.use(jsonOnly);
  app.useBodyParser('json', { limit: BODY_LIMIT, strict: true, inflate: false, type: () => true, reviver: withoutPrototype });
  app.useGlobalFilters(new ProblemFilter(logger, challenge));
  transport?.connectTo(app);
  if (transport) await app.startAllMicroservices();
  bound(app.getHttpServer());
  await app.listen(port, host);
  return app;
}

/** One path, one spelling: a twin in other letters or with a slash more is not there. Has to be said before the first route. */
const oneSpelling = (): express.Express => express().enable('case sensitive routing').enable('strict routing');

/** What Node would allow for minutes or without end. Has to be said before it listens. */
function bound(server: Server): void {
  // All headers are read, none dropped silently: their bytes have a limit already (16 KiB).
  Object.assign(server, PATIENCE, { maxHeadersCount: 0, maxConnections: MOST_CONNECTIONS });
  refuseWhatIsNotHttp(server);
  cutWhenClosing(server);
}

function neverCached(_request: Request, response: Response, next: NextFunction): void {
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  next();
}

/** Who numbers its requests finds the number in the answer, whatever the answer is (AuthZEN 1.0, request identification). */
function sameRequestId(request: Request, response: Response, next: NextFunction): void {
  const id = request.headers['x-request-id'];
  if (id !== undefined) response.setHeader('X-Request-ID', id);
  next();
}

/** A server that closes waits for its open requests, and those may be waiting themselves. */
function cutWhenClosing(server: Server): void {
  const close = server.close.bind(server);
  server.close = (done) => {
    setTimeout(() => server.closeAllConnections(), CLOSING_MILLISECONDS).unref();
    return close(done);
  };
}
