/** Kinds of events that the engine tells. */
export const eventKinds = [
  'draft',
  'plan',
  'pause',
  'worker',
  'service',
  'token',
  'breaker',
  'run',
  'cursor',
  'watermark',
  'trash',
  'bulk',
  'queue',
] as const
export type EventKind = (typeof eventKinds)[number]
