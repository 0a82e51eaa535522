import { compact, settleTrash, start } from './actors.ts'
import { pick, remove, turn } from './world.ts'
import type { World } from './world.ts'

/** One thing that happens; `n` picks where, `choice` how. */
export interface Step {
  readonly what: keyof typeof steps
  readonly n: number
  readonly choice: number
}

export async function take(world: World, { what, n, choice }: Step): Promise<void> {
  world.remember()
  await steps[what](world, n, choice)
}

/** Whether or not it did its work, nobody heard of it. */
async function lose(world: World, n: number, happened: boolean): Promise<void> {
  const effect = pick(
    world.enabled().filter(({ kind }) => kind === 'publish'),
    n,
  )
  if (effect === undefined) return
  if (happened) await world.happenUnheard(effect, 0)
  else remove(effect)
  effect.fail()
  await turn()
}

const steps = {
  start: async (world, n) => {
    const control = pick(world.controls, n)
    const run = `run${n % 3}`
    if (control && !world.books.knows(run)) void start(control, run).catch(() => undefined)
    await turn()
  },
  deliver: async (world, n) => {
    world.deliver(n)
    await turn()
  },
  happen: async (world, n, choice) => {
    const effect = pick(world.enabled(), n)
    if (effect) await world.happen(effect, choice)
  },
  /** Some steps in which nothing goes wrong. */
  go: async (world, n, choice) => {
    for (let i = 0; i < 4 + (n % 12); i++) {
      const effect = pick(world.enabled(), n + i * 7)
      if (i % 3 === 0 && world.deliver(n + i)) await turn()
      else if (effect) await world.happen(effect, choice + i)
    }
  },
  /** A while in which nothing goes wrong at all. */
  rest: async (world, n) => {
    for (let i = 0; i < 3 + (n % 30); i++) await world.calm(n + i)
  },
  loseAnswer: (world, n) => lose(world, n, true),
  losePublish: (world, n) => lose(world, n, false),
  expire: async (world, n) => {
    const [consumer, seq] = pick(world.unacked(), n) ?? []
    if (consumer !== undefined && seq !== undefined) world.expire(consumer, seq)
    await turn()
  },
  /** Another bridge gets what one holds, and both go on with it, the other one slowly. */
  takeOver: async (world, n) => {
    const [consumer, seq] = pick(world.unacked(), n) ?? []
    const bridge = pick(world.bridges, n)
    if (consumer === undefined || seq === undefined || bridge === undefined) return
    world.expire(consumer, seq)
    world.deliverTo(bridge, consumer)
    await turn()
    const newest = bridge.effects.at(-1)
    if (newest && newest.kind !== 'publish') newest.held = true
  },
  crashBefore: async (world, n) => {
    const effect = pick(world.enabled(), n)
    if (effect) await world.crash(effect.process)
  },
  crashAfter: async (world, n, choice) => {
    const effect = pick(world.enabled(), n)
    if (!effect) return
    await world.happenUnheard(effect, choice)
    await world.crash(effect.process)
  },
  disconnect: async (world, n, choice) => {
    await pick(world.processes, n)?.disconnect((index) => index < choice % 4)
    await turn()
  },
  crashServer: (world, n, choice) => world.crashServer(n, choice),
  /** A call or a look that takes long; a process that is stopped by a signal; an end to both. */
  hold: async (world, n) => {
    const effect = pick(
      world.enabled().filter(({ kind }) => kind !== 'publish'),
      n,
    )
    if (effect) effect.held = true
    await turn()
  },
  stop: async (world, n) => {
    const process = pick(world.processes, n)
    if (process) process.stopped = true
    await turn()
  },
  letGo: async (world, n) => {
    const process = pick(
      world.processes.filter(({ stopped, effects }) => stopped || effects.some(({ held }) => held)),
      n,
    )
    if (process) world.letGo(process)
    await turn()
  },
  fire: async (world, n) => {
    const schedule = pick(world.stream.schedules(), n)
    if (schedule) world.stream.fire(schedule.seq)
    await turn()
  },
  settleTrash: async (world, n, choice) => {
    const row = pick([...world.books.trash.values()], n)
    const control = pick(world.controls, choice)
    if (row && control) void settleTrash(control, row, choice % 3 > 0).catch(() => undefined)
    await turn()
  },
  cancel: (world, n) => {
    world.cancelling.add(`run${n % 3}`)
    return turn()
  },
  /** News of cancelled runs reach a bridge. */
  hear: (world, n) => {
    for (const run of world.cancelling) pick(world.bridges, n)?.hears(run)
    return turn()
  },
  /** A round of the janitor, with other things between its looks; one in eight stays where it is. */
  compact: async (world, n, choice) => {
    const control = pick(world.controls, n)
    if (!control) return
    const round = { over: false }
    void compact(control, world.books, choice % 3 === 0).finally(() => (round.over = true))
    await turn()
    for (let i = 0; !round.over && control.alive && i < 100 && choice % 8 > 0; i++) {
      const mine = control.effects.filter((effect) => effect.enabled())
      const effect =
        (choice >> (i % 8)) % 3 === 0 ? pick(world.enabled(), n + i * 7) : (mine.at(-1) ?? pick(world.enabled(), i))
      if (effect) await world.happen(effect, 0)
    }
  },
} satisfies Record<string, (world: World, n: number, choice: number) => Promise<void>>

/** How often each kind of step comes. */
export const weights: readonly (readonly [Step['what'], number])[] = [
  ['start', 2],
  ['deliver', 10],
  ['happen', 25],
  ['go', 16],
  ['rest', 3],
  ['loseAnswer', 2],
  ['losePublish', 2],
  ['expire', 4],
  ['takeOver', 4],
  ['crashBefore', 2],
  ['crashAfter', 3],
  ['disconnect', 1],
  ['crashServer', 1],
  ['hold', 4],
  ['stop', 2],
  ['letGo', 2],
  ['fire', 2],
  ['settleTrash', 3],
  ['cancel', 1],
  ['hear', 2],
  ['compact', 6],
]
