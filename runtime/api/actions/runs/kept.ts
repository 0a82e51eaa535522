/** The start's time is by the clock of a control, the queue's by that of NATS. */
const clocksMs = 5_000

/** Is all of a run kept in queues whose first message is of `since`? */
export function isWhole(since: Date, { startedAt }: { readonly startedAt: Date }): boolean {
  return since.getTime() <= startedAt.getTime() + clocksMs
}
