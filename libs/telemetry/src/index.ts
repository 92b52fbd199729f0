/**
 * Traces, metrics and logs. The only importer of the OpenTelemetry SDK.
 * @module
 */
export { ATTRIBUTES, METRICS, SPANS, SPAN_PATTERNS, type AttributeName, type Attributes, type Metric } from './names.js';
export { startTelemetry, type Telemetry, type TelemetryOptions } from './start-telemetry.js';
export { withSpan, type ActiveSpan, type SpanOptions } from './with-span.js';
export { currentTrace, parseTrace, type TraceContext } from './trace-context.js';
export { counter, gauge, gauges, histogram, metricsText, type Counter, type Histogram } from './metrics.js';
export { createLogger, isLogLevel, LOG_LEVELS, type Fields, type Logger, type LoggerOptions, type LogLevel } from './logger.js';
export { nestLogger, type NestLogger } from './nest-logger.js';
export { describeError, errorType } from './describe-error.js';
export { redact } from './redact.js';
export { recordSpans, type RecordedSpan } from './record-spans.js';
