/**
 * Log lines: JSON, one line each, a constant message with fields.
 * @module
 */
import { pino, type DestinationStream } from 'pino';
import { context, trace } from '@opentelemetry/api';
import { cleanText, redact } from './redact.js';

/** Severities, lowest first. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'fatal'] as const;
/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What varies in a log line. An error goes under `error`; its message is kept only where it is a `MayflyError`'s. */
export type Fields = Readonly<Record<string, unknown>>;

/** Writes log lines. The message is a constant sentence; everything that varies is a field. */
export type Logger = { readonly [Level in LogLevel]: (message: string, fields?: Fields) => void } & {
  /** A logger that adds these fields to each of its lines. */
  child(fields: Fields): Logger;
};

/** Who logs and where to. */
export interface LoggerOptions {
  readonly service: string;
  /** Lowest severity that is written; default `info`. */
  readonly level?: LogLevel | undefined;
  /** Takes whole lines; default is standard output. */
  readonly destination?: DestinationStream;
}

/** True when the text names a severity. */
export const isLogLevel = (text: string): text is LogLevel => LOG_LEVELS.includes(text as LogLevel);

/**
 * Makes the logger of a process. Lines have `time` (RFC 3339), `level`, `service`, `message`, `trace_id` and `span_id` of
 * the active span, then the fields, with secrets redacted by type, by key and by look.
 */
export function createLogger({ service, level = 'info', destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: { service },
    messageKey: 'message',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const lines = destination ? pino(options, destination) : pino(options);
  const withFields = (always: Fields): Logger => {
    const write =
      (severity: LogLevel) =>
      (message: string, fields?: Fields): void => {
        if (!lines.isLevelEnabled(severity)) return;
        lines[severity]({ ...traceIds(), ...notReserved(redact({ ...always, ...fields }) as Fields) }, cleanText(message));
      };
    return {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      fatal: write('fatal'),
      child: (fields) => withFields({ ...always, ...fields }),
    };
  };
  return withFields({});
}

function traceIds(): Fields {
  const span = trace.getSpanContext(context.active());
  return span && trace.isSpanContextValid(span) ? { trace_id: span.traceId, span_id: span.spanId } : {};
}

/** A field called like one of the line's own would appear twice in the JSON, and readers would take the wrong one. */
const RESERVED = new Set(['level', 'time', 'service', 'message', 'trace_id', 'span_id']);
const notReserved = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [RESERVED.has(key) ? `field_${key}` : key, value]));
