/**
 * Named points in the life of a message at which a process ends itself. Production code knows nothing of them: the scripts beside
 * this file open the real bridge and the real control over ports that are wrapped here.
 *
 * A process is told over its IPC channel at which point to die, and the how-manieth time it comes there.
 */

/** Points of a bridge; `before-…` is after the call and before the publish, `after-…` after the publish and before the ack. */
export const bridgePoints = [
  'delivered',
  'before-forward',
  'after-forward',
  'before-reply',
  'after-reply',
  'before-end',
  'after-end',
  'before-cancel',
  'after-cancel',
  'before-later',
  'after-later',
  'before-trash',
  'after-trash',
  'after-event',
  'before-split',
  'split-recorded',
  'split-continued',
  'mid-split',
  'mid-batch',
  'split-published',
  'before-ack',
  'after-ack',
  'before-ask',
  'after-ask',
] as const

/**
 * Points of a control: its recorder, its janitor, its intake; while it publishes a plan: its queues are made and it isn't stored yet, it is
 * stored and the bridges aren't told, they are; and when it has found that a node which leaves is empty.
 */
export const controlPoints = [
  'before-commit',
  'after-commit',
  'before-purge',
  'after-purge',
  'mid-sweep',
  'start-stored',
  'plan-queued',
  'plan-stored',
  'plan-told',
  'before-drop',
] as const

/** Points of the worker: the work is done and nothing is said of it; half of the answer is out. */
export const workerPoints = ['before-answer', 'mid-answer'] as const

export type BridgePoint = (typeof bridgePoints)[number]
export type ControlPoint = (typeof controlPoints)[number]
export type WorkerPoint = (typeof workerPoints)[number]
export type Point = BridgePoint | ControlPoint | WorkerPoint

/** What the driver says to a process, and what the process says when it works. */
export interface Arm {
  /** Null: none. */
  readonly point: Point | null
  readonly nth: number
}
export const readyWord = 'ready'

export interface Points {
  /** Ends the process if this is the point and the time; does nothing else. */
  reach(point: Point): void
  /** True when this is the point and the time: the caller does what is left to do and then calls `die`. */
  isDue(point: Point): boolean
  die(): void
  /** Tells the driver that this process works now. */
  ready(): void
}

/** A process without a driver has nothing to do. */
export function openPoints(): Points {
  let armed: Arm = { point: null, nth: 0 }
  let seen = 0
  process.on('message', (message) => {
    armed = message as Arm
    seen = 0
  })
  process.on('disconnect', () => process.exit(1))
  const isDue = (point: Point): boolean => point === armed.point && ++seen === armed.nth
  const die = (): void => void process.kill(process.pid, 'SIGKILL')
  return {
    isDue,
    die,
    reach: (point) => void (isDue(point) && die()),
    ready: () => void process.send?.(readyWord),
  }
}

/** `target` with some of its members replaced; all others act on the target itself. */
export function overlay<T extends object>(target: T, members: Partial<T>): T {
  return new Proxy(target, {
    get(_, name) {
      if (name in members) return members[name as keyof T]
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}
