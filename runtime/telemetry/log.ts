import { pino } from 'pino'
import { redact, withoutSecrets } from './redact.ts'

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

/** A log that writes to a file descriptor or file path; `to` is created when missing. Secrets are redacted, see redact.ts. */
export function createLog(level: LogLevel, to: number | string): Log {
  const destination = pino.destination({ dest: to, mkdir: true, sync: true })
  return wrap(pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination))
}

function wrap(logger: pino.Logger): Log {
  const write = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: Record<string, unknown>) => {
    if (logger.isLevelEnabled(level)) logger[level](redact(fields ?? {}), withoutSecrets(message))
  }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: (fields) => wrap(logger.child(redact(fields) as Record<string, unknown>)),
  }
}

export const silentLog: Log = createLog('silent', 2)
