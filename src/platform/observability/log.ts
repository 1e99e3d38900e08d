import { pino, type Logger } from 'pino';

export type Log = Pick<Logger, 'info' | 'warn' | 'error' | 'debug' | 'fatal'>;

/** JSON lines on standard output, in UTC. What could be a secret is never written. */
export function log(level: string): Log {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: [
        '*.password',
        '*.token',
        '*.secret',
        '*.code',
        '*.authorization',
        '*.cookie',
        'error.params',
        'error.query',
      ],
      censor: '[redacted]',
    },
    serializers: { error: describeError },
  });
}

/**
 * What of an error may be written: never its statement or parameters, and of PGlite's, whose stack
 * holds a minified megabyte, only the first lines.
 */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  return {
    name: error.name,
    message: error.message.slice(0, 500),
    ...(code !== undefined && { code }),
    ...(constraint !== undefined && { constraint }),
    stack: error.stack
      ?.split('\n')
      .slice(0, 12)
      .map((line) => line.slice(0, 300))
      .join('\n'),
    ...(error.cause instanceof Error && { cause: describeError(error.cause) }),
  };
}
