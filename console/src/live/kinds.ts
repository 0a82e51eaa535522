/** Kinds of events that the engine tells. */
export const eventKinds = ['draft', 'plan', 'pause', 'worker', 'breaker', 'run', 'trash', 'bulk', 'queue'] as const
export type EventKind = (typeof eventKinds)[number]
