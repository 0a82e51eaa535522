import { createHash, timingSafeEqual } from 'node:crypto'
import { Unavailable } from '../../../errors.ts'
import { decryptSecret } from '../../../secrets.ts'
import { answered } from '../../../store/pool.ts'
import { webhooksAt } from '../../../store/queries/hooks/webhooks.ts'
import type { Addressed } from '../../../store/queries/hooks/webhooks.ts'
import { isEventNode } from '../../../topology/plan.ts'
import type { Plan } from '../../../topology/plan.ts'
import type { Webhook } from '../../../topology/webhooks/config.ts'
import type { ApiDeps } from '../../deps.ts'
import { newestPlan } from '../plans.ts'

/** A webhook that a delivery was addressed to. */
export interface Hook {
  readonly topology: { readonly id: string; readonly name: string }
  readonly node: { readonly id: string; readonly name: string }
  /** As it is published; null: it isn't. */
  readonly config: Webhook | null
  /** Why it takes nothing now; null: it does. */
  readonly closed: string | null
  /** That sign deliveries, newest first; null: they can't be decrypted. */
  readonly secrets: readonly string[] | null
  /** Of handshakes; null: it can't be decrypted. */
  readonly verifyTokens: readonly string[] | null
}

/** What the path of a delivery says. */
export interface Address {
  readonly topology: string
  readonly node: string
  readonly secret: string
}

/** Finds webhooks. While Postgres is away, those that this process has found within the last hour are taken as they were, unless it was
 * told of a change meanwhile, or couldn't be, since it had no connection to NATS. */
export interface Hooks {
  /**
   * Null for an address that isn't one, whichever part of it is wrong: that takes the same query and the same comparison, and counts
   * against where it comes from. Throws 429 while too many did, and `Unavailable` when Postgres is away and the address isn't known.
   */
  find(from: string | null, address: Address): Promise<Hook | null>
  /** Drops what is known of a node, since it was changed, here and at all other controls. */
  forget(nodeId: string): void
}

/** How long an address is good that can't be looked up, since Postgres is away. */
const keptMs = 3_600_000
const knownMax = 2_000
/** A Postgres that doesn't answer must not keep senders waiting, who give up after seconds. */
export const answerMs = 1_000

interface Known {
  readonly hook: Hook
  readonly at: number
  /** When the address ends, since it was replaced; null: not yet. */
  readonly until: Date | null
}

export function openHooks(deps: Pick<ApiDeps, 'store' | 'queues' | 'access' | 'secretKey'>): Hooks {
  const known = new Map<string, Known>()
  let changes = 0
  const drop = (isChanged: (hook: Hook) => boolean): void => {
    changes++
    for (const [key, { hook }] of known) if (isChanged(hook)) known.delete(key)
  }
  let isListening = false
  const listen = (): void => {
    if (isListening) return
    isListening = true
    deps.queues.hookChanges.onTold((nodeId) => drop(({ node }) => node.id === nodeId))
    deps.queues.hookChanges.onMissed(() => drop(() => true))
  }
  let awayUntil = -Infinity
  const look = async (key: string, address: Address): Promise<Hook | null> => {
    // From before anything is known.
    listen()
    const before = stillGood(known.get(key))
    if (before && performance.now() < awayUntil) return before.hook
    const changesBefore = changes
    try {
      const found = await answered(answerMs, read(deps, address))
      known.delete(key)
      // What was changed while it was read is read anew by the next one.
      if (found && changes === changesBefore) known.set(key, found)
      dropOldest(known)
      return found?.hook ?? null
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      awayUntil = performance.now() + answerMs
      const still = stillGood(known.get(key))
      if (still) return still.hook
      throw error
    }
  }
  return {
    find(from, address) {
      const key = hashOf(JSON.stringify([address.topology, address.node, address.secret]))
      return deps.access.hookAttempts.check(from, key, () => look(key, address))
    },
    forget(nodeId) {
      drop(({ node }) => node.id === nodeId)
      deps.queues.hookChanges.tell(nodeId)
    },
  }
}

function stillGood(known: Known | undefined): Known | null {
  if (!known || isOver(known.until) || performance.now() - known.at > keptMs) return null
  return known
}

function dropOldest(known: Map<string, unknown>): void {
  if (known.size <= knownMax) return
  for (const oldest of known.keys()) return void known.delete(oldest)
}

/** SHA-256, hex. For secrets of 256 random bits: what a person chose could be guessed from it. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

async function read(
  deps: Pick<ApiDeps, 'store' | 'secretKey'>,
  { topology, node, secret }: Address,
): Promise<Known | null> {
  const given = hashOf(secret)
  const candidates = await webhooksAt(deps.store, topology, node)
  // What isn't there is compared, too.
  const matches = [null, ...candidates].map((row) => [row, matchOf(row, given)] as const)
  const [row, match] = matches.find(([, found]) => found !== null) ?? [null, null]
  if (!row || !match) return null
  const plan = row.topology.visibility === 'public' ? await newestPlan(deps.store, row.topology) : null
  const hook = hookOf(deps.secretKey, row, plan)
  return hook && { hook, at: performance.now(), until: match.until }
}

const nothing = hashOf('')

/** Null when neither the address nor the one before it ends with the secret of this hash. */
function matchOf(row: Addressed | null, given: string): { readonly until: Date | null } | null {
  const { pathHash = null, previousPathHash = null, previousPathUntil: until = null } = row?.webhook ?? {}
  const [isCurrent, isPrevious] = [isSame(pathHash, given), isSame(previousPathHash, given)]
  if (isCurrent) return { until: null }
  return isPrevious && until !== null && !isOver(until) ? { until } : null
}

function isSame(kept: string | null, given: string): boolean {
  return timingSafeEqual(Buffer.from(kept ?? nothing), Buffer.from(given)) && kept !== null
}

export function isOver(until: Date | null): boolean {
  return until !== null && until.getTime() <= Date.now()
}

/** Null when the published node takes no deliveries, and never will again. */
function hookOf(secretKey: string, { topology, node, webhook }: Addressed, plan: Plan | null): Hook | null {
  const published = plan?.nodes.find(({ id }) => id === node.id)
  const config = published && isEventNode(published) ? (published.webhook ?? null) : null
  if (published?.leaving !== undefined || (published && !config)) return null
  const { signingSecret, previousSigningSecret, previousSigningUntil, verifyToken } = webhook
  const previous = isOver(previousSigningUntil) ? null : previousSigningSecret
  return {
    topology: { id: topology.id, name: topology.name },
    node: { id: node.id, name: node.name },
    config,
    closed: whyClosed({ topology, node }, config),
    secrets: decrypted(secretKey, [signingSecret, previous]),
    verifyTokens: decrypted(secretKey, [verifyToken]),
  }
}

function whyClosed({ topology, node }: Pick<Addressed, 'topology' | 'node'>, config: Webhook | null): string | null {
  if (config === null) return `the webhook "${node.name}" is not published now`
  if (!topology.enabled) return `the topology "${topology.name}" is disabled`
  return node.enabled ? null : `the webhook "${node.name}" is disabled`
}

/** Null when they were encrypted with another key. */
function decrypted(secretKey: string, secrets: readonly (string | null)[]): string[] | null {
  try {
    return secrets.flatMap((secret) => (secret === null ? [] : [decryptSecret(secretKey, secret)]))
  } catch {
    return null
  }
}
