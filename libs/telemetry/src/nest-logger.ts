/**
 * Nest's own messages as log lines of ours.
 * @module
 */
import type { Logger } from './logger.js';
import { describeError } from './describe-error.js';

/** The shape of Nest's `LoggerService`. */
export interface NestLogger {
  log(message: unknown, ...rest: unknown[]): void;
  error(message: unknown, ...rest: unknown[]): void;
  warn(message: unknown, ...rest: unknown[]): void;
  debug(message: unknown, ...rest: unknown[]): void;
  verbose(message: unknown, ...rest: unknown[]): void;
  fatal(message: unknown, ...rest: unknown[]): void;
}

/** Gives the framework's text as the field `text`, and who said it as `context`. Its chatter of starting up is `debug`. */
export function nestLogger(logger: Logger): NestLogger {
  const say =
    (level: 'debug' | 'warn' | 'error' | 'fatal') =>
    (message: unknown, ...rest: unknown[]): void => {
      // Nest passes (message, context) or (message, stack, context): the context is the last one; a stack may quote secrets.
      const context = rest.at(-1);
      logger[level]('framework', {
        ...(message instanceof Error ? { error: describeError(message) } : { text: message }),
        ...(typeof context === 'string' && !context.includes('\n') && { context }),
      });
    };
  return { log: say('debug'), verbose: say('debug'), debug: say('debug'), warn: say('warn'), error: say('error'), fatal: say('fatal') };
}
