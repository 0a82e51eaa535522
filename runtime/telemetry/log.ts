import { pino } from 'pino'

/** Structured log lines (JSON, one per line). Fields first is pino's way; ours is message first, for reading. */
export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
  error(message: string, fields?: Record<string, unknown>): void
  /** A log whose lines all carry these fields. */
  with(fields: Record<string, unknown>): Log
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** A log that writes to a file descriptor or file path; `to` is created when missing. Secrets are redacted by name. */
export function createLog(level: LogLevel, to: number | string): Log {
  const destination = pino.destination({ dest: to, mkdir: true, sync: true })
  return wrap(pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact }, destination))
}

const redact = ['secret', 'token', 'password', 'authorization', '*.secret', '*.token', '*.password', '*.authorization']

function wrap(logger: pino.Logger): Log {
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
    with: (fields) => wrap(logger.child(fields)),
  }
}

export const silentLog: Log = createLog('silent', 2)
